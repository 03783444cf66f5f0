/** Closing with work under way, dropping, and the end of the process. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Client, Status } from 'chatblock';
import {
  collect, ended, eventually, folderFor, hangingService, isFree, openFor, program, refused,
} from './support.js';

const options = { timeout: 120_000 };
const WORKER = new URL('worker.js', import.meta.url);

test('closing ends every call that waits', options, async (t) => {
  const { config, requested } = await hangingService(t);
  const client = await Client.open(config);
  const calls = Array.from({ length: 1000 }, (_, index) => client.add(`owner${index}`, ['bob']));
  client.submitAdd('ann', ['bob'], 'tagged');
  await requested();
  const ends = calls.map((call) => refused(call, Status.ERR_CLOSED));
  assert.equal(await client.close(0), false);
  await Promise.all(ends);
  const completed = [];
  for await (const { tag, status } of client.completions()) completed.push([tag, status]);
  assert.deepEqual(completed, [['tagged', Status.ERR_CLOSED]]);
});

test('closing after everything is done drops nothing', options, async () => {
  const client = await Client.open({});
  await client.add('ann', ['bob']);
  assert.equal(await client.close(), true);
});

test('closing answers what is done already', options, async () => {
  const client = await Client.open({});
  const calls = Array.from({ length: 5000 }, (_, index) => client.add('ann', [`peer${index % 500}`]));
  while (client.stats().calls.add.pending > 0); // The event loop has no chance to take an answer.
  await client.close(0);
  for (const call of calls) assert.equal((await call).status, Status.OK);
});

test('closing from many places at once closes once', options, async () => {
  const client = await Client.open({});
  assert.deepEqual(await Promise.all([client.close(), client.close(0), client.close()]), [true, true, true]);
});

test('closing ends a flush that waits', options, async (t) => {
  const { config } = await hangingService(t);
  const client = await Client.open(config);
  const call = refused(client.add('ann', ['bob']), Status.ERR_CLOSED);
  const flush = refused(client.flush(), Status.ERR_CLOSED);
  const start = performance.now();
  await client.close(0);
  await Promise.all([call, flush]);
  assert.ok(performance.now() - start < 5000);
});

test('flush gives up when its time is over', options, async (t) => {
  const { config } = await hangingService(t);
  const client = await openFor(t, config);
  const call = refused(client.add('ann', ['bob']), Status.ERR_CLOSED);
  await refused(client.flush(0), Status.ERR_TIMEOUT);
  await refused(client.flush(1500), Status.ERR_TIMEOUT);
  await client.close(0);
  await call;
});

test('sync waits until the outbox is on disk', options, async (t) => {
  const { config } = await hangingService(t);
  const client = await openFor(t, { ...config, outbox: { path: `${folderFor(t)}/outbox.db`, commit_ms: 200 } });
  client.submitAdd('ann', ['bob'], 1);
  assert.equal(client.stats().outbox?.unrecorded, 1);
  await client.sync();
  assert.equal(client.stats().outbox?.unrecorded, 0);
});

test('`using` and `await using` close at the end of the block', options, async () => {
  const kept: Client[] = [];
  {
    await using client = await Client.open({});
    kept.push(client);
  }
  {
    using client = await Client.open({});
    kept.push(client);
  }
  for (const client of kept) await refused(client.add('ann', ['bob']), Status.ERR_CLOSED);
});

test('a dropped client is closed by the garbage collector', options, async (t) => {
  const path = `${folderFor(t)}/store.db`;
  await (await Client.open({ path })).add('ann', ['bob']);
  assert.equal(await isFree(path), false);
  await eventually(() => isFree(path));
});

test('a dropped client is not closed while a call has no answer', options, async (t) => {
  const { config } = await hangingService(t);
  const call = (await Client.open({ ...config, attempt_ms: 500, call_ms: 500 })).add('ann', ['bob']);
  const error = refused(call, Status.ERR_TIMEOUT);
  for (let round = 0; round < 10; round++) await nextTurn().then(collect);
  await error;
});

test('a dropped client is closed after its last answer', options, async (t) => {
  const path = `${folderFor(t)}/store.db`;
  const client = new WeakRef(await Client.open({ path }));
  const calls = Array.from({ length: 100 }, (_, index) => client.deref()!.add('ann', [`peer${index}`]));
  await Promise.all(calls);
  await eventually(() => isFree(path));
});

test('results are given back as soon as they are read', options, async (t) => {
  const client = await openFor(t);
  await client.add('ann', Array.from({ length: 1000 }, (_, index) => `account-number-${index}`));
  const listings = async (times: number) => {
    for (let done = 0; done < times; done++) await client.get('ann', { max: 1000 });
    collect();
    return process.memoryUsage.rss();
  };
  const before = await listings(50);
  const grown = ((await listings(500)) - before) / 2 ** 20;
  assert.ok(grown < 16, `grew by ${grown} MiB`);
});

test('a program ends although clients are open, used and unused', options, async () => {
  assert.equal(await ended(program('program', 'idle')), 0);
});

test('a program does not end while a call has no answer', options, async () => {
  assert.equal(await ended(program('program', 'waiting')), 7);
});

test('a program may end in the middle of everything', options, async () => {
  assert.equal(await ended(program('program', 'exit')), 5);
});

test('64 workers at once have a client each', options, async () => {
  const ends = await Promise.all(Array.from({ length: 64 }, () => ended(new Worker(WORKER))));
  assert.deepEqual(ends, Array(64).fill(0));
});

test('a worker that ends leaves no open client behind', options, async (t) => {
  const path = `${folderFor(t)}/store.db`;
  assert.equal(await ended(new Worker(WORKER, { workerData: { config: { path } } })), 0);
  assert.equal(await isFree(path), true);
});

test('workers that are terminated in the middle of everything do no harm', options, async () => {
  for (let round = 0; round < 10; round++) {
    const worker = new Worker(WORKER, { workerData: { busy: true } });
    await once(worker, 'message');
    await worker.terminate();
  }
});

test('100 clients wait at once, and each gets its answers', options, async (t) => {
  const { config } = await hangingService(t);
  const short = { ...config, attempt_ms: 500, call_ms: 500 };
  const clients = await Promise.all(Array.from({ length: 100 }, () => openFor(t, short)));
  const ends = clients.map((client, index) => refused(client.add(`owner${index}`, ['bob']), Status.ERR_TIMEOUT));
  const errors = await Promise.all(ends);
  assert.deepEqual(errors.map((error) => error.result.owner), clients.map((_, index) => `owner${index}`));
});
