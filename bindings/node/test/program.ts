/** A program that does not close its client; the tests look at how it ends. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'chatblock';
import { APP } from './support.js';

const client = await Client.open({});
await client.add('ann', ['bob']);

switch (process.argv[2]) {
  case 'idle':
    await Client.open({});
    void client.completions().next();
    break;
  case 'waiting': {
    // Answers after a while, and keeps nothing alive itself.
    const server = createServer((request, response) => {
      request.resume();
      setTimeout(() => response.writeHead(500).end(), 500).unref();
    });
    server.on('connection', (socket) => socket.unref());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const remote = await Client.open({ ...APP, base_url, attempt_ms: 1000, call_ms: 1000 });
    await remote.add('ann', ['bob']).catch(() => process.exit(7));
    break;
  }
  case 'exit':
    for (let call = 0; call < 1000; call++) void client.add('ann', [`peer${call}`]);
    void client.flush();
    process.exit(5);
}
