import assert from 'node:assert/strict';

/** An account and a region of it. */
export interface AwsPlace {
  readonly accountId: string;
  readonly region: string;
}

/** What is in AWS, such as a bucket. */
export interface AwsObject extends AwsPlace {
  readonly kind: string;
  readonly name: string;
  spec: Readonly<Record<string, unknown>>;
  /** The uid of the resource that created or adopted it; undefined for what nobody in the cluster looks after. */
  holder: string | undefined;
}

/** A refusal by AWS. */
export class AwsRefusal extends Error {
  override readonly name = 'AwsRefusal';
  readonly code: 'AccessDenied' | 'BucketAlreadyExists';

  constructor(code: AwsRefusal['code']) {
    super(`api error ${code}`);
    this.code = code;
  }
}

/** Accounts, their regions and what is in them; in memory. */
export class StandInAws {
  readonly #accounts = new Map<string, Map<string, Map<string, AwsObject>>>();
  /** Roles that do not trust ACK, by ARN. */
  readonly distrustful = new Set<string>();
  /** Names that somebody else has: nobody can create them. */
  readonly takenNames = new Set<string>();

  #region({ accountId, region }: AwsPlace): Map<string, AwsObject> {
    const regions = this.#accounts.get(accountId) ?? new Map<string, Map<string, AwsObject>>();
    this.#accounts.set(accountId, regions);
    const objects = regions.get(region) ?? new Map<string, AwsObject>();
    regions.set(region, objects);
    return objects;
  }

  /** @throws {AwsRefusal} */
  assume(roleArn: string | undefined): void {
    if (roleArn !== undefined && this.distrustful.has(roleArn)) throw new AwsRefusal('AccessDenied');
  }

  find(place: AwsPlace, kind: string, name: string): AwsObject | undefined {
    return this.#region(place).get(`${kind}/${name}`);
  }

  /** @throws {AwsRefusal} */
  create(place: AwsPlace, kind: string, name: string, spec: AwsObject['spec'], holder?: string): AwsObject {
    if (this.takenNames.has(name)) throw new AwsRefusal('BucketAlreadyExists');
    const objects = this.#region(place);
    assert.ok(!objects.has(`${kind}/${name}`), `${kind}/${name} is in ${place.accountId} ${place.region} already`);
    const { accountId, region } = place;
    const object: AwsObject = { accountId, region, kind, name, spec, holder };
    objects.set(`${kind}/${name}`, object);
    return object;
  }

  delete(object: AwsObject): void {
    this.#region(object).delete(`${object.kind}/${object.name}`);
  }

  /** All there is. */
  get objects(): readonly AwsObject[] {
    return [...this.#accounts.values()].flatMap(regions =>
      [...regions.values()].flatMap(objects => [...objects.values()]),
    );
  }
}
