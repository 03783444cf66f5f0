// SPDX-License-Identifier: MIT OR Apache-2.0

/** Per-player block lists for game servers. */

import * as native from './native.js';

export { type CallOptions, Client, type PageOptions, type Pairs } from './client.js';
export type { Config } from './config.js';
export { ChatblockError } from './error.js';
export type { Item, Result } from './result.js';
export type { Stats } from './stats.js';
export { CheckType, Relation, Status } from './status.js';
export { generateUsersig, type Signer, verifyUsersig } from './usersig.js';

/** The version of the library that this package brings along, for example `0.1.0`. */
export const version: string = native.version();
/** The same as a number: major << 16 | minor << 8 | patch. */
export const versionNumber: number = native.versionNumber();
/** The name of a status in C, for example `CHATBLOCK_ERR_TIMEOUT`. */
export const statusName = (status: number): string => native.statusName(status);
