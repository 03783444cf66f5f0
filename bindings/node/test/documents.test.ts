/** README and example say the same; types and statuses say what the library says. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Status, statusName } from 'chatblock';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

test('the README shows the example that is run', () => {
  assert.ok(read('README.md').includes(`\`\`\`js\n${read('example/example.mjs')}\`\`\``));
});

test('every status has the name and number of the library', () => {
  for (const [name, number] of Object.entries(Status)) assert.equal(statusName(number), `CHATBLOCK_${name}`);
  const known = Object.values(Status);
  for (const beyond of [Math.max(...known) + 1, Math.min(...known) - 1]) {
    assert.equal(statusName(beyond), 'CHATBLOCK_ERR_?', 'the library has a status that is missing here');
  }
});
