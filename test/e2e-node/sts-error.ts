import { escapeXml } from './escape-xml.ts';

/** What STS answers instead of a result. https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html */
export type StsErrorCode =
  | 'AccessDenied'
  | 'ExpiredToken'
  | 'ExpiredTokenException'
  | 'IncompleteSignature'
  | 'InvalidAction'
  | 'InvalidClientTokenId'
  | 'InvalidIdentityToken'
  | 'MissingAuthenticationToken'
  | 'SignatureDoesNotMatch'
  | 'Throttling'
  | 'ValidationError';

const statuses: Readonly<Record<StsErrorCode, number>> = {
  AccessDenied: 403,
  ExpiredToken: 403,
  ExpiredTokenException: 400,
  IncompleteSignature: 400,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidIdentityToken: 400,
  MissingAuthenticationToken: 403,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ValidationError: 400,
};

/** An error to be thrown when a call is refused; code and message are AWS's own. */
export class StsError extends Error {
  override readonly name = 'StsError';
  readonly code: StsErrorCode;

  constructor(code: StsErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  get status(): number {
    return statuses[this.code];
  }

  /** The body of the answer, in the form that STS gives it. */
  xml(requestId: string): string {
    return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>${this.code}</Code><Message>${escapeXml(this.message)}</Message></Error>
  <RequestId>${requestId}</RequestId>
</ErrorResponse>`;
  }
}
