/** The list of steps that every host language goes through: ../../README.md says what each one means. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import {
  ChatblockError, CheckType, Client, type Config, generateUsersig, Relation, type Result, Status, verifyUsersig,
  version,
} from 'chatblock';
import { collect, refused, throws } from './support.js';

type Named<T> = keyof T & string;
interface Expected {
  status?: Named<typeof Status>;
  service_code?: number;
  retryable?: boolean;
  message_has?: string;
  command?: string;
  from?: string;
  next_index?: number;
  json?: unknown;
  items?: [account: string, status: Named<typeof Status>, code: number, relation: Named<typeof Relation>][];
  timed?: boolean;
  starts_with?: string;
  answer?: Answer;
  answers?: Answer[];
  pairs?: [number, number][];
  unknown?: number;
  listed?: number;
  cancelled?: number;
  has?: Record<string, unknown>;
}
type Answer = 'YES' | 'NO' | 'UNKNOWN';
interface Step {
  do: string;
  config: Config;
  from: string;
  to: string[];
  type: Named<typeof CheckType>;
  start: number;
  max: number;
  command: string;
  request: string;
  owner: string;
  peer: string;
  owners: string[];
  accounts: string[];
  count: number;
  tag: number;
  sdkappid: number;
  key: string;
  identifier: string;
  expire: number;
  usersig: string;
  query: string;
  body: string;
  max_growth_mib: number;
  function: string;
  argument: string;
  index?: number;
  value: unknown;
  expect: Expected;
}

let client: Client;
const FUNCTIONS: Record<string, [method: keyof Client, names: string[]]> = {
  add: ['add', ['owner', 'targets']], delete: ['delete', ['owner', 'targets']], check: ['check', ['owner', 'targets']],
  is_blocked: ['isBlocked', ['owner', 'peer']], is_blocked_many: ['isBlockedMany', ['owners', 'peer']],
  blocked_pairs: ['blockedPairs', ['accounts']], watch: ['watch', ['owners']], unwatch: ['unwatch', ['owners']],
};
const STEPS: Record<string, (step: Step, expect: Expected) => unknown> = {
  version: (_, expect) => assert.ok(version.startsWith(expect.starts_with!)),
  open: async (step) => (client = await Client.open(step.config)),
  open_fails: async (step, expect) => answered(await outcome(Client.open(step.config)), expect),
  add: async (step, expect) => answered(await outcome(client.add(step.from, step.to)), expect),
  delete: async (step, expect) => answered(await outcome(client.delete(step.from, step.to)), expect),
  check: async (step, expect) =>
    answered(await outcome(client.check(step.from, step.to, CheckType[step.type])), expect),
  get: async (step, expect) =>
    answered(await outcome(client.get(step.from, { start: step.start, max: step.max })), expect),
  call: async (step, expect) => answered(await outcome(client.call(step.command, step.request)), expect),
  is_blocked: (step, expect) => {
    if (expect.status) return throws(() => client.isBlocked(step.owner, step.peer), Status[expect.status]);
    assert.equal(named(client.isBlocked(step.owner, step.peer)), expect.answer);
  },
  is_blocked_many: (step, expect) =>
    assert.deepEqual(client.isBlockedMany(step.owners, step.peer).map(named), expect.answers),
  blocked_pairs: (step, expect) => {
    const { pairs, unknown } = client.blockedPairs(step.accounts);
    assert.deepEqual(new Set(pairs.map(String)), new Set(expect.pairs!.map(String)));
    assert.equal(pairs.length, expect.pairs!.length);
    assert.equal(unknown, expect.unknown);
  },
  bad_value: async (step) => {
    const good: Record<string, unknown> = {
      owner: 'ann', targets: ['bob', 'cem'], owners: ['ann', 'bob'], peer: 'bob', accounts: ['ann', 'bob'],
    };
    if (step.index === undefined) good[step.argument] = step.value;
    else (good[step.argument] as unknown[])[step.index] = step.value;
    const name = step.index === undefined ? step.argument : `${step.argument}[${step.index}]`;
    const [method, names] = FUNCTIONS[step.function]!;
    const call = client[method] as (...values: unknown[]) => unknown;
    const error = await refused((async () => call.apply(client, names.map((name) => good[name])))(), Status.ERR_ARGUMENT);
    assert.ok(error.message.startsWith(`${name} is `), error.message);
    assert.doesNotMatch(error.message, /evil|object Object|koffi/i);
  },
  watch: (step) => client.watch(step.owners),
  unwatch: (step) => client.unwatch(step.owners),
  async: addAtOnce,
  flush: () => client.flush(),
  sync_fails: (_, expect) => refused(client.sync(), Status[expect.status!]),
  backup_fails: async (_, expect) => {
    const error = await refused(client.backup('no-copy.db'), Status[expect.status!]);
    assert.ok(error.message.includes(expect.message_has!), error.message);
  },
  backup: backUp,
  cancel: (step, expect) => assert.equal(client.cancel(step.tag), expect.cancelled),
  stats: (_, expect) => {
    for (const [path, value] of Object.entries(expect.has!)) {
      const found = path.split('.').reduce<any>((object, key) => object[key], client.stats());
      assert.equal(found, value, path);
    }
  },
  usersig: (step) => {
    const signer = { sdkappid: step.sdkappid, secretKey: step.key, identifier: step.identifier };
    verifyUsersig(signer, generateUsersig(signer, step.expire));
  },
  usersig_fails: async (step, expect) => {
    const signer = { sdkappid: step.sdkappid, secretKey: step.key, identifier: step.identifier };
    const error = await throws(() => verifyUsersig(signer, step.usersig), Status[expect.status!]);
    assert.equal(error.serviceCode, expect.service_code);
  },
  webhook: async (step, expect) => {
    const error = await throws(() => client.applyWebhook(step.query, step.body), Status[expect.status!]);
    assert.notEqual(error.result.json, '');
  },
  many_results: manyResults,
  submit_and_close: submitAndClose,
  after_close: afterClose,
};

/** The result of a call, also of one that failed: then what its error says. */
async function outcome(call: Promise<Result | Client>): Promise<Result> {
  try {
    return (await call) as Result;
  } catch (error) {
    assert.ok(error instanceof ChatblockError, String(error));
    const { status, serviceCode, retryable, message } = error;
    return { ...error.result, status, serviceCode, retryable, message };
  }
}

function answered(result: Result, expect: Expected): void {
  assert.equal(result.status, Status[expect.status!], result.message);
  if (expect.service_code !== undefined) assert.equal(result.serviceCode, expect.service_code);
  if (expect.retryable !== undefined) assert.equal(result.retryable, expect.retryable);
  if (expect.message_has !== undefined) assert.ok(result.message.includes(expect.message_has), result.message);
  if (expect.command !== undefined) assert.equal(result.command, expect.command);
  if (expect.from !== undefined) assert.equal(result.owner, expect.from);
  if (expect.next_index !== undefined) assert.equal(result.nextIndex, expect.next_index);
  if (expect.json !== undefined) assert.deepEqual(likened(JSON.parse(result.json), expect.json), expect.json);
  if (expect.items !== undefined) {
    const wanted = expect.items.map(([account, status, code, relation]) =>
      [account, Status[status], code, Relation[relation]]);
    assert.deepEqual(result.items.map((i) => [i.account, i.status, i.code, i.relation]), wanted);
  }
  for (const { time } of result.items) {
    if (expect.timed) assert.ok(Math.abs(Date.now() - time!.getTime()) < 60_000, String(time));
    else assert.equal(time, undefined);
  }
}

/** The value, with "<any>" where that is expected. */
function likened(value: any, expected: any): any {
  if (expected === '<any>' && value !== undefined) return expected;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((element, index) => likened(element, expected?.[index]));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, likened(member, expected?.[key])]));
}

const named = (blocked: boolean | undefined): Answer => blocked === undefined ? 'UNKNOWN' : blocked ? 'YES' : 'NO';

async function addAtOnce({ count, from }: Step, expect: Expected): Promise<void> {
  const accounts = Array.from({ length: count }, (_, index) => `t${index}`);
  const results = await Promise.all(accounts.map((account) => client.add(from, [account])));
  results.forEach((result, index) => {
    assert.equal(result.status, Status[expect.status!]);
    assert.deepEqual(result.items.map((item) => item.account), [accounts[index]]);
  });
  const listed = new Set<string>();
  for (let start = 0; ; ) {
    const page = await client.get(from, { start, max: 300 });
    for (const { account } of page.items) listed.add(account);
    if ((start = page.nextIndex) === 0) break;
  }
  assert.equal(listed.size, expect.listed);
}

async function backUp({ from, to }: Step, expect: Expected): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'chatblock-'));
  try {
    const copy = join(folder, 'copy.db');
    await using store = await Client.open({ backend: 'embedded', path: join(folder, 'lists.db') });
    await store.add(from, to);
    await store.backup(copy);
    const error = await refused(store.backup(copy), Status[expect.status!]);
    assert.ok(error.message.includes(expect.message_has!), error.message);
    await using copied = await Client.open({ backend: 'embedded', path: copy });
    assert.deepEqual((await copied.get(from)).items.map((item) => item.account), to);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function manyResults({ count, from, max_growth_mib }: Step): Promise<void> {
  const checks = async (times: number) => {
    for (let done = 0; done < times; done++) await client.check(from, ['bob']);
    collect();
    return process.memoryUsage.rss();
  };
  const before = await checks(1000);
  const grown = ((await checks(count)) - before) / 2 ** 20;
  assert.ok(grown < max_growth_mib, `grew by ${grown} MiB`);
}

async function submitAndClose({ count, from }: Step): Promise<void> {
  const calls = Array.from({ length: count }, (_, index) => client.add(from, [`t${index}`]));
  const ends = Promise.allSettled(calls);
  await client.close();
  for (const end of await ends) {
    if (end.status === 'rejected') assert.equal(end.reason.status, Status.ERR_CLOSED);
    else assert.equal(end.value.status, Status.OK);
  }
}

async function afterClose(): Promise<void> {
  const calls: (() => unknown)[] = [
    () => client.add('ann', ['bob']), () => client.delete('ann', ['bob']), () => client.check('ann', ['bob']),
    () => client.get('ann'), () => client.call('black_list_get', {}), () => client.isBlocked('ann', 'bob'),
    () => client.isBlockedMany(['ann'], 'bob'), () => client.blockedPairs(['ann', 'bob']),
    () => client.watch(['ann']), () => client.unwatch(['ann']), () => client.submitAdd('ann', ['bob'], 1),
    () => client.submit('black_list_get', {}, 1), () => client.flush(), () => client.sync(),
    () => client.backup('copy.db'),
    () => client.cancel(1), () => client.stats(), () => client.applyWebhook('', ''),
  ];
  for (const call of calls) await refused((async () => call())(), Status.ERR_CLOSED);
  await client.close();
  client[Symbol.dispose]();
}

test('the scenario holds', { timeout: 120_000 }, async () => {
  const file = new URL('../../../scenario.json', import.meta.url);
  const { steps } = JSON.parse(readFileSync(file, 'utf8')) as { steps: Step[] };
  let number = 0;
  for (const step of steps) {
    number++;
    try {
      assert.ok(STEPS[step.do], 'an unknown step');
      await STEPS[step.do]!(step, step.expect ?? {});
    } catch (error) {
      throw new Error(`step ${number}, ${JSON.stringify(step)}`, { cause: error });
    }
  }
  console.log(`scenario: ${number} steps`);
});
