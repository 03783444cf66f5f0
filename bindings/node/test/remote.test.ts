/** The remote backend against `chatblock serve`, and against a service that hangs. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { CheckType, Client, Relation, Status } from 'chatblock';
import { eventually, folderFor, hangingService, openFor, refused, service, throws } from './support.js';

const options = { timeout: 60_000 };

test('a call goes to the service and back', options, async (t) => {
  const client = await openFor(t, await service(t));
  assert.equal((await client.add('ann', ['bob'])).status, Status.OK);
  const checked = await client.check('ann', ['bob'], CheckType.SINGLE);
  assert.equal(checked.items[0]?.relation, Relation.A_WITH_B);
  assert.equal((await client.get('ann')).items[0]?.account, 'bob');
});

test('an owner is unknown until it is watched, then its blocks are seen', options, async (t) => {
  const config = await service(t);
  const other = await openFor(t, config);
  await other.add('ann', ['bob']);
  const client = await openFor(t, config);
  assert.equal(client.isBlocked('ann', 'bob'), undefined);
  assert.deepEqual(client.isBlockedMany(['ann', 'cem'], 'bob'), [undefined, undefined]);
  assert.equal(client.blockedPairs(['ann', 'bob']).unknown, 2);
  client.watch(['ann']);
  await eventually(() => client.isBlocked('ann', 'bob') !== undefined);
  assert.equal(client.isBlocked('ann', 'bob'), true);
  assert.equal(client.isBlocked('ann', 'cem'), false);
});

test('a refused write of an earlier client is handed out', options, async (t) => {
  const outbox = { path: `${folderFor(t)}/outbox.db` };
  const hanging = await hangingService(t);
  const earlier = await Client.open({ ...hanging.config, outbox });
  earlier.submitAdd('ann', ['ann'], 'lost with the process');
  await earlier.sync();
  await earlier.close(0);
  const client = await openFor(t, { ...(await service(t)), outbox });
  const { value } = await client.completions().next();
  assert.deepEqual([value?.tag, value?.status, value?.owner], [undefined, Status.ERR_SERVICE, 'ann']);
  assert.equal(value?.items[0]?.account, 'ann');
});

test('a webhook without a signature is refused, with a body to answer with', options, async (t) => {
  const client = await openFor(t, { ...(await service(t)), webhook: { token: 'synthetic-token' } });
  const query = `SdkAppid=1400000001&CallbackCommand=Sns.CallbackBlackListAdd&contenttype=json`;
  const error = await throws(() => client.applyWebhook(query, Buffer.from('{}')), Status.ERR_SIGNATURE);
  assert.match(error.result.json, /ActionStatus/);
});

test('the event loop goes on while 1,000 calls wait for a service that hangs', options, async (t) => {
  const { config } = await hangingService(t);
  const client = await openFor(t, config);
  let last = performance.now();
  let worst = 0;
  const beat = () => {
    worst = Math.max(worst, performance.now() - last);
    last = performance.now();
  };
  const heartbeat = setInterval(beat, 10);
  const ends: Promise<unknown>[] = [];
  while (ends.length < 1000) {
    ends.push(refused(client.add(`owner${ends.length}`, ['bob']), Status.ERR_CLOSED));
    if (ends.length % 100 === 0) await setTimeout(0); // As they come from players: not all in one turn.
  }
  await setTimeout(3000);
  assert.equal(client.stats().calls.add.pending, 1000);
  await client.close(0);
  await Promise.all(ends);
  clearInterval(heartbeat);
  beat();
  console.log(`heartbeat: worst gap ${Math.round(worst)} ms`);
  assert.ok(worst < 1000);
});
