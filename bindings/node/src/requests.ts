/** The calls that a client makes. */

import { document, integer, list, text, uint32 } from './arguments.js';
import type { Call } from './calls.js';
import * as native from './native.js';
import type { CheckType } from './status.js';

function write(submit: typeof native.addAsync) {
  return (owner: string, targets: readonly string[]): Call => {
    const name = text(owner, 'owner');
    return {
      isWrite: true,
      submit: (client, ...handed) => submit(client, name, list(targets, 'targets'), targets.length, ...handed),
    };
  };
}
export const add = write(native.addAsync);
export const remove = write(native.removeAsync);

export function check(owner: string, targets: readonly string[], type: CheckType): Call {
  const name = text(owner, 'owner');
  const kind = integer(type, 'check_type', -0x8000_0000, 0x7fff_ffff);
  return {
    isWrite: false,
    submit: (client, ...handed) =>
      native.checkAsync(client, name, list(targets, 'targets'), targets.length, kind, ...handed),
  };
}

export function get(owner: string, start: number, max: number): Call {
  const name = text(owner, 'owner');
  const [first, most] = [uint32(start, 'start_index'), uint32(max, 'limit')];
  return {
    isWrite: false,
    submit: (client, ...handed) => native.getAsync(client, name, first, most, ...handed),
  };
}

export function json(command: string, request: string | object): Call {
  const name = text(command, 'command');
  const body = document(request, 'request_json');
  return {
    isWrite: name === 'black_list_add' || name === 'black_list_delete',
    submit: (client, ...handed) => native.submit(client, name, body, ...handed),
  };
}
