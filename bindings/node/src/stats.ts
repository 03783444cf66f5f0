/** Statistics of a client: the keys and units of docs/statistics.md of the library. */

type Command = 'add' | 'delete' | 'get' | 'check';

interface Ended {
  accepted: number;
  confirmed: number;
  refused: number;
  in_doubt: number;
  not_sent: number;
  cancelled: number;
  pending: number;
}

/** Taken at one moment; counts begin when the client is opened. Later versions may add keys. */
export interface Stats {
  version: string;
  backend: 'embedded' | 'remote';
  uptime_ms: number;
  calls: Record<Command | 'total', Ended>;
  queue: {
    calls: number;
    completions: number;
    max_calls: number;
    busy: number;
    owners: number;
    deepest_owner: number;
    in_flight: number;
    max_in_flight: number;
  };
  requests: Record<Command, { sent: number; accounts: number; merged_calls: number }>;
  latency: Record<Command, { count: number; p50_us: number; p99_us: number; max_us: number }>;
  cache: {
    pairs: number;
    bytes: number;
    answered: number;
    unknown: number;
    /** Remote backend; 0 otherwise, as what follows. */
    owners: number;
    expired: number;
    watched: number;
    refreshes: number;
    refresh_ms: number;
    exceeds_max_age: boolean;
    evictions: number;
    oldest_ms: number | null;
  };
  log: { dropped: number };
  /** Remote backend. */
  retries?: Record<
    'timeout' | 'network' | 'connect' | 'throttled' | 'busy' | 'signature' | 'rest' | 'unanswered'
    | 'budget_left' | 'over_budget', number>;
  /** Remote backend. */
  rate_limit?: { full_per_second: number } & Record<Command, { per_second: number; waits: number; waited_ms: number }>;
  /** Remote backend. */
  service?: {
    breaker_ms: number;
    host: 'primary' | 'standby';
    failovers: number;
    connections: number;
    usersig_expires: number | null;
  };
  /** Where there is one. */
  outbox?: {
    writes: number;
    unrecorded: number;
    bytes: number;
    max_bytes: number;
    oldest_s: number;
    busy: number;
    failures: number;
    failed: boolean;
    refused: number;
    bad_rows: number;
    held: { code: number; http_status: number; since_s: number; probe_ms: number; message: string } | null;
  };
  /** Remote backend. */
  webhooks?: Record<
    'accepted' | 'forged' | 'stale' | 'foreign' | 'malformed' | 'others' | 'ignored_pairs', number>;
}
