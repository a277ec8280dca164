/** A kubeconfig file's text for one cluster and one bearer token. JSON is YAML too. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function kubeconfig(server: string, certificateAuthority: string, token: string): string {
  const name = 'testbed';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority': certificateAuthority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
