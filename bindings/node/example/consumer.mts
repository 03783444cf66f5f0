/** A program in TypeScript that uses every type of the package; it only has to compile. */

import {
  ChatblockError, CheckType, Client, type Config, generateUsersig, type Item, type Pairs, Relation, type Result,
  type Signer, type Stats, Status, statusName, verifyUsersig, version, versionNumber,
} from 'chatblock';

const config: Config = { backend: 'embedded', account_charset: 'utf8', queue: { max_calls: 100 } };
const signer: Signer = { sdkappid: 1400000001, secretKey: 'synthetic-key-for-tests-0001', identifier: 'ann' };

async function main(signal: AbortSignal): Promise<void> {
  await using client = await Client.open(config);
  const added: Result = await client.add('ann', ['bob'], { signal });
  const failed: Item[] = added.items.filter((item) => item.status < Status.OK);
  const checked = await client.check('ann', ['bob'], CheckType.SINGLE);
  const blocks = checked.items.some((item) => item.relation === Relation.A_WITH_B);
  for (let start = 0; ; ) {
    const page = await client.get('ann', { start, max: 1000 });
    const since: (Date | undefined)[] = page.items.map((item) => item.time);
    if ((start = page.nextIndex) === 0) break;
    console.log(since);
  }
  client.submitDelete('ann', ['bob'], { player: 1 });
  for await (const done of client.completions()) {
    if (done.status === Status.OK) break;
  }
  const known: boolean | undefined = client.isBlocked('ann', 'bob');
  const many: (boolean | undefined)[] = client.isBlockedMany(['ann'], 'bob');
  const { pairs, unknown }: Pairs = client.blockedPairs(['ann', 'bob']);
  const stats: Stats = client.stats();
  verifyUsersig(signer, generateUsersig(signer, 3600));
  console.log(failed, blocks, known, many, pairs, unknown, stats.calls.add.accepted, version, versionNumber);
}

main(AbortSignal.timeout(1000)).catch((error: unknown) => {
  if (!(error instanceof ChatblockError)) throw error;
  const status: Status = error.status;
  console.error(statusName(status), error.code, error.serviceCode, error.retryable, error.result.items);
});

// @ts-expect-error: a status that does not exist is found by the compiler.
export const wrong: Status = -99;
// @ts-expect-error: an option that does not exist, too.
export const misspelt: Config = { colour: 'red' };
