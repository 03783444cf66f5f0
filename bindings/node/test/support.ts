/** What several tests need: services to talk to, and looking at the process from outside. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import { ChatblockError, Client, type Config, Status } from 'chatblock';

export const APP = { sdkappid: 1400000001, secret_key: 'synthetic-key-for-tests-0001' } as const;

/** A client that is closed when the test is over. */
export async function openFor(t: TestContext, config: Config = {}): Promise<Client> {
  const client = await Client.open(config);
  t.after(() => client.close(0));
  return client;
}

/** A folder that is gone when the test is over. */
export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatblock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A service that takes requests and never answers; `requested` resolves when the first one came. */
export async function hangingService(t: TestContext): Promise<{ config: Config; requested(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let arrived: () => void;
  const first = new Promise<void>((resolve) => (arrived = resolve));
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined); // The client hangs up when it has waited long enough.
    socket.on('data', () => arrived());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { config: { ...APP, base_url }, requested: () => first };
}

/** The configuration for `chatblock serve`, which runs until the test is over. */
export async function service(t: TestContext): Promise<Config> {
  const prefix = process.env['CHATBLOCK_PREFIX'];
  assert.ok(prefix, 'CHATBLOCK_PREFIX is not set');
  const file = join(folderFor(t), 'serve.json');
  writeFileSync(file, JSON.stringify({ backend: 'embedded', ...APP }));
  const server = spawn(join(prefix, 'bin/chatblock'), ['serve', '--config', file, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => {
    server.kill();
    return ended(server);
  });
  for await (const line of createInterface(server.stdout)) {
    const base_url = /^listening on (\S+)$/.exec(line)?.[1];
    if (base_url) return { ...APP, base_url };
  }
  throw new Error('chatblock serve ended without listening');
}

/** Runs a program beside the tests in a process of its own, for half a minute at most. */
export function program(name: string, ...args: string[]): ChildProcess {
  const file = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  return spawn(process.execPath, [file, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 30_000,
  });
}

/** How a process or worker ended: its exit code or signal. */
export async function ended(running: ChildProcess | Worker): Promise<number | string> {
  const [code, signal] = await once(running, 'exit');
  return code ?? signal;
}

/** The error of a call that has to fail with `status`. */
export async function refused(call: Promise<unknown>, status: Status): Promise<ChatblockError> {
  const error = await call.then(() => assert.fail('the call succeeded'), (reason: unknown) => reason);
  assert.ok(error instanceof ChatblockError, String(error));
  assert.equal(error.status, status, error.message);
  return error;
}

/** The same for a function that throws. */
export function throws(call: () => unknown, status: Status): Promise<ChatblockError> {
  return refused(new Promise((resolve) => resolve(call())), status);
}

setFlagsFromString('--expose-gc');
/** Collects garbage now. */
export const collect = runInNewContext('gc') as () => void;

/** Asks again and again, and collects garbage, until `holds` says true; the test's own limit of time ends it. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
  }
}

/** Whether a store is free: only one client at a time has it open. */
export async function isFree(path: string): Promise<boolean> {
  try {
    await (await Client.open({ path })).close();
    return true;
  } catch (error) {
    assert.equal((error as ChatblockError).status, Status.ERR_STORAGE);
    return false;
  }
}
