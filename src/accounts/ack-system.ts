/** A namespace with ACK controllers, whose maps they read. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/cache/cache.go */
export interface AckSystem {
  readonly namespace: string;
  /** Aliases of the services whose controllers run there; undefined: all that no other one names. */
  readonly services: ReadonlySet<string> | undefined;
}

/** The ACK system namespace whose controllers serve a service: the one that names it, else the first that names none. */
export function ackSystemOf(systems: readonly [AckSystem, ...AckSystem[]], alias: string): AckSystem {
  const named = systems.find(({ services }) => services?.has(alias));
  return named ?? systems.find(({ services }) => services === undefined) ?? systems[0];
}
