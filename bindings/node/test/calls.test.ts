/** Awaited calls, and calls with tags. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Result, Status } from 'chatblock';
import { hangingService, openFor, refused, throws } from './support.js';

const options = { timeout: 30_000 };

test('a call that was done in part resolves, and its items say what happened', options, async (t) => {
  const client = await openFor(t);
  const result = await client.add('ann', ['bob', 'ann']);
  assert.equal(result.status, Status.PARTIAL);
  assert.deepEqual(result.items.map((item) => item.status), [Status.OK, Status.ERR_SERVICE]);
});

test('a refused call rejects with status, code, service code and result', options, async (t) => {
  const client = await openFor(t);
  const error = await refused(client.add('ann', ['ann']), Status.ERR_SERVICE);
  assert.equal(error.name, 'ChatblockError');
  assert.equal(error.code, 'CHATBLOCK_ERR_SERVICE');
  assert.equal(error.serviceCode, 30001);
  assert.equal(error.result.items[0]?.account, 'ann');
  assert.match(error.result.json, /"ErrorCode"/);
});

test('64 callers at once get their own answers', options, async (t) => {
  const client = await openFor(t);
  await Promise.all(Array.from({ length: 64 }, async (_, caller) => {
    for (let round = 0; round < 50; round++) {
      const added = await client.add(`owner${caller}`, [`peer${round}`]);
      assert.deepEqual([added.owner, added.items[0]?.account], [`owner${caller}`, `peer${round}`]);
      assert.equal(client.isBlocked(`owner${caller}`, `peer${round}`), true);
    }
  }));
  assert.equal(client.stats().calls.add.confirmed, 64 * 50);
});

test('a full queue is an error that may be tried again', options, async (t) => {
  const { config } = await hangingService(t);
  const client = await openFor(t, { ...config, queue: { max_calls: 1 } });
  client.submitAdd('ann', ['bob'], 1);
  const error = await refused(client.add('ann', ['cem']), Status.ERR_BUSY);
  assert.equal(error.retryable, true);
});

test('aborting a call that was not sent cancels it', options, async (t) => {
  const { config, requested } = await hangingService(t);
  const client = await openFor(t, config);
  client.submitAdd('ann', ['bob'], 'sent');
  await requested();
  const abort = new AbortController();
  const waiting = client.add('ann', ['cem'], { signal: abort.signal });
  abort.abort('too late');
  const error = await refused(waiting, Status.ERR_CANCELLED);
  assert.deepEqual([error.name, error.cause], ['AbortError', 'too late']);
  assert.equal(client.stats().calls.add.cancelled, 1);
});

test('aborting a call that was sent ends the wait, and says that it may have happened', options, async (t) => {
  const { config, requested } = await hangingService(t);
  const client = await openFor(t, config);
  const abort = new AbortController();
  const sent = client.add('ann', ['bob'], { signal: abort.signal });
  await requested();
  abort.abort();
  const error = await refused(sent, Status.ERR_TIMEOUT);
  assert.equal(error.name, 'AbortError');
  assert.match(error.message, /may have happened/);
  assert.equal(client.stats().calls.add.pending, 1);
});

test('a signal of the operating system is seen while calls wait', options, async (t) => {
  const { config, requested } = await hangingService(t);
  const client = await openFor(t, config);
  const abort = new AbortController();
  const waits = [client.add('ann', ['bob'], { signal: abort.signal }), client.get('cem', { signal: abort.signal })];
  const ends = waits.map((wait) => wait.catch((error: Error) => error.name));
  await requested();
  const flushed = client.flush().catch((error: { status: number }) => error.status);
  process.once('SIGUSR2', () => abort.abort());
  process.kill(process.pid, 'SIGUSR2');
  assert.deepEqual(await Promise.all(ends), ['AbortError', 'AbortError']);
  await client.close(0);
  assert.equal(await flushed, Status.ERR_CLOSED);
});

test('a read that was aborted or closed does not speak of writes', options, async (t) => {
  const { config, requested } = await hangingService(t);
  const client = await openFor(t, config);
  const abort = new AbortController();
  const sent = client.get('ann', { signal: abort.signal });
  await requested();
  const others = [client.check('ann', ['bob']), client.get('cem')];
  abort.abort();
  const aborted = await refused(sent, Status.ERR_TIMEOUT);
  assert.doesNotMatch(aborted.message, /happened/);
  const closed = others.map((other) => refused(other, Status.ERR_CLOSED));
  await client.close(0);
  for (const error of await Promise.all(closed)) assert.doesNotMatch(error.message, /happened/);
});

test('an aborted signal sends nothing', options, async (t) => {
  const client = await openFor(t);
  await refused(client.add('ann', ['bob'], { signal: AbortSignal.abort() }), Status.ERR_CANCELLED);
  assert.equal(client.stats().calls.add.accepted, 0);
});

test('a signal is let go of when the call has its answer', options, async (t) => {
  const client = await openFor(t);
  const { signal } = new AbortController();
  await client.add('ann', ['bob'], { signal });
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('submitted calls complete once each, with any value as their tag', options, async (t) => {
  const client = await openFor(t);
  const player = { id: 7 };
  const tags = [0, 1n, 'one', player, player, undefined];
  tags.forEach((tag, index) => client.submitAdd('ann', [`peer${index}`], tag));
  client.submitGet('ann', 0, 10, 'get');
  client.submitCheck('ann', ['bob'], 1, 'check');
  client.submitDelete('ann', ['bob'], 'delete');
  client.submit('black_list_get', { From_Account: 'ann', StartIndex: 0, MaxLimited: 1, LastSequence: 0 }, 'call');
  const results: Result[] = [];
  for await (const result of client.completions()) {
    if (results.push(result) === 10) break;
  }
  const [adds, others] = [true, false].map((add) =>
    results.filter((result) => (result.command === 'black_list_add') === add));
  const byAccount = new Map(adds!.map((result) => [result.items[0]?.account, result.tag]));
  tags.forEach((tag, index) => assert.equal(byAccount.get(`peer${index}`), tag));
  assert.deepEqual(others!.map((result) => result.tag).sort(), ['call', 'check', 'delete', 'get']);
});

test('a submitted call that is refused throws at once, and says why', options, async (t) => {
  const client = await openFor(t);
  const error = await throws(() => client.submitAdd('ann', ['bob', ''], 1), Status.ERR_ARGUMENT);
  assert.match(error.message, /targets\[1\]/);
  assert.match((await throws(() => client.submitGet('ann', 0, 1001, 1), Status.ERR_ARGUMENT)).message, /limit/);
  await throws(() => client.submit('black_list_add', '{}', 1), Status.ERR_REQUEST);
});

test('cancelling by tag completes what was not sent', options, async (t) => {
  const { config, requested } = await hangingService(t);
  const client = await openFor(t, config);
  client.submitAdd('ann', ['bob'], 'first');
  await requested();
  client.submitAdd('ann', ['cem'], 'second');
  client.submitAdd('ann', ['dee'], 'second');
  assert.equal(client.cancel('third'), 0);
  assert.equal(client.cancel('second'), 2);
  const completions = client.completions();
  for (let taken = 0; taken < 2; taken++) {
    const { value } = await completions.next();
    assert.deepEqual([value?.tag, value?.status], ['second', Status.ERR_CANCELLED]);
  }
});

test('completions that nobody takes are bounded by queue.max_calls', options, async (t) => {
  const client = await openFor(t, { queue: { max_calls: 2 } });
  client.submitAdd('ann', ['bob'], 1);
  client.submitAdd('ann', ['cem'], 2);
  await client.flush();
  while (client.stats().queue.completions > 0) await nextTurn();
  await throws(() => client.submitAdd('ann', ['dee'], 3), Status.ERR_BUSY);
  await client.completions().next();
  client.submitAdd('ann', ['dee'], 3);
});
