/** What is thrown. */

import * as native from './native.js';
import type { Result } from './result.js';
import { Status } from './status.js';

/** A call that was not done. Everything the library said about it is in `result`. */
export class ChatblockError extends Error {
  /** Why, as a number of {@link Status}; always negative. */
  readonly status: Status;
  /** The same as text, for example `CHATBLOCK_ERR_TIMEOUT`. */
  readonly code: string;
  /** The service's own code, for example 30013 for a full list; 0 when there is none. */
  readonly serviceCode: number;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** The whole answer: items, JSON, command, owner. */
  readonly result: Result;

  constructor(result: Result, options?: ErrorOptions) {
    super(result.message, options);
    this.name = 'ChatblockError';
    this.status = result.status;
    this.code = native.statusName(result.status);
    this.serviceCode = result.serviceCode;
    this.retryable = result.retryable;
    this.result = result;
  }
}

const RETRYABLE: ReadonlySet<number> = new Set([
  Status.ERR_NETWORK, Status.ERR_TIMEOUT, Status.ERR_BUSY, Status.ERR_CANCELLED, Status.ERR_UNKNOWN,
  Status.ERR_CONNECT,
]);

/** A result of which only the status and a sentence are known. */
export function bare(status: number, message: string, tag?: unknown): Result {
  return {
    status: status as Status,
    serviceCode: 0,
    retryable: RETRYABLE.has(status),
    message,
    json: '',
    tag,
    command: '',
    owner: '',
    items: [],
    nextIndex: 0,
  };
}

/** The error for a function of the library that answers with a status only. */
export function failure(status: number, message: string, options?: ErrorOptions): ChatblockError {
  return new ChatblockError(bare(status, message), options);
}

/** The error for a bad argument: `what` completes the sentence. */
export function badArgument(name: string, what: string): ChatblockError {
  return failure(Status.ERR_ARGUMENT, `${name} ${what}`);
}

const SENTENCES: Readonly<Record<number, string>> = {
  [Status.ERR_ARGUMENT]: 'an argument is out of range',
  [Status.ERR_TIMEOUT]: 'out of time; work is left and goes on',
  [Status.ERR_BUSY]: 'too many calls are waiting; nothing was accepted',
  [Status.ERR_CLOSED]: 'the client is closed; nothing was accepted',
  [Status.ERR_STORAGE]: 'the store or the outbox failed',
  [Status.ERR_UNSUPPORTED]: 'not on this platform or backend',
  [Status.ERR_FORKED]: 'the client belongs to the process that opened it',
  [Status.ERR_PANIC]: 'a bug in the library; close the client and report it',
};

/** Throws unless `status`, the answer of a function without a result, is 0 or more. */
export function ensure(status: number, what: string): void {
  if (status < 0) throw failure(status, `${what}: ${SENTENCES[status] ?? native.statusName(status)}`);
}
