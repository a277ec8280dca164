/** Reasons of findings about the installation of the webhook, which no folder of manifests has. */
export const installationReasons = [
  'CertificateExpired',
  'CertificateExpiring',
  'CertificateNotTrusted',
  'CriticalNamespaceManaged',
  'MutatingWebhookAfterOurs',
  'WebhookConfigurationDiffers',
  'WebhookEntryMissing',
  'WebhookRightMissing',
] as const;
