import { ChatblockError, Client } from 'chatblock';

const client = await Client.open({});
try {
  const result = await client.add('ann', ['bob']);
  console.log(result.json, client.isBlocked('ann', 'bob'));
} catch (error) {
  if (error instanceof ChatblockError) console.error(error.code, error.message);
}
await client.close();
