/** What the programs of one control plane are told. */
export interface PlaneSettings {
  /** Where kube-apiserver listens: 127.0.0.1, or a node's address. All else listens on 127.0.0.1 only. */
  readonly apiServerAddress: string;
  /** Whether a node's kubelet is to be authorized as such. */
  readonly node: boolean;
  readonly etcdDataFolder: string;
  readonly etcdClientUrl: string;
  readonly etcdPeerUrl: string;
  readonly apiServerPort: number;
  readonly certificateFolder: string;
  readonly serviceAccountPrivateKey: string;
  readonly serviceAccountPublicKey: string;
  readonly tokenFile: string;
  readonly caFile: string;
  readonly adminKubeconfig: string;
  readonly controllerManagerPort: number;
  readonly controllerManager: boolean;
  readonly apiServerFlags: readonly string[];
}

/** https://etcd.io/docs/v3.6/op-guide/configuration/ */
export function etcdFlags(settings: PlaneSettings): string[] {
  return [
    `--data-dir=${settings.etcdDataFolder}`,
    `--listen-client-urls=${settings.etcdClientUrl}`,
    `--advertise-client-urls=${settings.etcdClientUrl}`,
    `--listen-peer-urls=${settings.etcdPeerUrl}`,
    `--initial-advertise-peer-urls=${settings.etcdPeerUrl}`,
    `--initial-cluster=default=${settings.etcdPeerUrl}`,
    '--log-level=error',
    // The data is thrown away; a test needs it fast, not safe.
    '--unsafe-no-fsync',
  ];
}

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ */
export function apiServerFlags(settings: PlaneSettings): string[] {
  return [
    `--etcd-servers=${settings.etcdClientUrl}`,
    `--secure-port=${settings.apiServerPort}`,
    `--bind-address=${settings.apiServerAddress}`,
    `--advertise-address=${settings.apiServerAddress}`,
    `--cert-dir=${settings.certificateFolder}`,
    `--service-account-key-file=${settings.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${settings.serviceAccountPrivateKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--token-auth-file=${settings.tokenFile}`,
    // https://kubernetes.io/docs/reference/access-authn-authz/node/
    `--authorization-mode=${settings.node ? 'Node,RBAC' : 'RBAC'}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--allow-privileged=true',
    // A node has no name that anything could look up.
    '--kubelet-preferred-address-types=InternalIP',
    // Without it open watches hold a stopping server back for a minute.
    '--shutdown-watch-termination-grace-period=1s',
    // Only a controller-manager makes the ServiceAccounts that this plugin asks for.
    ...(settings.controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...settings.apiServerFlags,
  ];
}

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ */
export function controllerManagerFlags(settings: PlaneSettings): string[] {
  return [
    `--kubeconfig=${settings.adminKubeconfig}`,
    `--authentication-kubeconfig=${settings.adminKubeconfig}`,
    `--authorization-kubeconfig=${settings.adminKubeconfig}`,
    `--service-account-private-key-file=${settings.serviceAccountPrivateKey}`,
    `--root-ca-file=${settings.caFile}`,
    `--cert-dir=${settings.certificateFolder}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${settings.controllerManagerPort}`,
    // The defaults (20 and 30) are for clusters that other clients use too; tests wait for these controllers.
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
}
