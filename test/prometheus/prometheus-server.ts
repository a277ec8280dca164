import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { eventually } from '../e2e/eventually.ts';
import { freePort } from '../testbed/loopback-port.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { prometheusProgram } from './programs.ts';

const readyLimitMs = 20_000;
const answerLimitMs = 10_000;

export type Labels = Readonly<Record<string, string>>;

/** https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats */
export interface QueryResult {
  readonly metric: Labels;
  /** Seconds since the epoch, and the value as text. */
  readonly values: readonly (readonly [number, string])[];
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state: 'inactive' | 'pending' | 'firing';
}

/** A real Prometheus on loopback, with its data in a folder that goes with it. */
export class PrometheusServer {
  readonly #url: string;
  readonly #folder: string;
  readonly #process: SupervisedProcess;

  private constructor(url: string, folder: string, process: SupervisedProcess) {
    this.#url = url;
    this.#folder = folder;
    this.#process = process;
  }

  /**
   * @param config of its file. https://prometheus.io/docs/prometheus/latest/configuration/configuration/
   * @throws {TestbedMissing}
   */
  static async start(config: object): Promise<PrometheusServer> {
    const program = prometheusProgram('prometheus');
    const folder = mkdtempSync(join(tmpdir(), 'carm-webhook-prometheus-'));
    const configFile = join(folder, 'prometheus.yaml');
    writeFileSync(configFile, stringify(config), { mode: 0o600 });
    const address = `127.0.0.1:${await freePort()}`;
    const process = new SupervisedProcess(
      program,
      [`--config.file=${configFile}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=${address}`],
      { logFile: join(folder, 'log') },
    );
    const server = new PrometheusServer(`http://${address}`, folder, process);
    await eventually(
      'Prometheus is ready',
      async () => {
        if (process.end !== undefined) throw new Error(`Prometheus ended with ${process.end.code}: see ${folder}/log`);
        const answer = await fetch(`${server.#url}/-/ready`, { signal: AbortSignal.timeout(answerLimitMs) }).catch(
          () => undefined,
        );
        return answer?.ok === true ? true : undefined;
      },
      readyLimitMs,
    );
    return server;
  }

  /** @throws {Error} with what Prometheus says of the query */
  async #ask<Data>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<Data> {
    const url = `${this.#url}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(answerLimitMs) });
    const { status, error, data } = (await answer.json()) as { status: string; error?: string; data: Data };
    if (status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }

  /** Values over a time in seconds since the epoch. */
  async queryRange(query: string, start: number, end: number, stepSeconds: number): Promise<readonly QueryResult[]> {
    const parameters = { query, start: String(start), end: String(end), step: String(stepSeconds) };
    return (await this.#ask<{ readonly result: readonly QueryResult[] }>('query_range', parameters)).result;
  }

  /** The series that a selector has found so far. */
  series(selector: string): Promise<readonly Labels[]> {
    return this.#ask('series', { 'match[]': selector });
  }

  async alerts(): Promise<readonly RuleState[]> {
    const { groups } = await this.#ask<{ readonly groups: readonly { readonly rules: readonly RuleState[] }[] }>(
      'rules',
    );
    return groups.flatMap(({ rules }) => rules);
  }

  /** Health and last error of every target. */
  async targets(): Promise<
    readonly { readonly scrapeUrl: string; readonly health: string; readonly lastError: string }[]
  > {
    const { activeTargets } = await this.#ask<{
      readonly activeTargets: readonly {
        readonly scrapeUrl: string;
        readonly health: string;
        readonly lastError: string;
      }[];
    }>('targets');
    return activeTargets;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
