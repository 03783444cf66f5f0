/** Signatures with which players log in. Clients sign their own calls by themselves. */

import { text, uint32 } from './arguments.js';
import * as native from './native.js';
import { done, take } from './result.js';

/** Whose signature, for which app, with which key. */
export interface Signer {
  /** The app, from the console; not 0. */
  sdkappid: number;
  /** The app's secret key. Never kept, never in a message. */
  secretKey: string;
  /** The user, 1 to 32 bytes without control characters. */
  identifier: string;
}

/**
 * Makes the signature with which a user logs in: a secret, do not log it.
 *
 * @param expireS Its life in seconds, at most 50 years.
 * @throws {ChatblockError} ERR_ARGUMENT.
 */
export function generateUsersig({ sdkappid, secretKey, identifier }: Signer, expireS: number): string {
  const result = native.usersigGenerate(
    uint32(sdkappid, 'sdkappid'), text(secretKey, 'secret_key'), text(identifier, 'identifier'),
    uint32(expireS, 'expire_seconds'));
  const signature = native.resultUsersig(result);
  done(take(result));
  return signature;
}

/**
 * Returns when the signature was made with this key, for this app and user, and is still valid.
 *
 * @throws {ChatblockError} ERR_SIGNATURE with `serviceCode` 70003 (not a signature), 70014 (other app), 70013
 *   (other user), 70001 (expired) or 70009 (other key), and a message in plain words; ERR_ARGUMENT.
 */
export function verifyUsersig({ sdkappid, secretKey, identifier }: Signer, usersig: string): void {
  done(take(native.usersigVerify(
    uint32(sdkappid, 'sdkappid'), text(secretKey, 'secret_key'), text(identifier, 'identifier'),
    text(usersig, 'usersig'))));
}
