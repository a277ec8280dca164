import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readFlags, valueFlag } from '../../../src/cli/flags/flag.ts';
import { parsePort } from '../../../src/cli/flags/flag-values.ts';
import { shipped } from '../../deploy/shipped.ts';

/** What kubelet sets in each pod of a namespace with our Service, unless the pod wants none of it. */
const serviceLinks = {
  CARM_WEBHOOK_SERVICE_HOST: '10.96.3.4',
  CARM_WEBHOOK_SERVICE_PORT: '443',
  CARM_WEBHOOK_SERVICE_PORT_HTTPS: '443',
  CARM_WEBHOOK_PORT: 'tcp://10.96.3.4:443',
  CARM_WEBHOOK_PORT_443_TCP: 'tcp://10.96.3.4:443',
  CARM_WEBHOOK_PORT_443_TCP_PROTO: 'tcp',
  CARM_WEBHOOK_PORT_443_TCP_PORT: '443',
  CARM_WEBHOOK_PORT_443_TCP_ADDR: '10.96.3.4',
};
const port = valueFlag('--port PORT', '', parsePort, '8443');
const portWith = (env: Readonly<Record<string, string>>) => readFlags({ port }, [], env).values.port;

describe("kubelet's variables of our Service", () => {
  test('are no flags', () => assert.equal(portWith(serviceLinks), 8443));

  test('a variable that a person set counts', () => assert.equal(portWith({ CARM_WEBHOOK_PORT: '9443' }), 9443));

  test('a pod of the Deployment does not get them', () => {
    const { spec } = shipped<{ spec: { template: { spec: { enableServiceLinks: boolean } } } }>('Deployment');
    assert.equal(spec.template.spec.enableServiceLinks, false);
  });
});
