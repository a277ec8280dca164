import { parseRoleArn, type RoleArn } from '../../../src/accounts/role-arn.ts';

/** A role of a short ARN: `111111111111/hub`. */
export function roleOf(short: string): RoleArn {
  const [account = '', ...name] = short.split('/');
  const role = parseRoleArn(`arn:aws:iam::${account}:role/${name.join('/')}`);
  if (role === undefined) throw new TypeError(`not a role: ${short}`);
  return role;
}
