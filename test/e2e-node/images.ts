export const busyboxImage = 'testbed/busybox:1';
export const webhookImage = 'testbed/carm-webhook:dev';
export async function nodeImages(): Promise<readonly string[]> {
  return ['/tmp/proto/pause.tar', '/tmp/proto/busybox.tar', '/tmp/proto/webhook.tar'];
}
