/** The functions of the shared library that this package brings along. Nothing else calls koffi's `load`. */

import { fileURLToPath } from 'node:url';
import koffi, { type KoffiFunc } from 'koffi';

const library = koffi.load(fileURLToPath(new URL('../native/libchatblock.so', import.meta.url)));

/** A client or a result of the library. */
export type Pointer = bigint;
type MaybePointer = Pointer | null;
type Bytes = ArrayBufferView | null;

const pointer = koffi.pointer(koffi.opaque());
const given = koffi.out(koffi.pointer(pointer));

function fn<F extends (...args: never[]) => unknown>(name: string, result: Type, args: Type[]): KoffiFunc<F> {
  return library.func(`chatblock_${name}`, result, args) as KoffiFunc<F>;
}
type Type = Parameters<typeof koffi.sizeof>[0];

export const version = fn<() => string>('version', 'str', []);
export const versionNumber = fn<() => number>('version_number', 'uint32', []);
export const statusName = fn<(status: number) => string>('status_name', 'str', ['int32']);

export const open = fn<(config: string, error: [MaybePointer]) => MaybePointer>(
  'client_open', pointer, ['str', given]);
export const close = fn<(client: Pointer, timeoutMs: number) => number>(
  'client_close', 'int32', [pointer, 'int32']);

type Accounts = [client: Pointer, owner: string, targets: Bytes, count: number];
const accounts = [pointer, 'str', 'void *', 'size_t'];
/** Its tag, and where the reason goes when it is not accepted. */
export type HandedOver = [tag: number, why: [MaybePointer]];
const handedOver = ['uint64', given];
export const addAsync = fn<(...call: [...Accounts, ...HandedOver]) => number>(
  'blocklist_add_async', 'int32', [...accounts, ...handedOver]);
export const removeAsync = fn<(...call: [...Accounts, ...HandedOver]) => number>(
  'blocklist_delete_async', 'int32', [...accounts, ...handedOver]);
export const checkAsync = fn<(...call: [...Accounts, type: number, ...HandedOver]) => number>(
  'blocklist_check_async', 'int32', [...accounts, 'int32', ...handedOver]);
export const getAsync = fn<
  (client: Pointer, owner: string, start: number, max: number, ...handed: HandedOver) => number
>('blocklist_get_async', 'int32', [pointer, 'str', 'uint32', 'uint32', ...handedOver]);
export const submit = fn<(client: Pointer, command: string, request: string, ...handed: HandedOver) => number>(
  'client_submit', 'int32', [pointer, 'str', 'str', ...handedOver]);

export const poll = fn<(client: Pointer, timeoutMs: number) => MaybePointer>(
  'client_poll', pointer, [pointer, 'int32']);
export const wakeup = fn<(client: Pointer) => number>('client_wakeup', 'int32', [pointer]);
export const cancel = fn<(client: Pointer, tag: number) => number>('client_cancel', 'int32', [pointer, 'uint64']);
export const sync = fn<(client: Pointer, timeoutMs: number) => number>('client_sync', 'int32', [pointer, 'int32']);
export const flush = fn<(client: Pointer, timeoutMs: number) => number>('client_flush', 'int32', [pointer, 'int32']);

export const isBlocked = fn<(client: Pointer, owner: string, peer: string) => number>(
  'client_is_blocked', 'int32', [pointer, 'str', 'str']);
export const isBlockedMany = fn<(client: Pointer, owners: Bytes, count: number, peer: string, out: Bytes) => number>(
  'client_is_blocked_many', 'int32', [pointer, 'void *', 'size_t', 'str', 'void *']);
export const blockedPairs = fn<
  (client: Pointer, accounts: Bytes, count: number, pairs: Bytes, capacity: number, unknown: Bytes) => number
>('client_blocked_pairs', 'int32', [pointer, 'void *', 'size_t', 'void *', 'size_t', 'void *']);
export const watch = fn<(client: Pointer, owners: Bytes, count: number) => number>(
  'client_watch', 'int32', [pointer, 'void *', 'size_t']);
export const unwatch = fn<(client: Pointer, owners: Bytes, count: number) => number>(
  'client_unwatch', 'int32', [pointer, 'void *', 'size_t']);

export const applyWebhook = fn<(client: Pointer, query: string, body: Bytes, length: number) => Pointer>(
  'client_apply_webhook', pointer, [pointer, 'str', 'void *', 'size_t']);
export const backup = fn<(client: Pointer, path: string) => Pointer>('client_backup', pointer, [pointer, 'str']);
export const stats = fn<(client: Pointer) => Pointer>('client_stats', pointer, [pointer]);
export const usersigGenerate = fn<(app: number, key: string, identifier: string, expireS: number) => Pointer>(
  'usersig_generate', pointer, ['uint32', 'str', 'str', 'uint32']);
export const usersigVerify = fn<(app: number, key: string, identifier: string, usersig: string) => Pointer>(
  'usersig_verify', pointer, ['uint32', 'str', 'str', 'str']);

/** The getters of a result: texts are copied into strings of the host at once. */
const ofResult = <T>(name: string, type: Type) =>
  fn<(result: Pointer) => T>(`result_${name}`, type, [pointer]);
const ofItem = <T>(name: string, type: Type) =>
  fn<(result: Pointer, index: number) => T>(`result_item_${name}`, type, [pointer, 'size_t']);
export const resultStatus = ofResult<number>('status', 'int32');
export const resultServiceCode = ofResult<number>('service_code', 'int32');
export const resultRetryable = ofResult<number>('retryable', 'int32');
export const resultMessage = ofResult<string>('message', 'str');
export const resultJson = ofResult<string>('json', 'str');
export const resultTag = ofResult<number>('tag', 'uint64');
export const resultCommand = ofResult<string>('command', 'str');
export const resultFromAccount = ofResult<string>('from_account', 'str');
export const resultNextIndex = ofResult<number>('next_index', 'uint32');
export const resultUsersig = ofResult<string>('usersig', 'str');
export const resultItemCount = ofResult<number>('item_count', 'size_t');
export const resultFree = ofResult<void>('free', 'void');
export const itemAccount = ofItem<string>('account', 'str');
export const itemStatus = ofItem<number>('status', 'int32');
export const itemCode = ofItem<number>('code', 'int32');
export const itemRelation = ofItem<number>('relation', 'int32');
export const itemTime = ofItem<number>('time', 'int64');
