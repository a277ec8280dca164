/** The configuration files and flags of a node's programs. */

import { nodeAddress, nodeName, podSubnet } from './node-settings.ts';

/** The name of the image that holds a pod's network namespace open. */
export const pauseImage = 'testbed/pause:1';

export const containerdSocket = '/run/containerd/containerd.sock';

export interface NodeFolders {
  /** Of each program's files. */
  readonly data: string;
  readonly cniPlugins: string;
  readonly cniConfig: string;
  readonly kubeconfig: string;
  readonly podLogs: string;
}

/** https://github.com/containerd/containerd/blob/v2.1.4/docs/cri/config.md */
export function containerdConfig({ data, cniPlugins, cniConfig }: NodeFolders): string {
  return `version = 3
root = '${data}/containerd'
state = '/run/containerd/state'

[grpc]
address = '${containerdSocket}'

[plugins.'io.containerd.cri.v1.images']
snapshotter = 'overlayfs'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${pauseImage}'

[plugins.'io.containerd.cri.v1.runtime']
# Without the right to lower it (CAP_SYS_RESOURCE) containers would not start.
restrict_oom_score_adj = true
disable_apparmor = true
# Else they would be mounted where the machine has its own.
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['${cniPlugins}']
conf_dir = '${cniConfig}'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}

/** https://www.cni.dev/plugins/current/main/bridge/ */
export function cniConfig(): string {
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods0',
        isGateway: true,
        // A pod reaches its own Service.
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni',
          ranges: [[{ subnet: podSubnet }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  });
}

/** https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
export function kubeletConfig({ data, podLogs }: NodeFolders, controlGroup: string): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // Inside the network namespace, for tests only.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    address: nodeAddress,
    healthzBindAddress: '127.0.0.1',
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    podLogsDir: podLogs,
    volumePluginDir: `${data}/kubelet-plugins`,
    failSwapOn: false,
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    // All under one that is removed with the node.
    cgroupRoot: `/${controlGroup}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    oomScoreAdj: 0,
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    // No name server can be reached, and that of the machine is a link that leads nowhere here on some.
    resolvConf: '',
    // A change in a ConfigMap or Secret shows soon.
    syncFrequency: '10s',
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    serializeImagePulls: false,
    maxPods: 200,
  });
}

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/ */
export function kubeletFlags({ data, kubeconfig }: NodeFolders, configFile: string): string[] {
  return [
    `--config=${configFile}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${data}/kubelet`,
    `--cert-dir=${data}/kubelet-certificates`,
    `--node-ip=${nodeAddress}`,
    `--hostname-override=${nodeName}`,
  ];
}

/** https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/ */
export function kubeProxyConfig(kubeconfig: string): string {
  return JSON.stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig },
    clusterCIDR: podSubnet,
    hostnameOverride: nodeName,
    bindAddress: '127.0.0.1',
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    // The size of the machine's table is not this namespace's to change.
    conntrack: { maxPerCore: 0, min: 0 },
  });
}

/** https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/ */
export function kubeSchedulerFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ];
}
