declare const validated: unique symbol;

/** An AWS account id: 12 digits, a string always, for leading zeros count. */
export type AccountId = string & { readonly [validated]: 'AccountId' };

const form = /^[0-9]{12}$/;

/** True for exactly 12 ASCII digits. https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html */
export function isAccountId(text: string): text is AccountId {
  return form.test(text);
}
