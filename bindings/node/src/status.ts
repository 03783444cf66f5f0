/** Outcomes, relations and directions: the numbers of the C header, which are never renumbered or reused. */

/** Outcome of a call or of one account in it: 0 or more is done, negative is not done. */
export const Status = {
  /** Items only: was as wanted already. */
  UNCHANGED: 2,
  /** Done for some accounts, not for others: read the items. */
  PARTIAL: 1,
  /** Done; every account is as wanted now. */
  OK: 0,
  /** Out of range, not Unicode, or with a NUL in it. */
  ERR_ARGUMENT: -1,
  /** Bad configuration; the message names the key. */
  ERR_CONFIG: -2,
  /** Bad request JSON; nothing was sent. */
  ERR_REQUEST: -3,
  /** The service refused: see the service code. */
  ERR_SERVICE: -4,
  /** No valid answer; a write may have happened. */
  ERR_NETWORK: -5,
  /** Out of time; a write may have happened. */
  ERR_TIMEOUT: -6,
  /** Too many calls are waiting; nothing was accepted. */
  ERR_BUSY: -7,
  /** Cancelled before it was sent; nothing happened. */
  ERR_CANCELLED: -8,
  /** The client is closed; a write that was under way may have happened. */
  ERR_CLOSED: -9,
  /** The store or the outbox failed. */
  ERR_STORAGE: -10,
  /** Local state has no answer: use check. */
  ERR_UNKNOWN: -11,
  /** UserSig or webhook did not verify. */
  ERR_SIGNATURE: -12,
  /** Not on this platform or backend. */
  ERR_UNSUPPORTED: -13,
  /** Client used after fork(). */
  ERR_FORKED: -14,
  /** A bug in the library; the client answers only this. */
  ERR_PANIC: -15,
  /** Name, connection or TLS failed, or no turn came in time; nothing was sent. */
  ERR_CONNECT: -16,
  /** Not answered; the write is recorded in the outbox and will be sent: do not repeat it. */
  ERR_QUEUED: -17,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** Who blocks whom between the owner A and the account B. */
export const Relation = {
  /** Not a check, or the item failed: no statement. */
  NONE: 0,
  /** No block, in the directions asked about. */
  NO: 1,
  /** A blocks B; with CheckType.BOTH also: B does not block A. */
  A_WITH_B: 2,
  /** B blocks A, A does not block B. */
  B_WITH_A: 3,
  /** Each blocks the other. */
  BOTH_WAY: 4,
} as const;
export type Relation = (typeof Relation)[keyof typeof Relation];

/** Which directions a check looks at. */
export const CheckType = {
  /** Does the owner block the account? */
  SINGLE: 1,
  /** The same, and does the account block the owner? */
  BOTH: 2,
} as const;
export type CheckType = (typeof CheckType)[keyof typeof CheckType];
