local chatblock = require "chatblock"

local client = assert(chatblock.open())
local result = assert(client:add("ann", { "bob", "cem" }))
print(result.status, result.json)

client:add_async("bob", "ann", function(answer, err)
  print(answer and answer.status or err, client:is_blocked("bob", "ann"))
end)
client:poll(1000)
assert(client:close())
