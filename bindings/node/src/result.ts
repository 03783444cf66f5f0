/** Answers as plain values: read at once, then the library's object is freed. */

import { ChatblockError } from './error.js';
import * as native from './native.js';
import type { Relation, Status } from './status.js';

/** What became of one account, or one entry of a list. */
export interface Item {
  readonly account: string;
  /** OK, UNCHANGED, or why not. */
  readonly status: Status;
  /** The service's raw code for this account; 0 for success and where there is none. */
  readonly code: number;
  /** Check: who blocks whom; NONE for a failed item and for other commands. */
  readonly relation: Relation;
  /** Get: when the account was blocked; undefined for other commands. */
  readonly time: Date | undefined;
}

/** What a call answered. */
export interface Result {
  /** 0 or more is done. */
  readonly status: Status;
  /** The service's own code: of the first account that failed, or of a refusal; 0 when there is none. */
  readonly serviceCode: number;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** A sentence for people; empty when everything is as wanted. */
  readonly message: string;
  /** The service's answer object as JSON, in the service's field names; empty when there was no answer. */
  readonly json: string;
  /** What was given to a `submit` function; undefined for awaited calls and for replayed writes. */
  readonly tag: unknown;
  /** For example `black_list_add`; empty when the call did not get that far. */
  readonly command: string;
  /** The owner of the list that was read or changed. */
  readonly owner: string;
  /** One per account of the request, in its order; for get one per entry, oldest first. */
  readonly items: readonly Item[];
  /** Get: `start` of the next page; 0 when the listing is complete. */
  readonly nextIndex: number;
}

/** Reads a result of the library into a value, and frees it whatever happens. */
export function take(result: native.Pointer, tag?: unknown): Result {
  try {
    return {
      status: native.resultStatus(result) as Status,
      serviceCode: native.resultServiceCode(result),
      retryable: native.resultRetryable(result) === 1,
      message: native.resultMessage(result),
      json: native.resultJson(result),
      tag,
      command: native.resultCommand(result),
      owner: native.resultFromAccount(result),
      items: Array.from({ length: native.resultItemCount(result) }, (_, index) => item(result, index)),
      nextIndex: native.resultNextIndex(result),
    };
  } finally {
    native.resultFree(result);
  }
}

/** The result when it is done, at least in part; throws it otherwise. */
export function done(result: Result): Result {
  if (result.status < 0) throw new ChatblockError(result);
  return result;
}

function item(result: native.Pointer, index: number): Item {
  const seconds = native.itemTime(result, index);
  return {
    account: native.itemAccount(result, index),
    status: native.itemStatus(result, index) as Status,
    code: native.itemCode(result, index),
    relation: native.itemRelation(result, index) as Relation,
    time: seconds === 0 ? undefined : new Date(seconds * 1000),
  };
}
