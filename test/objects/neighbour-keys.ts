/** Labels and annotations that live beside ours and are none of our business, as clusters have them. */

const under = (prefix: string, ...names: readonly string[]) => names.map(name => `${prefix}/${name}`);

/** Of EKS: https://docs.aws.amazon.com/eks/latest/userguide/ (Fargate, managed node groups, Auto Mode, add-ons). */
const ofEks = [
  ...under(
    'eks.amazonaws.com',
    'component',
    'compute-type',
    'fargate-profile',
    'skip-pod-identity-webhook',
    'nodegroup',
    'nodegroup-image',
    'capacityType',
    'sourceLaunchTemplateId',
    'sourceLaunchTemplateVersion',
    'nodeclass',
    'instance-category',
    'instance-family',
    'instance-generation',
    'instance-size',
    'instance-cpu',
    'instance-cpu-manufacturer',
    'instance-memory',
    'instance-network-bandwidth',
    'instance-hypervisor',
    'instance-local-nvme',
    'instance-encryption-in-transit-supported',
    'instance-gpu-name',
    'instance-gpu-count',
  ),
  'CapacityProvisioned',
  'Logging',
  'aws-observability',
  'alpha.eksctl.io/cluster-name',
  'alpha.eksctl.io/nodegroup-name',
];

/** Of kiam, kube2iam and the VPC's controllers. */
const ofRolesAndNetwork = [
  ...under(
    'iam.amazonaws.com',
    'role',
    'permitted',
    'external-id',
    'session-name',
    'allowed-roles',
    'role-arn',
    'audience',
  ),
  ...under('vpc.amazonaws.com', 'pod-eni', 'pod-ips', 'has-trunk-attached', 'eniConfig', 'PrivateIPv4Address'),
  ...under('k8s.amazonaws.com', 'eniConfig', 'cloud-provider', 'custom-networking'),
  ...under('vpc.k8s.aws', 'managed-by', 'pod-eni'),
  ...under('networking.k8s.aws', 'policy', 'node'),
  'node.k8s.amazonaws.com/instance-id',
];

/** Of the AWS Load Balancer Controller. */
const ofLoadBalancers = [
  ...under(
    'elbv2.k8s.aws',
    'cluster',
    'pod-readiness-gate-inject',
    'service-webhook',
    'targetGroupBinding',
    'resource',
  ),
  ...under('service.k8s.aws', 'resource', 'resources', 'stack-name', 'stack-namespace', 'stack'),
  ...under('ingress.k8s.aws', 'resource', 'resources', 'stack', 'stack-name', 'cluster'),
  ...under('gateway.k8s.aws', 'resource', 'loadbalancer', 'targetgroup'),
  ...under(
    'service.beta.kubernetes.io',
    'aws-load-balancer-type',
    'aws-load-balancer-scheme',
    'aws-load-balancer-nlb-target-type',
    'aws-load-balancer-security-groups',
    'aws-load-balancer-additional-resource-tags',
  ),
  ...under(
    'alb.ingress.kubernetes.io',
    'scheme',
    'target-type',
    'group.name',
    'certificate-arn',
    'actions.ssl-redirect',
  ),
];

const ofOthers = [
  ...under(
    'karpenter.k8s.aws',
    'instance-category',
    'instance-family',
    'instance-generation',
    'ec2nodeclass',
    'ec2nodeclass-hash',
    'tagged',
  ),
  ...under('karpenter.sh', 'do-not-disrupt', 'do-not-evict', 'nodepool', 'capacity-type', 'provisioner-name'),
  ...under('ebs.csi.aws.com', 'fsType', 'volumeType', 'iops'),
  ...under('efs.csi.aws.com', 'accesspoint', 'root'),
  ...under('s3.csi.aws.com', 'podMountOptions', 'mounted-in-pod'),
  ...under('topology.ebs.csi.aws.com', 'zone', 'region'),
  ...under('topology.k8s.aws', 'zone-id', 'network-node-layer-1'),
  ...under('ecs.amazonaws.com', 'role-arn', 'audience'),
  ...under('external-dns.alpha.kubernetes.io', 'hostname', 'aws-region', 'aws-weight'),
  ...under('cloudwatch.aws.amazon.com', 'auto-annotate-java', 'inject'),
  ...under('appmesh.k8s.aws', 'sidecarInjectorWebhook', 'mesh', 'virtualNode'),
  ...under('secrets-store.csi.x-k8s.io', 'managed', 'used'),
  ...under('app.kubernetes.io', 'name', 'instance', 'managed-by', 'part-of', 'component'),
  ...under('kubernetes.io', 'metadata.name', 'config.mirror', 'config.source', 'enforce-mountable-secrets'),
  ...under('pod-security.kubernetes.io', 'enforce', 'warn', 'audit'),
  ...under('vault.hashicorp.com', 'role', 'agent-inject'),
  ...under('sidecar.istio.io', 'inject', 'rewriteAppHTTPProbers'),
  ...under('kro.run', 'kro-version', 'owned'),
  ...under('iam.gke.io', 'gcp-service-account'),
  ...under('azure.workload.identity', 'use', 'client-id'),
  ...under('argocd.argoproj.io', 'sync-wave', 'tracking-id'),
  'istio-injection',
  'inject',
  'mode',
  'role',
  'role-arn',
  'app',
  'pod-template-hash',
];

export const neighbourKeys: readonly string[] = [...ofEks, ...ofRolesAndNetwork, ...ofLoadBalancers, ...ofOthers];

/** What ACK's controllers read or write on their resources. */
export const ackResourceKeys: readonly string[] = [
  ...under(
    'services.k8s.aws',
    'region',
    'deletion-policy',
    'read-only',
    'adoption-policy',
    'adoption-fields',
    'adopted',
    // Newer runtimes adopt by tags.
    'adoption-tags',
    // Not read, and told of in words of its own.
    'owner-account-id',
  ),
  'ecr.services.k8s.aws/force-delete',
  'kms.services.k8s.aws/pending-window-in-days',
  ...under('eks.services.k8s.aws', 'desired-size-managed-by', 'force-update-version', 'force-upgrade'),
  'cloudfront.services.k8s.aws/auto-publish',
  'kafka.services.k8s.aws/scram-secrets-managed-by',
  ...under(
    'rds.services.k8s.aws',
    'skip-final-snapshot',
    'final-db-snapshot-identifier',
    'delete-automated-backups',
    'last-applied-secret-reference',
  ),
  ...under(
    'elasticache.services.k8s.aws',
    'last-requested-log-delivery-configurations',
    'last-requested-cache-node-type',
    'last-requested-num-node-groups',
    'last-requested-node-group-configuration',
    'last-requested-preferred-availability-zones',
  ),
  ...under(
    'memorydb.services.k8s.aws',
    'last-requested-num-shards',
    'last-requested-num-replicas-per-shard',
    'last-requested-node-type',
    'last-requested-access-string',
  ),
  ...under('sagemaker.services.k8s.aws', 'last-endpoint-config-for-update', 'last-spec-for-update'),
  // What a younger controller may read.
  's3.services.k8s.aws/force-delete',
  'docdb.services.k8s.aws/skip-final-snapshot',
];

/** What ACK reads on namespaces. */
export const ackNamespaceKeys: readonly string[] = [
  ...under('services.k8s.aws', 'owner-account-id', 'team-id', 'default-region', 'endpoint-url'),
  's3.services.k8s.aws/deletion-policy',
  'dynamodb.services.k8s.aws/deletion-policy',
  'tomorrow.services.k8s.aws/deletion-policy',
];
