import { created, roleSelector, type SelectorOptions, selectorReview, updated } from './resources.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { hostile, selectors } from './state.ts';

/** IAMRoleSelectors: what ACK would leave out, and what would make it stop. */

const arn = 'arn:aws:iam::252525252525:role/new';
const denied = { endpoint: 'validate', server: 'selectors', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', server: 'selectors', reason: 'Checked', outcome: 'allowed' } as const;
const made = (options: SelectorOptions, role = arn) => selectorReview(undefined, roleSelector('new', role, options));
/** A selector of the state, as it is stored. */
const stored = (name: string) => selectors.find(({ metadata }) => (metadata as { name: string }).name === name);
const removed = (name: string, more: Partial<ReviewOptions> = {}) =>
  selectorReview(stored(name), undefined, { name, ...more });
const rewritten = (name: string, role: string, options: SelectorOptions) =>
  selectorReview(stored(name), roleSelector(name, role, options));
const inUse = { ...denied, reason: 'SelectorInUse' } as const;
const bucket = { group: 's3.services.k8s.aws', version: '', kind: 'Bucket' };

export const selectorRows: readonly Row[] = [
  { ...checked, proves: 'a selector of its own namespace is allowed', review: made({ names: ['free'] }) },
  ...(
    [
      ['an ARN that is empty', '', { names: ['n'] }],
      ['an ARN that is none', 'role', { names: ['n'] }],
      ['an ARN of something else than a role', 'arn:aws:s3:::b', { names: ['n'] }],
      ['an ARN of hostile text', hostile, { names: ['n'] }],
      ['an empty namespace name', arn, { names: ['n', ''] }],
      ['a namespace name twice', arn, { names: ['n', 'm', 'n'] }],
      ['a type without group, version and kind', arn, { names: ['n'], types: [{ group: '', version: '', kind: '' }] }],
      ['a type twice', arn, { names: ['n'], types: [bucket, bucket] }],
      ['an empty label key', arn, { names: ['n'], labels: { '': 'x' } }],
      ['an empty label key of namespaces', arn, { namespaceLabels: { '': 'x' } }],
    ] as const
  ).map(
    ([what, role, options]): Row => ({
      ...denied,
      proves: `a selector with ${what} is denied`,
      review: made(options, role),
      reason: 'InvalidSelector',
      says: ['IAMRoleSelector "new"', 'Ask your platform team to'],
    }),
  ),
  {
    ...denied,
    proves: 'a selector that matches all overlaps every other, of which five are named',
    review: made({}),
    reason: 'SelectorConflict',
    says: ['"one"', 'more'],
    neverSays: ['"left-out"'],
  },
  {
    ...denied,
    proves: 'a selector that overlaps another names it',
    review: made({ names: ['sel-typed'] }),
    reason: 'SelectorConflict',
    says: ['"typed"'],
    neverSays: ['"one"', '"by-label"'],
  },
  {
    ...denied,
    proves: 'a selector by the labels that a namespace has overlaps one by its name',
    review: made({ namespaceLabels: { tier: 'one' }, labels: { pick: 'one' } }),
    reason: 'SelectorConflict',
    says: ['"one"'],
  },
  {
    ...checked,
    proves: 'selectors of different types do not overlap',
    review: made({ names: ['sel-typed'], types: [{ group: 'sqs.services.k8s.aws', version: '', kind: '' }] }),
  },
  {
    ...checked,
    proves: 'selectors of different values of a label do not overlap',
    review: made({ names: ['sel-rebind'], labels: { color: 'red' } }),
  },
  {
    ...checked,
    proves: 'a selector that ACK leaves out overlaps nothing',
    review: made({ names: ['sel-none'], types: [bucket] }),
  },
  {
    ...checked,
    proves: 'a selector by labels that no namespace of the others has is allowed',
    review: made({ namespaceLabels: { 'kubernetes.io/metadata.name': 'new-team', env: 'dev' } }),
  },
  {
    ...denied,
    proves: 'a namespace that is not there yet may get any labels',
    review: made({ names: ['new-team'] }),
    reason: 'SelectorConflict',
    says: ['"by-label"'],
    neverSays: ['"one"'],
  },
  {
    ...denied,
    proves: 'a selector that is widened into another is denied',
    review: selectorReview(
      roleSelector('new', arn, { names: ['n'] }),
      roleSelector('new', arn, { names: ['n', 'sel-two'] }),
    ),
    reason: 'SelectorConflict',
    says: ['"two-a"', '"two-b"'],
  },
  {
    ...checked,
    proves: 'a selector does not overlap itself',
    review: selectorReview(
      roleSelector('one', arn, { names: ['sel-one', 'sel-warn'], labels: { pick: 'one' } }),
      roleSelector('one', arn, { names: ['sel-one'], labels: { pick: 'one' } }),
    ),
  },
  {
    ...checked,
    proves: 'an overlap from before is left alone while the spec stays',
    review: selectorReview(
      roleSelector('two-a', arn, { names: ['sel-two'] }),
      roleSelector('two-a', arn, { names: ['sel-two'], metadata: { labels: { team: 'x' } } }),
    ),
  },
  {
    ...checked,
    proves: 'a selector that overlaps others may be narrowed, step by step',
    review: selectorReview(
      roleSelector('wide', arn, { names: ['sel-two', 'sel-typed', 'n'] }),
      roleSelector('wide', arn, { names: ['sel-two', 'n'] }),
    ),
  },
  {
    ...checked,
    proves: 'a selector that overlaps others may be written another way that means the same',
    review: selectorReview(
      roleSelector('wide', arn, { names: ['sel-two', 'n'] }),
      roleSelector('wide', arn, { names: ['n', 'sel-two'] }),
    ),
  },
  {
    ...denied,
    proves: 'a selector that overlaps others may not be widened',
    review: selectorReview(
      roleSelector('wide', arn, { names: ['sel-two'] }),
      roleSelector('wide', arn, { names: ['sel-two', 'sel-free'] }),
    ),
    reason: 'SelectorConflict',
    says: ['"two-a"'],
  },
  {
    ...denied,
    proves: 'a selector that ACK left out overlapped nothing: fixed, it is judged whole',
    review: selectorReview(
      roleSelector('wide', arn, { names: ['sel-two', 'sel-two'] }),
      roleSelector('wide', arn, { names: ['sel-two'] }),
    ),
    reason: 'SelectorConflict',
    says: ['"two-a"'],
  },
  {
    ...denied,
    proves: 'labels that end a conflict in favour of another account are a rebinding',
    review: updated(
      'Bucket',
      { namespace: 'sel-crossed', labels: { color: 'blue', shade: 'dark' }, ack: { ownerAccountID: '212121212121' } },
      { labels: { shade: 'dark' }, ack: { ownerAccountID: '212121212121' } },
    ),
    reason: 'RebindWithResources',
    says: ['"dark"'],
  },
  {
    ...checked,
    proves: 'labels that end a conflict in favour of its own account are allowed',
    review: updated(
      'Bucket',
      { namespace: 'sel-crossed', labels: { color: 'blue', shade: 'dark' }, ack: { ownerAccountID: '212121212121' } },
      { labels: { color: 'blue' }, ack: { ownerAccountID: '212121212121' } },
    ),
    accountId: '212121212121',
    roleArn: 'arn:aws:iam::212121212121:role/blue',
  },
  {
    ...checked,
    proves: 'labels that change nothing are allowed where the selector is of another account already',
    review: updated(
      'Bucket',
      { namespace: 'sel-rebind', labels: { color: 'green' }, ack: { ownerAccountID: '212121212121' } },
      { labels: { color: 'green', note: 'x' }, ack: { ownerAccountID: '212121212121' } },
    ),
  },
  {
    ...denied,
    proves: 'a selector with generateName is denied, and named by it',
    review: selectorReview(undefined, roleSelector('', 'role', { names: ['n'], metadata: { generateName: 'team-' } }), {
      name: '',
    }),
    reason: 'InvalidSelector',
    says: ['IAMRoleSelector "team-*"'],
  },
  {
    ...inUse,
    proves: 'removing a selector that a resource uses is denied, and names the resource',
    review: removed('one'),
    says: ['IAMRoleSelector "one"', '"Bucket sel-one/assets"', 'Ask your platform team to', 'another account'],
    neverSays: ['picked-by-none', 'others'],
  },
  {
    ...inUse,
    proves: 'removing one of a collection, whose reviews have no name, is denied too',
    review: removed('one', { name: '' }),
    says: ['IAMRoleSelector "one"', '"Bucket sel-one/assets"'],
  },
  {
    ...inUse,
    proves: 'of many resources that use a selector five are named',
    review: removed('azure'),
    says: ['"Queue sel-rebind/azure-1"', '"Queue sel-rebind/azure-5" and others'],
    neverSays: ['azure-6', 'azure-7'],
  },
  {
    ...inUse,
    proves: 'a resource in deletion uses its selector still',
    review: removed('by-label'),
    says: ['"DBInstance sel-label/ledger"'],
  },
  { ...inUse, proves: 'a resource uses a selector of its type', review: removed('typed'), says: ['sel-typed/typed'] },
  {
    ...inUse,
    proves: 'of two overlapping selectors one is in use where it alone matches',
    review: removed('two-a'),
    says: ['"Queue sel-two/once"'],
    neverSays: ['twice'],
  },
  {
    ...checked,
    proves: 'removing one of two selectors is allowed where ACK stopped at what both match',
    review: removed('two-b'),
  },
  { ...checked, proves: 'removing a selector that ACK leaves out is allowed', review: removed('left-out') },
  { ...checked, proves: 'removing a selector that matches no resource is allowed', review: removed('blue') },
  {
    ...checked,
    proves: 'removing a selector that is not there any more for us is allowed',
    review: selectorReview(roleSelector('gone', arn, { names: ['nowhere'] }), undefined, { name: 'gone' }),
  },
  {
    ...inUse,
    proves: 'narrowing a selector by a namespace in which resources use it is denied',
    review: rewritten('one', 'arn:aws:iam::151515151515:role/one', { names: ['sel-warn'], labels: { pick: 'one' } }),
    says: ['"Bucket sel-one/assets"'],
  },
  {
    ...inUse,
    proves: 'narrowing a selector by a label that its resources have not is denied',
    review: rewritten('one', 'arn:aws:iam::151515151515:role/one', {
      names: ['sel-one', 'sel-warn'],
      labels: { pick: 'one', tier: 'gold' },
    }),
    says: ['"Bucket sel-one/assets"'],
  },
  {
    ...inUse,
    proves: 'narrowing a selector by a type that its resources have not is denied',
    review: rewritten('typed', 'arn:aws:iam::171717171717:role/typed', {
      names: ['sel-typed'],
      types: [{ group: 's3.services.k8s.aws', version: 'v1beta1', kind: 'Bucket' }],
    }),
    says: ['"Bucket sel-typed/typed"'],
  },
  {
    ...inUse,
    proves: 'a selector that its resources use cannot change to a role of another account',
    review: rewritten('typed', 'arn:aws:iam::171717171718:role/typed', {
      names: ['sel-typed'],
      types: [{ group: 's3.services.k8s.aws', version: 'v1alpha1', kind: 'Bucket' }],
    }),
    says: ['"Bucket sel-typed/typed"'],
  },
  {
    ...checked,
    proves: 'a selector may change to another role of the same account',
    review: rewritten('typed', 'arn:aws:iam::171717171717:role/other', {
      names: ['sel-typed'],
      types: [{ group: 's3.services.k8s.aws', version: 'v1alpha1', kind: 'Bucket' }],
    }),
  },
  {
    ...checked,
    proves: 'narrowing a selector by what no resource needs is allowed',
    review: rewritten('one', 'arn:aws:iam::151515151515:role/one', {
      names: ['sel-one'],
      labels: { pick: 'one' },
      types: [bucket],
    }),
  },
  {
    ...denied,
    proves: 'a selector in use that is made invalid is denied for that',
    review: rewritten('one', 'role', { names: ['sel-one', 'sel-warn'], labels: { pick: 'one' } }),
    reason: 'InvalidSelector',
  },
  {
    ...denied,
    proves:
      'a new selector that takes over a resource of another account is denied, with the resource and both accounts',
    review: made({ names: ['sel-none'] }),
    reason: 'RebindWithResources',
    says: [
      '"Queue sel-none/elsewhere" in account "565656565656"',
      'account 252525252525',
      'Ask your platform team to narrow it so that it does not match them, or delete the resources first',
    ],
  },
  {
    ...denied,
    proves: 'a selector that is widened to one is denied as well',
    review: rewritten('typed', 'arn:aws:iam::171717171717:role/typed', { names: ['sel-typed', 'sel-none'] }),
    reason: 'RebindWithResources',
  },
  {
    ...checked,
    proves: 'a new selector of the account that the resource is in is allowed',
    review: made({ names: ['sel-none'] }, 'arn:aws:iam::565656565656:role/new'),
  },
  {
    ...checked,
    proves: 'a new selector that is narrowed so that it does not match it is allowed',
    review: made({ names: ['sel-none'], types: [bucket] }),
  },
  {
    ...denied,
    server: 'selectors-warning',
    proves: 'no mode softens the removal of a selector in use',
    review: removed('one'),
    reason: 'SelectorInUse',
    says: ['delete them first (in AWS, too, unless they are retained;'],
  },
  {
    endpoint: 'validate',
    proves: 'without the gate IAMRoleSelector the removal of a selector is not ours',
    review: removed('one'),
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    endpoint: 'validate',
    server: 'selectors-warning',
    proves: 'mode warn softens an invalid selector',
    review: made({ names: ['free'] }, 'role'),
    reason: 'InvalidSelector',
    outcome: 'warned',
  },
  {
    ...denied,
    server: 'selectors-warning',
    proves: 'no mode softens that a selector in use is made invalid: ACK would leave it out',
    review: rewritten('one', 'role', { names: ['sel-one', 'sel-warn'], labels: { pick: 'one' } }),
    reason: 'SelectorInUse',
  },
  {
    ...denied,
    server: 'selectors-warning',
    proves: 'nor that it loses its resources while it overlaps another',
    review: rewritten('one', 'arn:aws:iam::151515151515:role/one', { names: ['sel-two'] }),
    reason: 'SelectorInUse',
  },
  {
    endpoint: 'validate',
    server: 'selectors-warning',
    proves: 'mode warn softens a selector that overlaps another',
    review: made({ names: ['sel-two'] }),
    reason: 'SelectorConflict',
    outcome: 'warned',
  },
  {
    ...denied,
    server: 'selectors-warning',
    proves: "no mode softens a label change into another account's selector",
    review: updated(
      'Bucket',
      { namespace: 'sel-rebind', labels: { color: 'blue' }, ack: { ownerAccountID: '212121212121' } },
      { labels: { color: 'green' }, ack: { ownerAccountID: '212121212121' } },
    ),
    reason: 'RebindWithResources',
  },
  {
    ...checked,
    proves: 'DELETE of a resource is never held up by selectors',
    review: { ...created('Bucket', { namespace: 'sel-none' }), operation: 'DELETE' },
    reason: 'NotApplicable',
  },
  {
    endpoint: 'validate',
    proves: 'without the gate IAMRoleSelector a selector is not ours',
    review: made({}, 'role'),
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    server: 'selectors',
    proves: 'a selector is never changed',
    review: made({}, 'role'),
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
];
