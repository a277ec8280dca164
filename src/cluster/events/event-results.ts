/** What becomes of an event: one of its name was there already, or there was no room for it to wait. */
export const eventResults = ['created', 'present', 'failed', 'dropped'] as const;

export type EventResult = (typeof eventResults)[number];
