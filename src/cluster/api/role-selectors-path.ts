/** Where the API server has IAMRoleSelectors, once their CustomResourceDefinition is there. */
export const roleSelectorsPath = '/apis/services.k8s.aws/v1alpha1/iamroleselectors';
