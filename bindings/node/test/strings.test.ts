/** What goes in arrives unchanged, or is refused. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, type Config, Status } from 'chatblock';
import { openFor, refused, throws } from './support.js';

const ODD = ['"quoted\\back/slash\'', '🐉🦄🐙🐳🦊🐼🐸🐵', 'Ünï côdé', ' ', '\u2028'];

test('texts go through unchanged', async (t) => {
  const client = await openFor(t, { account_charset: 'utf8' });
  for (const owner of ODD) {
    const added = await client.add(owner, ODD.filter((account) => account !== owner));
    assert.equal(added.owner, owner);
    for (const peer of ODD) assert.equal(client.isBlocked(owner, peer), owner !== peer);
    assert.deepEqual(client.isBlockedMany(ODD, owner), ODD.map((other) => client.isBlocked(other, owner)));
    const listed = await client.get(owner);
    assert.deepEqual(new Set(listed.items.map((item) => item.account)), new Set(ODD.filter((a) => a !== owner)));
  }
});

test('long lists go through whole', async (t) => {
  const client = await openFor(t);
  const accounts = Array.from({ length: 20_000 }, (_, index) => `account-number-${index}`);
  const checked = await client.check('ann', accounts);
  assert.deepEqual(checked.items.map((item) => item.account), accounts);
  assert.equal(client.isBlockedMany(accounts, 'ann').length, accounts.length);
});

for (const [what, bad] of [['a NUL', 'bo\0b'], ['half of a surrogate pair', 'bo\ud83db']] as const) {
  test(`a text with ${what} is refused, wherever it stands`, async (t) => {
    const client = await openFor(t, { account_charset: 'utf8' });
    const calls: (() => unknown)[] = [
      () => client.add(bad, ['bob']), () => client.add('ann', ['bob', bad]), () => client.delete('ann', [bad, 'bob']),
      () => client.get(bad), () => client.check('ann', [bad]), () => client.call(bad, {}),
      () => client.call('black_list_add', bad), () => client.isBlocked(bad, 'bob'), () => client.isBlocked('ann', bad),
      () => client.isBlockedMany([bad], 'bob'), () => client.isBlockedMany(['ann'], bad),
      () => client.blockedPairs(['ann', bad]), () => client.watch([bad]), () => client.applyWebhook(bad, ''),
      () => client.submitAdd('ann', [bad], 1), () => Client.open(bad),
    ];
    for (const call of calls) {
      const error = await refused((async () => call())(), Status.ERR_ARGUMENT);
      assert.match(error.message, /NUL|surrogate/, String(call));
    }
    assert.equal(client.stats().calls.total.accepted, 0);
  });
}

test('a number that does not fit is refused instead of wrapped around', async (t) => {
  const client = await openFor(t);
  for (const start of [-1, 2 ** 32, 0.5, NaN]) {
    assert.match((await refused(client.get('ann', { start }), Status.ERR_ARGUMENT)).message, /start_index/);
  }
  await refused(client.flush(NaN), Status.ERR_ARGUMENT);
});

test('an account of the wrong length is an error on the hot path', async (t) => {
  const client = await openFor(t);
  await throws(() => client.isBlocked('', 'bob'), Status.ERR_ARGUMENT);
  await throws(() => client.isBlockedMany(['ann', 'x'.repeat(33)], 'bob'), Status.ERR_ARGUMENT);
  await throws(() => client.isBlockedMany([], 'bob'), Status.ERR_ARGUMENT);
});

test('all pairs are given, also when there are more than accounts', async (t) => {
  const client = await openFor(t);
  const accounts = ['ann', 'bob', 'cem', 'dee'];
  for (const owner of accounts) await client.add(owner, accounts.filter((account) => account !== owner));
  assert.equal(client.blockedPairs(accounts).pairs.length, 12);
});

test('a bad configuration names its key and opens nothing', async () => {
  const bad: [string | object, RegExp][] = [
    ['{', /JSON|config/i], ['[]', /object|config/i], [{ colour: 'red' }, /colour/], [{ connections: 0 }, /connections/],
    [{ queue: { max_calls: 'x' } }, /max_calls/],
  ];
  for (const [config, why] of bad) {
    assert.match((await refused(Client.open(config as Config), Status.ERR_CONFIG)).message, why);
  }
});
