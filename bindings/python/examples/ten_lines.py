import asyncio

import chatblock

with chatblock.Client({}) as client:
    client.add("ann", ["bob", "cem"])
    print(client.is_blocked("ann", "bob"))

    listing = asyncio.run(client.get_async("ann"))
    print([item.account for item in listing.items])
