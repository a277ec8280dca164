import { Counter, Gauge, type Registry } from 'prom-client';

/** Makes the metrics of a registry: all of one kind alike, with labels that the compiler knows. */
export function metricsIn(registry: Registry) {
  const registers = [registry];
  return {
    counter: <const L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter<L>({ name, help, labelNames, registers }),
    gauge: <const L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({ name, help, labelNames, registers }),
    /** A gauge with a value for each of a closed set of label values, asked for at each scrape. */
    measureEach: (name: string, help: string, labelName: string, valuesNow: () => Readonly<Record<string, number>>) =>
      new Gauge({
        name,
        help,
        labelNames: [labelName],
        registers,
        collect() {
          for (const [label, value] of Object.entries(valuesNow())) this.set({ [labelName]: label }, value);
        },
      }),
    /** A gauge whose value is asked for at each scrape. */
    measure: (name: string, help: string, valueNow: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(valueNow());
        },
      }),
  };
}
