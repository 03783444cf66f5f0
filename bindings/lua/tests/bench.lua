--- Nanoseconds per is_blocked, and per owner of is_blocked_many with 64 owners.

local chatblock = require "chatblock"
local socket = require "socket"

local client = assert(chatblock.open())
local owners = {}
for number = 1, 64 do
  owners[number] = "owner " .. number
  assert(client:add(owners[number], "bob"))
end

-- The best of several rounds: what the machine does beside it only adds.
local function measure(name, questions, ask)
  local best = math.huge
  for _ = 1, 10 do
    local start = socket.gettime()
    ask()
    best = math.min(best, socket.gettime() - start)
  end
  print(("%s %.1f"):format(name, best / questions * 1e9))
end

local blocked = 0

measure("one", 1e6, function()
  for number = 1, 1e6 do
    blocked = blocked + (client:is_blocked(owners[number % 64 + 1], "bob") and 1 or 0)
  end
end)

measure("many", 64 * 2e4, function()
  for _ = 1, 2e4 do
    local answers = client:is_blocked_many(owners, "bob")
    blocked = blocked + (answers[1] and 1 or 0)
  end
end)

assert(blocked == 10 * (1e6 + 2e4))
