/** What goes in arrives unchanged, or is refused. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, type Config, generateUsersig, Status, verifyUsersig } from 'chatblock';
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

test('a value of another type is refused, and the message names the argument and the index', async (t) => {
  const client = await openFor(t);
  const evil = { toString: () => 'bob' } as unknown as string;
  const holes = ['bob', , 'cem'] as string[];
  const signer = { sdkappid: 1, secretKey: 'k', identifier: 'ann' };
  const any = <T>(value: unknown) => value as T;
  const calls: [string, () => unknown][] = [
    ['owner', () => client.add(evil, ['bob'])], ['owner', () => client.delete(any(7), ['bob'])],
    ['owner', () => client.get(any(null))], ['owner', () => client.check(any(undefined), ['bob'])],
    ['targets[0]', () => client.add('ann', [evil])], ['targets[1]', () => client.delete('ann', ['bob', any(7)])],
    ['targets[1]', () => client.check('ann', ['bob', any(null)])], ['targets[1]', () => client.add('ann', holes)],
    ['targets', () => client.add('ann', any('bob'))], ['targets', () => client.add('ann', any(new Set(['bob'])))],
    ['targets', () => client.add('ann', any({ length: 1, 0: 'bob' }))], ['targets', () => client.add('ann', any(undefined))],
    ['targets[0]', () => client.submitAdd('ann', [evil], 1)], ['owner', () => client.submitGet(evil, 0, 1, 1)],
    ['start_index', () => client.get('ann', { start: any('0') })], ['limit', () => client.get('ann', { max: any([1]) })],
    ['check_type', () => client.check('ann', ['bob'], any('BOTH'))],
    ['command', () => client.call(evil, {})], ['request_json', () => client.call('black_list_get', any(7))],
    ['request_json', () => client.call('black_list_get', any(null))], ['request_json', () => client.submit('x', any([]), 1)],
    ['owner', () => client.isBlocked(evil, 'bob')], ['peer', () => client.isBlocked('ann', any(undefined))],
    ['owners[0]', () => client.isBlockedMany([any({})], 'x')], ['owners', () => client.isBlockedMany(any(7), 'x')],
    ['peer', () => client.isBlockedMany(['ann'], any({}))], ['owners[1]', () => client.isBlockedMany(['ann', ''], 'x')],
    ['accounts[1]', () => client.blockedPairs(['ann', evil])], ['accounts', () => client.blockedPairs(any(null))],
    ['owners[0]', () => client.watch([evil])], ['owners', () => client.unwatch(any('ann'))],
    ['query', () => client.applyWebhook(evil, '')], ['body', () => client.applyWebhook('', any({}))],
    ['path', () => client.backup(any(7))], ['timeout_ms', () => client.flush(any('1'))],
    ['timeout_ms', () => client.sync(any(null))], ['config_json', () => Client.open(any(7))],
    ['config_json', () => Client.open(any([]))], ['config_json', () => Client.open(any(null))],
    ['sdkappid', () => generateUsersig({ ...signer, sdkappid: any('1') }, 1)],
    ['secret_key', () => generateUsersig({ ...signer, secretKey: evil }, 1)],
    ['identifier', () => verifyUsersig({ ...signer, identifier: any(7) }, '')],
    ['usersig', () => verifyUsersig(signer, any(undefined))],
  ];
  for (const [name, call] of calls) {
    const error = await refused((async () => call())(), Status.ERR_ARGUMENT);
    assert.ok(error.message.startsWith(`${name} is`), `${call}: ${error.message}`);
    assert.doesNotMatch(error.message, /object Object|koffi|native/i);
  }
  assert.equal(client.stats().calls.total.accepted, 0);
});
