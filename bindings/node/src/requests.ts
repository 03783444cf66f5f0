/** The calls that a client makes, each with the twin that says why it is refused. */

import { list, text, uint32 } from './arguments.js';
import type { Call } from './calls.js';
import * as native from './native.js';
import type { CheckType } from './status.js';

type Write = typeof native.add;
type WriteAsync = typeof native.addAsync;

function write(submit: WriteAsync, refused: Write) {
  return (owner: string, targets: readonly string[]): Call => {
    const name = text(owner, 'owner');
    return {
      submit: (client, tag) => submit(client, name, list(targets, 'targets'), targets.length, tag),
      refused: (client) => refused(client, name, list(targets, 'targets'), targets.length),
    };
  };
}
export const add = write(native.addAsync, native.add);
export const remove = write(native.removeAsync, native.remove);

export function check(owner: string, targets: readonly string[], type: CheckType): Call {
  const name = text(owner, 'owner');
  return {
    submit: (client, tag) => native.checkAsync(client, name, list(targets, 'targets'), targets.length, type, tag),
    refused: (client) => native.check(client, name, list(targets, 'targets'), targets.length, type),
  };
}

/** The library has no typed form of this one without waiting, but takes the service's JSON. */
export function get(owner: string, start: number, max: number): Call {
  const name = text(owner, 'owner');
  const page = { StartIndex: uint32(start, 'start_index'), MaxLimited: uint32(max, 'limit') };
  const request = JSON.stringify({ From_Account: name, ...page, LastSequence: 0 });
  return {
    submit: (client, tag) => native.submit(client, 'black_list_get', request, tag),
    refused: (client) => native.get(client, name, start, max),
  };
}

export function json(command: string, request: string | object): Call {
  const name = text(command, 'command');
  const body = typeof request === 'string' ? text(request, 'request_json') : JSON.stringify(request);
  return {
    submit: (client, tag) => native.submit(client, name, body, tag),
    refused: (client) => native.call(client, name, body),
  };
}
