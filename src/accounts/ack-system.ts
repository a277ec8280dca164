/** A namespace with ACK controllers, whose maps they read. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/cache/cache.go */
export interface AckSystem {
  readonly namespace: string;
  /** Aliases of the services whose controllers run there; undefined: all that no other one names. */
  readonly services: ReadonlySet<string> | undefined;
}

type AckSystems = readonly [AckSystem, ...AckSystem[]];

/**
 * The ACK system namespaces whose controllers serve a service: those that name it, else those that name none. Several,
 * where several releases of a controller share the cluster.
 */
export function ackSystemsOf(systems: AckSystems, alias: string): AckSystems {
  const naming = systems.filter(({ services }) => services?.has(alias));
  const serving = naming.length > 0 ? naming : systems.filter(({ services }) => services === undefined);
  const [first = systems[0], ...others] = serving;
  return [first, ...others];
}

/** The one of them whose maps decide: the first. */
export function ackSystemOf(systems: AckSystems, alias: string): AckSystem {
  return ackSystemsOf(systems, alias)[0];
}
