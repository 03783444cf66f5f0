/**
 * Calls that have no answer yet, and the pump that brings the answers.
 *
 * Only while an answer is due, a poll is under way on another thread, and keeps the process alive. When it brings
 * something, everything else that is there is taken too, for a few milliseconds per turn of the event loop.
 */

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { bare, ChatblockError, ensure, failure } from './error.js';
import { Handle, poll } from './handle.js';
import * as native from './native.js';
import { Queue } from './queue.js';
import { done, type Result, take } from './result.js';
import { Status } from './status.js';

/** Longest time for which answers are taken before the event loop goes on. */
const TURN_MS = 5;
/** Longest poll: a worker that is terminated waits for its end. */
const POLL_MS = 100;
/** Most polls at once: they wait on threads of Node's pool, which has four, also for files and host names. */
const MAX_POLLS = 2;
/** How often a client looks for answers while others have all the polls. */
const LOOK_MS = 10;

/** One call to make. */
export interface Call {
  /** Whether it changes a list: it may have happened when it has no answer. */
  readonly isWrite: boolean;
  /** Hands it over; a negative status when it is refused, and the reason at `why`. */
  submit(client: native.Pointer, ...handed: native.HandedOver): number;
}

/** Accepted calls with the same tag of the library. */
interface Due {
  count: number;
  /** How many of them change a list. */
  writes: number;
  readonly tag: unknown;
  deliver(result: Result): void;
}

export class Calls {
  static readonly #open = new Set<Calls>();
  static #polls = 0;

  readonly handle: Handle;
  /** Answers to submitted calls, and writes of an earlier client that were refused. */
  readonly #completions = new Queue();
  readonly #maxUntaken: number;
  /** Submitted calls whose answers are not among the completions yet. */
  #submitted = 0;
  /** There while answers are due. */
  #pump: Promise<void> | undefined;
  /** There while somebody waits for a completion. */
  #look: NodeJS.Timeout | undefined;
  readonly #due = new Map<number, Due>();
  /** The library's tag for each tag of the user. */
  readonly #tags = new Map<unknown, number>();
  #lastTag = 0;
  #closing: Promise<boolean> | undefined;
  #abandoned = false;

  constructor(handle: Handle) {
    this.handle = handle;
    const stats = JSON.parse(done(take(native.stats(handle.client))).json) as { queue: { max_calls: number } };
    this.#maxUntaken = stats.queue.max_calls;
    if (Calls.#open.size === 0) process.on('exit', Calls.#exit);
    Calls.#open.add(this);
  }

  /** Makes a call; resolves with its answer. */
  async make(call: Call, signal: AbortSignal | undefined): Promise<Result> {
    const { client } = this.handle;
    if (signal?.aborted) throw aborted(Status.ERR_CANCELLED, call, signal);
    const tag = ++this.#lastTag;
    accept(call, client, tag);
    return new Promise((resolve, reject) => {
      const abort = () => {
        const unsent = native.cancel(client, tag) > 0;
        this.#ended(tag);
        reject(aborted(unsent ? Status.ERR_CANCELLED : Status.ERR_TIMEOUT, call, signal));
      };
      signal?.addEventListener('abort', abort, { once: true });
      const deliver = (result: Result) => {
        signal?.removeEventListener('abort', abort);
        if (result.status < 0) reject(new ChatblockError(result));
        else resolve(result);
      };
      this.#expect(tag, { count: 1, writes: Number(call.isWrite), tag: undefined, deliver });
    });
  }

  /** Makes a call whose answer comes through `completions`. */
  submit(call: Call, tag: unknown): void {
    const { client } = this.handle;
    if (this.#submitted + this.#completions.size >= this.#maxUntaken) ensure(Status.ERR_BUSY, 'submit');
    const known = this.#tags.get(tag);
    const own = known ?? ++this.#lastTag;
    accept(call, client, own);
    this.#submitted++;
    const due = this.#due.get(own);
    if (due) {
      due.count++;
      due.writes += Number(call.isWrite);
    } else {
      this.#tags.set(tag, own);
      const deliver = (result: Result) => {
        this.#submitted--;
        this.#completions.push(result);
      };
      this.#expect(own, { count: 1, writes: Number(call.isWrite), tag, deliver });
    }
  }

  /** The oldest completion, as soon as there is one; undefined when none will come any more. */
  take(): Promise<Result | undefined> {
    const result = this.#completions.take();
    this.#lookForReplayed();
    return result;
  }

  /** Cancels submitted calls that were not sent; how many. */
  cancel(tag: unknown): number {
    const { client } = this.handle;
    const own = this.#tags.get(tag);
    if (own === undefined) return 0;
    const cancelled = native.cancel(client, own);
    ensure(cancelled, 'cancel');
    return cancelled;
  }

  /** Ends everything; true when nothing was dropped. */
  close(timeoutMs: number): Promise<boolean> {
    return (this.#closing ??= this.#close(timeoutMs));
  }

  /** Closes when the last answer that somebody may still wait for is there. */
  abandon(): void {
    this.#abandoned = true;
    if (this.#due.size === 0) void this.close(0);
  }

  async #close(timeoutMs: number): Promise<boolean> {
    this.handle.refuse();
    if (this.#pump) native.wakeup(this.handle.pointer);
    await this.#pump;
    await this.handle.allBack();
    while (this.#takeSome()) await nextTurn();
    this.#end();
    return (await this.handle.close(timeoutMs)) >= 0;
  }

  /** The last thing before the library's client is closed: nothing of it is used any more. */
  #end(): void {
    clearTimeout(this.#look);
    for (const { count, writes, tag, deliver } of this.#due.values()) {
      const message = unanswered('the client was closed while the call was under way', writes > 0);
      for (let left = count; left > 0; left--) deliver(bare(Status.ERR_CLOSED, message, tag));
    }
    this.#due.clear();
    this.#completions.end();
    Calls.#open.delete(this);
    if (Calls.#open.size === 0) process.off('exit', Calls.#exit);
  }

  /** The process or the worker ends: no thread of the library is left behind. */
  static readonly #exit = (): void => {
    for (const calls of Calls.#open) {
      calls.#end();
      calls.handle.closeNow();
    }
  };

  #expect(tag: number, due: Due): void {
    this.#due.set(tag, due);
    this.#pump ??= this.#bring();
  }

  #ended(tag: number): void {
    this.#due.delete(tag);
    if (this.#abandoned && this.#due.size === 0) void this.close(0);
  }

  /** Brings answers until none is due. */
  async #bring(): Promise<void> {
    while (this.#due.size > 0 && this.handle.isOpen) {
      await (Calls.#polls < MAX_POLLS ? this.#poll() : pause(LOOK_MS));
      this.#takeSome();
    }
    this.#pump = undefined;
  }

  async #poll(): Promise<void> {
    Calls.#polls++;
    try {
      const result = await this.handle.elsewhere(poll, POLL_MS);
      if (result !== null) this.#deliver(result);
    } finally {
      Calls.#polls--;
    }
  }

  /** Takes answers for a turn of the event loop; false when none is left. */
  #takeSome(): boolean {
    const end = performance.now() + TURN_MS;
    while (performance.now() < end) {
      const result = native.poll(this.handle.pointer, 0);
      if (result === null) return false;
      this.#deliver(result);
    }
    return true;
  }

  /** A write of an earlier client may be refused while no call is under way: then somebody has to look. */
  #lookForReplayed(): void {
    clearTimeout(this.#look);
    if (!this.#completions.isAwaited || !this.handle.isOpen) return;
    if (!this.#pump) this.#takeSome();
    this.#look = setTimeout(() => this.#lookForReplayed(), POLL_MS).unref();
  }

  #deliver(result: native.Pointer): void {
    const own = native.resultTag(result);
    const due = this.#due.get(own);
    if (due) {
      if (--due.count === 0) {
        if (this.#tags.get(due.tag) === own) this.#tags.delete(due.tag);
        this.#ended(own);
      }
      due.deliver(take(result, due.tag));
    } else if (own === 0) {
      this.#completions.push(take(result));
    } else {
      native.resultFree(result); // Nobody waits for it since its signal was aborted.
    }
  }
}

/** Hands a call over, or throws why it is refused. */
function accept(call: Call, client: native.Pointer, tag: number): void {
  const why: [native.Pointer | null] = [null];
  const status = call.submit(client, tag, why);
  if (why[0] !== null) done(take(why[0]));
  ensure(status, 'submit');
}

/** Of a call that may have been sent and has no answer. */
function unanswered(what: string, isWrite: boolean): string {
  return isWrite ? `${what}; a write may have happened` : what;
}

function aborted(status: Status, call: Call, signal: AbortSignal | undefined): ChatblockError {
  const message = status === Status.ERR_CANCELLED
    ? 'aborted before it was sent; nothing happened'
    : unanswered('aborted while it was under way', call.isWrite);
  const error = failure(status, message, { cause: signal?.reason });
  error.name = 'AbortError';
  return error;
}
