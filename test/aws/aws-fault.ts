import type { ServerResponse } from 'node:http';
import { StsError } from '../e2e-node/sts-error.ts';
import type { AwsCall } from './aws-call.ts';

/** What an endpoint may do instead of its work. */
export type FaultKind = 'throttled' | 'hang' | 'garbage' | 'server-error' | 'reset';

export interface AwsFault {
  readonly kind: FaultKind;
  /** Calls that it meets; all of STS if nothing else is said. */
  readonly matches?: (call: AwsCall) => boolean;
}

/** Answers as the fault does. */
export function answerWithFault(kind: FaultKind, response: ServerResponse, requestId: string): void {
  switch (kind) {
    case 'throttled': {
      const error = new StsError('Throttling', 'Rate exceeded');
      response.writeHead(error.status, { 'content-type': 'text/xml' }).end(error.xml(requestId));
      return;
    }
    case 'server-error':
      response.writeHead(503, { 'content-type': 'text/html' }).end('<html><body>Service Unavailable</body></html>');
      return;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/xml' }).end('<AssumeRoleResponse><Assume\0');
      return;
    case 'reset':
      response.destroy();
      return;
    case 'hang':
      // The client gives up, or the front ends.
      return;
  }
}
