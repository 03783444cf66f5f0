/** An open client of the library, used by nobody any more when it is closed. */

import { promisify } from 'node:util';
import { ensure } from './error.js';
import * as native from './native.js';
import { Status } from './status.js';

/** Longest wait for something to be done at a time: close waits for its end. */
const SLICE_MS = 1000;

/** A function of the library that waits, on a thread of Node's pool. */
type Elsewhere<A, T> = (client: native.Pointer, argument: A) => Promise<T>;
/** One that waits at most so many milliseconds. */
type Waiting<T> = Elsewhere<number, T>;

const close: Waiting<number> = promisify(native.close.async);
export const sync: Waiting<number> = promisify(native.sync.async);
export const flush: Waiting<number> = promisify(native.flush.async);
export const backup: Elsewhere<string, native.Pointer> = promisify(native.backup.async);
export const poll: Waiting<native.Pointer | null> = promisify(native.poll.async);

export class Handle {
  /** For those who know that the client is not closed yet. */
  readonly pointer: native.Pointer;
  #state: 'open' | 'refusing' | 'closed' = 'open';
  /** Calls that are on another thread now. */
  #away = 0;
  #back: (() => void) | undefined;

  constructor(pointer: native.Pointer) {
    this.pointer = pointer;
  }

  /** For a call that begins now; throws when the client is closed or closing. */
  get client(): native.Pointer {
    if (!this.isOpen) ensure(Status.ERR_CLOSED, 'call');
    return this.pointer;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Waits on another thread. */
  async elsewhere<A, T>(call: Elsewhere<A, T>, argument: A): Promise<T> {
    const { client } = this;
    this.#away++;
    try {
      return await call(client, argument);
    } finally {
      if (--this.#away === 0) this.#back?.();
    }
  }

  /** Waits in slices until something is done; throws when it ends otherwise. */
  async wait(until: Waiting<number>, name: string, timeoutMs: number): Promise<void> {
    const end = timeoutMs < 0 ? Infinity : performance.now() + timeoutMs;
    for (;;) {
      const left = Math.max(0, end - performance.now());
      const status = await this.elsewhere(until, Math.min(SLICE_MS, Math.ceil(left)));
      if (status !== Status.ERR_TIMEOUT || left === 0) return ensure(status, name);
    }
  }

  /** From now on no call begins. */
  refuse(): void {
    this.#state = 'refusing';
  }

  /** After `refuse`: resolves when no call is on another thread. */
  async allBack(): Promise<void> {
    if (this.#away > 0) await new Promise<void>((resolve) => (this.#back = resolve));
  }

  /** After `allBack`. */
  async close(timeoutMs: number): Promise<number> {
    this.#state = 'closed';
    return close(this.pointer, timeoutMs);
  }

  /** Closes without waiting, unless another thread is inside. */
  closeNow(): void {
    if (this.#away > 0) return;
    this.#state = 'closed';
    native.close(this.pointer, 0);
  }
}
