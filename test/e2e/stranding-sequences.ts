import type { ControlPlane } from '../testbed/control-plane.ts';
import { ackPath, ackResource, bucketKind, roleSelector, roleSelectorKind } from './ack-crds.ts';
import { namespace, ownerAnnotation } from './cluster-objects.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { StrandingScene } from './stranding-scene.ts';

type Texts = Readonly<Record<string, string>>;
type Change = Readonly<Record<string, string | null>>;

/** What users can do next, in a world of two namespaces. */
export interface SequenceWorld {
  readonly plane: ControlPlane;
  readonly scene: StrandingScene;
  readonly random: SeededRandom;
  /** Its two namespaces. */
  readonly namespaces: readonly [string, string];
  readonly names: FreshNames;
}

/** Names that no resource had before: what is in AWS already is adopted or not, and nothing of an earlier resource is mistaken for it. */
export class FreshNames {
  #last = 0;

  get next(): string {
    return `r${this.#last + 1}`;
  }

  take(): string {
    this.#last += 1;
    return `r${this.#last}`;
  }
}

/** One request; undefined where there is nothing that it could be about. */
type Operation = (world: SequenceWorld) => Promise<void> | undefined;

const pick = <Item>(random: SeededRandom, items: readonly Item[]): Item =>
  items[Math.floor(random.next() * items.length)] as Item;

const account = (digit: string) => digit.repeat(12);
const [one, two, three, unmapped] = ['1', '2', '3', '4'].map(account) as [string, string, string, string];
const roleOf = (accountId: string, name = 'ack') => `arn:aws:iam::${accountId}:role/${name}`;
/** What a world of bindings begins with; of the teams, one is in an account that has no key. */
export const sequenceMaps = {
  accounts: { [one]: roleOf(one), [two]: roleOf(two), [three]: roleOf(three) },
  teams: { first: roleOf(one, 'first'), second: roleOf(two, 'second'), lonely: roleOf(unmapped, 'lonely') },
} as const satisfies Readonly<Record<string, Texts>>;
const regions = ['us-east-1', 'eu-central-1', null];

const bucketsOf = ({ scene, namespaces }: SequenceWorld) =>
  scene.seen.flatMap(title => {
    const [inNamespace = '', name = ''] = title.replace(/^Bucket /, '').split('/');
    return namespaces.includes(inNamespace) ? [{ inNamespace, name }] : [];
  });

const onNamespace =
  (annotations: (random: SeededRandom) => Change): Operation =>
  world => {
    const name = pick(world.random, world.namespaces);
    return world.scene.request('PATCH', `/api/v1/namespaces/${name}`, {
      metadata: { annotations: annotations(world.random) },
    });
  };

const onBucket =
  (patch: (world: SequenceWorld) => object): Operation =>
  world => {
    const buckets = bucketsOf(world);
    if (buckets.length === 0) return undefined;
    const { inNamespace, name } = pick(world.random, buckets);
    return world.scene.request('PATCH', ackPath(bucketKind, inNamespace, name), patch(world));
  };

const onMap =
  (map: string, data: (random: SeededRandom) => Change): Operation =>
  ({ scene, random }) =>
    scene.request('PATCH', `/api/v1/namespaces/ack-system/configmaps/${map}`, { data: data(random) });

const createBucket =
  (annotations: (random: SeededRandom) => Change, labels: (random: SeededRandom) => Texts): Operation =>
  world => {
    const { random, scene, namespaces, names } = world;
    const inNamespace = pick(random, namespaces);
    const name = names.take();
    const said = Object.entries(annotations(random)).filter(([, value]) => value !== null);
    const metadata = { annotations: Object.fromEntries(said) as Texts, labels: labels(random) };
    const object = ackResource(bucketKind, inNamespace, name, metadata, { name: `${inNamespace}-${name}` });
    return scene.request('POST', ackPath(bucketKind, inNamespace), object);
  };

/** Without what ACK wrote, as `kubectl replace` of the manifest that it was created by. */
const replaceBucket: Operation = world => {
  const buckets = bucketsOf(world);
  if (buckets.length === 0) return undefined;
  const { inNamespace, name } = pick(world.random, buckets);
  const object = ackResource(bucketKind, inNamespace, name, {}, { name: `${inNamespace}-${name}` });
  return world.scene.request('PUT', ackPath(bucketKind, inNamespace, name), object);
};

const deleteBucket: Operation = world => {
  const buckets = bucketsOf(world);
  if (buckets.length === 0) return undefined;
  const { inNamespace, name } = pick(world.random, buckets);
  return world.scene.request('DELETE', ackPath(bucketKind, inNamespace, name));
};

const editBucket = onBucket(({ random }) => ({
  spec: { tagging: { tagSet: [{ key: 'edit', value: String(random.next()) }] } },
}));
const region = (random: SeededRandom): Change => ({ 'services.k8s.aws/region': pick(random, regions) });
const changeDefaultRegion = onNamespace(random => ({ 'services.k8s.aws/default-region': pick(random, regions) }));
const changeRegion = onBucket(({ random }) => ({ metadata: { annotations: region(random) } }));
/** AWS refuses the next name: a create that fails leaves its account and region in the status. */
const failNext: Operation = ({ scene, namespaces, names }) => {
  for (const name of namespaces) scene.aws.takenNames.add(`${name}-${names.next}`);
  return scene.reconcile();
};
/** Creates in AWS what can be adopted by the next name. */
const makeNext: Operation = ({ scene, namespaces, names, random }) => {
  const place = { accountId: pick(random, [one, two]), region: 'us-east-1' };
  const kind = bucketKind.kind;
  for (const each of namespaces) {
    const name = `${each}-${names.next}`;
    const isFree = !scene.aws.takenNames.has(name) && scene.aws.find(place, kind, name) === undefined;
    if (isFree) scene.aws.create(place, kind, name, { name });
  }
  return scene.reconcile();
};
const adoptNext: Operation = world => {
  const { random, scene, namespaces, names } = world;
  const inNamespace = pick(random, namespaces);
  const name = names.take();
  const annotations = {
    'services.k8s.aws/adoption-policy': 'adopt',
    'services.k8s.aws/adoption-fields': JSON.stringify({ name: `${inNamespace}-${name}` }),
  };
  const object = ackResource(bucketKind, inNamespace, name, { annotations }, { name: `${inNamespace}-${name}` });
  return scene.request('POST', ackPath(bucketKind, inNamespace), object);
};
/** AWS accepts all names again. */
const relent: Operation = ({ scene }) => {
  scene.aws.takenNames.clear();
  return scene.reconcile();
};

/** An operation that is listed more often is more likely. */
const byBindings: readonly Operation[] = [
  ...Array<Operation>(3).fill(createBucket(region, () => ({}))),
  editBucket,
  deleteBucket,
  replaceBucket,
  changeDefaultRegion,
  changeRegion,
  failNext,
  relent,
  makeNext,
  adoptNext,
  ...Array<Operation>(4).fill(
    onNamespace(random => ({ [ownerAnnotation]: pick(random, [one, two, three, unmapped, null, null]) })),
  ),
  ...Array<Operation>(2).fill(
    onNamespace(random => ({
      'services.k8s.aws/team-id': pick(random, ['first', 'second', 'lonely', 'nobody', null]),
    })),
  ),
  onNamespace(random => ({ 'carm-webhook.dev/allow-rebind': pick(random, [one, two, three, null, null]) })),
  onMap('ack-role-account-map', random => {
    const accountId = pick(random, [one, two, three]);
    return { [accountId]: pick(random, [null, roleOf(accountId), roleOf(accountId, 'other'), roleOf(one)]) };
  }),
  onMap('ack-role-team-map', random => ({
    [pick(random, ['first', 'second', 'lonely'])]: roleOf(
      pick(random, [one, two, unmapped]),
      pick(random, ['ack', 'other']),
    ),
  })),
];

const teams = ['x', 'y', 'z'];
const tiers = ['gold', 'silver'];
const labelled = (random: SeededRandom): Texts => (random.next() < 0.5 ? {} : { tier: pick(random, tiers) });
/** For the namespaces of one sequence only: those of all others are of no concern to it. */
function anySelectorSpec({ random, namespaces }: SequenceWorld): object {
  const names = random.next() < 0.5 ? [...namespaces] : [pick(random, namespaces)];
  return {
    arn: roleOf(pick(random, [one, two])),
    namespaceSelector: {
      names,
      ...(random.next() < 0.5 && { labelSelector: { matchLabels: { team: pick(random, teams) } } }),
    },
    ...(random.next() < 0.3 && { resourceLabelSelector: { matchLabels: { tier: pick(random, tiers) } } }),
  };
}
const selectorNames = ['seq-a', 'seq-b', 'seq-c'];

const bySelectors: readonly Operation[] = [
  ...Array<Operation>(3).fill(createBucket(region, labelled)),
  editBucket,
  deleteBucket,
  replaceBucket,
  changeDefaultRegion,
  onBucket(({ random }) => ({ metadata: { labels: { tier: pick(random, [...tiers, null]) } } })),
  ...Array<Operation>(3).fill(world => {
    const path = `/api/v1/namespaces/${pick(world.random, world.namespaces)}`;
    return world.scene.request('PATCH', path, { metadata: { labels: { team: pick(world.random, [...teams, null]) } } });
  }),
  ...Array<Operation>(3).fill(world => {
    const selector = roleSelector(pick(world.random, selectorNames), anySelectorSpec(world));
    return world.scene.request('POST', ackPath(roleSelectorKind, ''), selector);
  }),
  ...Array<Operation>(2).fill(world => {
    const { arn: _, ...spec } = anySelectorSpec(world) as { readonly arn: string };
    const change = { labelSelector: null, ...(spec as { readonly namespaceSelector: object }).namespaceSelector };
    const path = ackPath(roleSelectorKind, '', pick(world.random, selectorNames));
    return world.scene.request('PATCH', path, { spec: { namespaceSelector: change } });
  }),
  world => world.scene.request('DELETE', ackPath(roleSelectorKind, '', pick(world.random, selectorNames))),
];

export const sequenceOperations = { byBindings, bySelectors } as const;

/** A sequence from its seed, and what it leaves is removed. @throws {Error} where something is stranded without a word */
export async function runSequence(
  operations: readonly Operation[],
  length: number,
  world: SequenceWorld,
  past: (args: readonly string[], input?: object) => Promise<unknown>,
): Promise<void> {
  const { random, scene, namespaces } = world;
  for (const name of namespaces) await past(['apply', '-f', '-'], namespace(name));
  for (let step = 0; step < length; step++) await pick(random, operations)(world);
  // All that nobody was told of can be edited and deleted.
  const told = new Set(scene.stranded.keys());
  for (const { inNamespace, name } of bucketsOf(world)) {
    await scene.request('DELETE', ackPath(bucketKind, inNamespace, name));
  }
  await scene.reconcile();
  const stuck = scene.seen.filter(
    title => !told.has(title) && bucketsOf(world).some(({ name }) => title.endsWith(`/${name}`)),
  );
  if (stuck.length > 0) throw new Error(`not told of, and not deleted: ${stuck.join(', ')}`);
  for (const { inNamespace, name } of bucketsOf(world)) {
    const release = JSON.stringify({ metadata: { finalizers: null } });
    await past(['patch', 'bucket', name, '-n', inNamespace, '--type=merge', '-p', release]);
  }
  await past(['delete', 'namespaces', ...namespaces, '--wait=false']);
  await past(['delete', 'iamroleselectors', ...selectorNames, '--ignore-not-found']);
  const { accounts, teams: teamMap } = sequenceMaps;
  for (const [name, data] of [
    ['ack-role-account-map', accounts],
    ['ack-role-team-map', teamMap],
  ] as const) {
    await past(['patch', 'configmap', name, '-n', 'ack-system', '--type=merge', '-p', JSON.stringify({ data })]);
  }
}
