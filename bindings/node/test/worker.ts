/** A worker with a client of its own, which it does not close; asked to be `busy`, it makes calls for ever. */

import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { Client, Status } from 'chatblock';

const client = await Client.open(workerData?.config ?? {});
const results = await Promise.all(Array.from({ length: 20 }, (_, peer) => client.add('ann', [`peer${peer}`])));
for (const result of results) assert.equal(result.status, Status.OK);
assert.equal(client.isBlocked('ann', 'peer7'), true);

parentPort?.postMessage('works');
while (workerData?.busy) await Promise.all([client.flush(), ...results.map(() => client.add('ann', ['bob']))]);
