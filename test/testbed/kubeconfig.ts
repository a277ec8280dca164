export interface KubeconfigOptions {
  /** The name that the server's certificate has, where it is called by another. */
  readonly tlsServerName?: string;
}

/** A kubeconfig file's text for one cluster and one bearer token. JSON is YAML too. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function kubeconfig(
  server: string,
  certificateAuthority: string,
  token: string,
  { tlsServerName }: KubeconfigOptions = {},
): string {
  const name = 'testbed';
  const cluster = {
    server,
    'certificate-authority': certificateAuthority,
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
