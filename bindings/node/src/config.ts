/** How a client is configured: the keys, units and defaults of docs/configuration.md of the library. */

/** Every key is optional; `{}` is the engine inside this process, in memory. Times carry their unit in the name. */
export interface Config {
  /** Who answers; `remote` when `sdkappid` and a key are given. */
  backend?: 'embedded' | 'remote';
  sdkappid?: number;
  identifier?: string;
  /** Exactly one of the three for `remote`. A text in memory cannot be wiped: prefer one of the other two. */
  secret_key?: string;
  secret_key_file?: string;
  secret_key_env?: string;
  usersig_expire_s?: number;
  region?: 'china' | 'singapore' | 'seoul' | 'tokyo' | 'frankfurt' | 'silicon_valley' | 'jakarta';
  base_url?: string;
  tls?: { ca_file?: string };
  proxy?: string;
  connect_ms?: number;
  attempt_ms?: number;
  call_ms?: number;
  connections?: number;
  rate_per_second?: number;
  retry?: { attempts?: number; base_ms?: number; max_ms?: number };
  queue?: { max_calls?: number; max_calls_per_owner?: number; max_bytes?: number };
  cache?: { max_bytes?: number; refresh_s?: number; max_age_s?: number };
  outbox?: { path?: string; commit_ms?: number; max_bytes?: number };
  webhook?: { token?: string; max_age_s?: number; unsigned?: boolean; url?: string };
  path?: string;
  accounts?: 'any' | 'imported';
  account_charset?: 'strict' | 'printable' | 'utf8';
  log?: { to?: string; level?: 'error' | 'warn' | 'info' | 'debug'; max_bytes?: number; files?: number };
}
