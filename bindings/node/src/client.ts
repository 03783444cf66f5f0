/// <reference lib="esnext.disposable" preserve="true" />
/** What a user of this package holds. */

import { promisify } from 'node:util';
import { bytesOf, document, integer, list, text } from './arguments.js';
import { Calls } from './calls.js';
import type { Config } from './config.js';
import { badArgument, ChatblockError, ensure } from './error.js';
import { backup, flush, Handle, sync } from './handle.js';
import * as native from './native.js';
import * as requests from './requests.js';
import { done, type Result, take } from './result.js';
import type { Stats } from './stats.js';
import { CheckType, Status } from './status.js';

const open = promisify(native.open.async);
const dropped = new FinalizationRegistry<Calls>((calls) => calls.abandon());

/** For every awaited call. */
export interface CallOptions {
  /**
   * Aborting cancels a call that was not sent yet, and stops waiting for one that was. Either way it is
   * rejected at once, with a {@link ChatblockError} named `AbortError` whose `cause` is the signal's reason:
   * with ERR_CANCELLED nothing happened, with ERR_TIMEOUT a write may have happened (the message says so; a read
   * changes nothing).
   */
  signal?: AbortSignal | undefined;
}

/** Which page of a list. */
export interface PageOptions extends CallOptions {
  /** Offset of the first entry; 0 by default. */
  start?: number;
  /** Size of the page, 1 to 1000; 100 by default. */
  max?: number;
}

/** Who may not share a match. */
export interface Pairs {
  /** Positions of the owner and of the account it blocks, in order of owners. */
  readonly pairs: readonly (readonly [owner: number, blocked: number])[];
  /** How many of the accounts are not known as owners. */
  readonly unknown: number;
}

/**
 * Blocklists behind one client: open it once, use it everywhere, close it once.
 *
 * Promises of calls resolve when the call was done, at least in part (read the items then), and reject with a
 * {@link ChatblockError} when it was not. Nothing here blocks the event loop. A call without an answer keeps the
 * process alive, an open client alone does not. Every worker opens its own.
 */
export class Client implements AsyncDisposable, Disposable {
  readonly #calls: Calls;

  private constructor(calls: Calls) {
    this.#calls = calls;
    dropped.register(this, calls);
  }

  /**
   * Opens a client.
   *
   * @param config An object, or the same as JSON.
   * @throws {ChatblockError} ERR_CONFIG: the message names the key; ERR_STORAGE: the store cannot be opened.
   */
  static async open(config: Config | string = {}): Promise<Client> {
    const json = document(config, 'config_json');
    const error: [native.Pointer | null] = [null];
    const client = await open(json, error);
    if (error[0] !== null) throw new ChatblockError(take(error[0]));
    const handle = new Handle(client!);
    try {
      return new Client(new Calls(handle));
    } catch (failed) {
      handle.closeNow();
      throw failed;
    }
  }

  /**
   * Blocks accounts: `from` no longer wants to hear `to`. Blocking twice is not an error.
   *
   * @param from The owner of the list, 1 to 32 bytes.
   * @param to 1 to 100,000 accounts.
   * @throws {ChatblockError} ERR_SERVICE (30013: the list is full), ERR_NETWORK and ERR_TIMEOUT (it may have
   *   happened; repeat it), ERR_CONNECT, ERR_BUSY, ERR_STORAGE, ERR_ARGUMENT, ERR_CLOSED. With an outbox a write waits
   *   for its answer without limit; one that is on disk when the client closes is sent later: do not repeat it.
   */
  async add(owner: string, targets: readonly string[], options: CallOptions = {}): Promise<Result> {
    return this.#calls.make(requests.add(owner, targets), options.signal);
  }

  /** Unblocks accounts; otherwise like {@link add}. */
  async delete(owner: string, targets: readonly string[], options: CallOptions = {}): Promise<Result> {
    return this.#calls.make(requests.remove(owner, targets), options.signal);
  }

  /** Reads a page of a list, oldest entry first; go on with `nextIndex` as `start` until it is 0. */
  async get(owner: string, options: PageOptions = {}): Promise<Result> {
    const { start = 0, max = 100, signal } = options;
    return this.#calls.make(requests.get(owner, start, max), signal);
  }

  /** Asks who blocks whom: `relation` of each item, between `from` (A) and the account (B). */
  async check(
    owner: string, targets: readonly string[], type: CheckType = CheckType.BOTH, options: CallOptions = {},
  ): Promise<Result> {
    return this.#calls.make(requests.check(owner, targets, type), options.signal);
  }

  /**
   * Makes a call with the service's own request.
   *
   * @param command For example `black_list_add`.
   * @param request The request object of that command, or the same as JSON; at most 1000 accounts.
   */
  async call(command: string, request: object | string, options: CallOptions = {}): Promise<Result> {
    return this.#calls.make(requests.json(command, request), options.signal);
  }

  /**
   * Like {@link add}, but the answer comes through {@link completions}, with this tag.
   *
   * @param tag Any value; it need not be unique.
   * @throws {ChatblockError} Nothing was accepted then: ERR_ARGUMENT, ERR_BUSY (also when as many completions
   *   as `queue.max_calls` wait to be taken), ERR_CLOSED.
   */
  submitAdd(owner: string, targets: readonly string[], tag: unknown): void {
    this.#calls.submit(requests.add(owner, targets), tag);
  }

  /** Like {@link delete}, submitted as with {@link submitAdd}. */
  submitDelete(owner: string, targets: readonly string[], tag: unknown): void {
    this.#calls.submit(requests.remove(owner, targets), tag);
  }

  /** Like {@link get}, submitted as with {@link submitAdd}. */
  submitGet(owner: string, start: number, max: number, tag: unknown): void {
    this.#calls.submit(requests.get(owner, start, max), tag);
  }

  /** Like {@link check}, submitted as with {@link submitAdd}. */
  submitCheck(owner: string, targets: readonly string[], type: CheckType, tag: unknown): void {
    this.#calls.submit(requests.check(owner, targets, type), tag);
  }

  /** Like {@link call}, submitted as with {@link submitAdd}. */
  submit(command: string, request: object | string, tag: unknown): void {
    this.#calls.submit(requests.json(command, request), tag);
  }

  /**
   * Answers to what was submitted, each once, whatever its status; ends when the client is closed.
   *
   * With an outbox, a write of an earlier client that is refused comes here too, without a tag. Waiting for a
   * completion does not keep the process alive when no call is under way.
   */
  async *completions(): AsyncGenerator<Result, void, void> {
    for (let result; (result = await this.#calls.take()); ) yield result;
  }

  /** Cancels submitted calls with this tag that were not sent yet; each still completes. Returns how many. */
  cancel(tag: unknown): number {
    return this.#calls.cancel(tag);
  }

  /**
   * Waits until everything accepted before is on disk.
   *
   * @param timeoutMs Milliseconds; 0 only looks, negative waits without limit.
   * @throws {ChatblockError} ERR_TIMEOUT: work is left and goes on; ERR_UNSUPPORTED without `path` or
   *   `outbox.path`; ERR_STORAGE.
   */
  async sync(timeoutMs = -1): Promise<void> {
    await this.#calls.handle.wait(sync, 'sync', milliseconds(timeoutMs));
  }

  /**
   * Waits until everything accepted before has its answer.
   *
   * @param timeoutMs Milliseconds; 0 only looks, negative waits without limit.
   * @throws {ChatblockError} ERR_TIMEOUT: work is left and goes on.
   */
  async flush(timeoutMs = -1): Promise<void> {
    await this.#calls.handle.wait(flush, 'flush', milliseconds(timeoutMs));
  }

  /**
   * Does `owner` block `peer`? From memory, without waiting.
   *
   * @returns undefined when nothing is known of the owner, which is never "no": {@link watch} it, or ask with
   *   {@link check}. The embedded engine knows everybody.
   * @throws {ChatblockError} ERR_ARGUMENT: empty or longer than 32 bytes.
   */
  isBlocked(owner: string, peer: string): boolean | undefined {
    const { client } = this.#calls.handle;
    return answer(native.isBlocked(client, text(owner, 'owner'), text(peer, 'peer')), 'owner or peer');
  }

  /** Which of these owners block `peer`: who may hear this player. Faster than one by one. */
  isBlockedMany(owners: readonly string[], peer: string): (boolean | undefined)[] {
    const { client } = this.#calls.handle;
    const addresses = list(owners, 'owners');
    const answers = new Int8Array(owners.length);
    const status = native.isBlockedMany(client, addresses, owners.length, text(peer, 'peer'), answers);
    ensure(status, 'is_blocked_many');
    return owners.map((_, index) => answer(answers[index]!, `owners[${index}]`));
  }

  /** Which of these accounts block which: who may not share a match. At most 10,000. */
  blockedPairs(accounts: readonly string[]): Pairs {
    const { client } = this.#calls.handle;
    const unknown = new BigUint64Array(1);
    list(accounts, 'accounts');
    for (let capacity = accounts.length; ; ) {
      const pairs = new Uint32Array(2 * capacity);
      const found = native.blockedPairs(
        client, list(accounts, 'accounts'), accounts.length, pairs, capacity, unknown);
      ensure(found, 'blocked_pairs');
      if (found <= capacity) {
        const pair = (_: unknown, index: number) => [pairs[2 * index]!, pairs[2 * index + 1]!] as const;
        return { pairs: Array.from({ length: found }, pair), unknown: Number(unknown[0]) };
      }
      capacity = found;
    }
  }

  /**
   * Knows these owners from now on, such as players who log in: their lists are read in the background, and
   * again and again.
   *
   * @param owners 1 to 100,000 accounts.
   * @throws {ChatblockError} ERR_ARGUMENT: nothing is watched then; ERR_BUSY.
   */
  watch(owners: readonly string[]): void {
    ensure(native.watch(this.#calls.handle.client, list(owners, 'owners'), owners.length), 'watch');
  }

  /** Lets go of owners, such as players who log out; one that is not watched does no harm. */
  unwatch(owners: readonly string[]): void {
    ensure(native.unwatch(this.#calls.handle.client, list(owners, 'owners'), owners.length), 'unwatch');
  }

  /**
   * Takes a webhook of the service: verifies it, and learns what it says.
   *
   * @param query The query string of the request, after the question mark.
   * @param body Its body, as it was received.
   * @returns Its `json` is what to answer with, with HTTP status 200; also `error.result.json` when it throws.
   * @throws {ChatblockError} Nothing was learned then: ERR_SIGNATURE, ERR_REQUEST, ERR_UNSUPPORTED (embedded
   *   engine), ERR_ARGUMENT, ERR_BUSY.
   */
  applyWebhook(query: string, body: string | Uint8Array): Result {
    const { client } = this.#calls.handle;
    const bytes = bytesOf(body, 'body');
    return done(take(native.applyWebhook(client, text(query, 'query'), bytes, bytes.length)));
  }

  /**
   * Copies the durable store (`path`) or the outbox (`outbox.path`) to a new file, while the client goes on.
   *
   * @param path What is there already is never replaced.
   * @throws {ChatblockError} There is no copy then: ERR_UNSUPPORTED where nothing is on disk, ERR_STORAGE,
   *   ERR_ARGUMENT, ERR_BUSY.
   */
  async backup(path: string): Promise<void> {
    done(take(await this.#calls.handle.elsewhere(backup, text(path, 'path'))));
  }

  /** What the client says about itself, taken at one moment. No secret and no account is in it. */
  stats(): Stats {
    return JSON.parse(done(take(native.stats(this.#calls.handle.client))).json) as Stats;
  }

  /**
   * Ends the client: what has no answer yet is rejected with ERR_CLOSED. Flush before, to let it finish. Calls
   * after this are rejected too; closing again does nothing.
   *
   * @param timeoutMs Milliseconds to wait for threads of the library that are still on the network; 0 does not
   *   wait, negative waits without limit.
   * @returns false when work was dropped or such a thread is left, which ends by itself.
   */
  async close(timeoutMs = 1000): Promise<boolean> {
    return this.#calls.close(milliseconds(timeoutMs));
  }

  /** Closes at the end of a block with `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Begins to close, without waiting, at the end of a block with `using`. */
  [Symbol.dispose](): void {
    void this.#calls.close(0);
  }
}

function milliseconds(value: number): number {
  return integer(value, 'timeout_ms', -0x8000_0000, 0x7fff_ffff);
}

function answer(value: number, name: string): boolean | undefined {
  if (value === 1) return true;
  if (value === 0) return false;
  if (value === Status.ERR_UNKNOWN) return undefined;
  if (value === Status.ERR_ARGUMENT) throw badArgument(name, 'is not 1 to 32 bytes long');
  return void ensure(value, 'is_blocked');
}
