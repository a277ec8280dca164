declare const validated: unique symbol;

/**
 * A team id, key of the team map. Never with a dot: ACK looks a service-level key up as `<alias>.<id>`, so an id
 * `s3.team-b` would reach another team's key.
 */
export type TeamId = string & { readonly [validated]: 'TeamId' };

const form = /^[A-Za-z0-9_-]{1,253}$/;

export function isTeamId(text: string): text is TeamId {
  return form.test(text);
}
