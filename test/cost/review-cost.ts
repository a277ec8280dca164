import { createAdmit, type Endpoint } from '../../src/admission/admit.ts';
import { type Config, defaultConfig } from '../../src/admission/config.ts';
import { answerText } from '../../src/admission/response.ts';
import { readReview } from '../../src/admission/review.ts';
import { parseReview } from '../../src/admission/review-bytes.ts';
import { FakeCluster, type FakeState, good } from '../admission/fake-cluster.ts';
import { cpuTimeMs } from '../cpu-time.ts';

const state: FakeState = {
  ...good,
  maps: { account: { '111111111111': 'arn:aws:iam::111111111111:role/r' } },
  roleSelectors: [
    {
      metadata: { name: 'other' },
      spec: { arn: 'arn:aws:iam::333333333333:role/r', namespaceSelector: { names: ['x'] } },
    },
  ],
  resources: [],
};
export const config: Config = { ...defaultConfig, crossNamespaceReferences: [{ from: '*', to: 'common' }] };
export const rulesWithSelectors: Config = {
  ...config,
  featureGates: { ...defaultConfig.featureGates, IAMRoleSelector: true },
};

/** What a review costs, in milliseconds of CPU time: the least of some runs. */
export interface Cost {
  readonly parseMs: number;
  readonly reviewMs: number;
  readonly reason: string;
}

/** From the bytes of a review to those of its answer, live reads answered at once. */
async function answerTo(bytes: Buffer, endpoint: Endpoint, by: Config): Promise<string> {
  const parsing = parseReview(bytes);
  const parsed = parsing instanceof Promise ? await parsing : parsing;
  const result = createAdmit(new FakeCluster(state, state), by)(endpoint, readReview(parsed.body, parsed), 5_000);
  const { response, record } = result instanceof Promise ? await result : result;
  answerText(response);
  return record.reason;
}

/** @param runs how often each is measured, in turns. */
export async function costOf(bytes: Buffer, endpoint: Endpoint, by: Config, runs: number): Promise<Cost> {
  let parseMs = Number.POSITIVE_INFINITY;
  let reviewMs = Number.POSITIVE_INFINITY;
  let reason = '';
  for (let run = 0; run < runs; run++) {
    const startedAt = cpuTimeMs();
    JSON.parse(bytes.toString());
    const parsedAt = cpuTimeMs();
    reason = await answerTo(bytes, endpoint, by);
    const answeredAt = cpuTimeMs();
    parseMs = Math.min(parseMs, parsedAt - startedAt);
    reviewMs = Math.min(reviewMs, answeredAt - parsedAt);
  }
  return { parseMs, reviewMs, reason };
}
