/**
 * Aliases of the services that ACK has controllers for, or has begun one for: the first label of each one's API group. The
 * webhook configurations enumerate these groups, for a rule cannot say `*.services.k8s.aws`.
 * https://github.com/aws-controllers-k8s and https://github.com/aws-controllers-k8s/ack-chart
 */
export const ackServices: readonly string[] = `
  acm acmpca apigateway apigatewayv2 appconfig applicationautoscaling athena autoscaling
  backup batch bedrock bedrockagent bedrockagentcorecontrol cloudfront cloudtrail
  cloudwatch cloudwatchevents cloudwatchlogs codeartifact cognitoidentityprovider
  dms documentdb dsql dynamodb ec2 ecr ecrpublic ecs efs eks elasticache elasticsearchservice
  elbv2 emr emrcontainers emrserverless eventbridge firehose fsx globalaccelerator
  glue iam kafka keyspaces kinesis kms lakeformation lambda lambdacore lambdamicrovms
  memorydb mq mwaa mwaaserverless networkfirewall networkmanager opensearchserverless
  opensearchservice organizations pipes prometheusservice quicksight ram rds
  recyclebin route53 route53resolver s3 s3control s3files s3tables s3vectors
  sagemaker secretsmanager servicecatalog ses sfn sns sqs ssm transfer wafv2
`
  .trim()
  .split(/\s+/);
