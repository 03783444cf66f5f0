--- The methods of a client that answer from memory.

local ffi = require "ffi"
local native = require "chatblock.native"
local new_table = require "table.new"
local result = require "chatblock.result"
local texts = require "chatblock.texts"

---@class chatblock.Client
local hotpath = {}

local UNKNOWN = tonumber(native.CHATBLOCK_ERR_UNKNOWN)
local ARGUMENT = tonumber(native.CHATBLOCK_ERR_ARGUMENT)
local IS_NO_ACCOUNT = "is no account: a string of 1 to 32 bytes without NUL"

local function failed(status, argument)
  if status == ARGUMENT then
    return nil, result.bad_argument(argument, IS_NO_ACCOUNT)
  end
  return nil, result.refusal(status)
end

--- Whether owner blocks peer, in about the time of one memory access.
--- The embedded engine knows every owner. On the remote backend an owner is known after watch has read the list, or
--- after a complete listing. A write of this client shows when it is confirmed.
---@param owner string
---@param peer string
---@return boolean? blocked nil alone when nothing is known of the owner, which is not "no"
---@return chatblock.Error? err ERR_ARGUMENT, ERR_CLOSED
function hotpath:is_blocked(owner, peer)
  local handle = self.handle
  if not handle then
    return failed(native.CHATBLOCK_ERR_CLOSED)
  elseif not texts.is_text(owner) then
    return failed(ARGUMENT, "owner")
  elseif not texts.is_text(peer) then
    return failed(ARGUMENT, "peer")
  end
  local answer = native.chatblock_client_is_blocked(handle, owner, peer)
  if answer >= 0 then
    return answer == 1
  elseif answer == UNKNOWN then
    return nil
  end
  return failed(answer, "owner or peer")
end

-- Room for the next question about many owners; it grows.
local room, pointers, answers = 0, nil, nil

local function make_room(count)
  if count > room then
    room = math.max(count, 2 * room)
    pointers = ffi.new("const char *[?]", room)
    answers = ffi.new("int8_t[?]", room)
  end
end

--- Which of these owners block peer: who may hear this player. Faster than asking one by one.
---@param owners string[]
---@param peer string
---@return { n: integer, [integer]: boolean }? blocked by number of the owner; nil there when nothing is known of it
---@return chatblock.Error? err as for is_blocked
function hotpath:is_blocked_many(owners, peer)
  local handle = self.handle
  if not handle then
    return failed(native.CHATBLOCK_ERR_CLOSED)
  elseif type(owners) ~= "table" or not texts.is_text(peer) then
    return failed(ARGUMENT, type(owners) == "table" and "peer" or "owners")
  end
  local count = #owners
  if count == 0 then
    return { n = 0 }
  end
  make_room(count)
  for index = 1, count do
    local owner = owners[index]
    if not texts.is_text(owner) then
      return failed(ARGUMENT, ("owners[%d]"):format(index - 1))
    end
    pointers[index - 1] = owner
  end
  local status = native.chatblock_client_is_blocked_many(handle, pointers, count, peer, answers)
  if status < 0 then
    return failed(status, "peer")
  end
  local blocked = new_table(count, 1)
  blocked.n = count
  for index = 1, count do
    local answer = answers[index - 1]
    if answer >= 0 then
      blocked[index] = answer == 1
    elseif answer ~= UNKNOWN then
      return failed(answer, ("owners[%d]"):format(index - 1))
    end
  end
  return blocked
end

--- Which of these accounts block which: who may not share a match.
---@param accounts string[] 1 to 10,000
---@return { owner: integer, peer: integer }[]? pairs numbers of accounts in the table, in the order of owners
---@return integer|chatblock.Error unknown how many accounts are not known as owners
function hotpath:blocked_pairs(accounts)
  if not self.handle then
    return failed(native.CHATBLOCK_ERR_CLOSED)
  end
  local array, count = texts.array("accounts", accounts)
  if not array then
    return nil, count
  end
  local unknown = ffi.new "size_t[1]"
  local capacity, found, out = 2 * count, nil, nil
  repeat
    capacity = math.max(capacity, found or 0)
    out = ffi.new("uint32_t[?]", 2 * capacity + 1)
    found = native.chatblock_client_blocked_pairs(self.handle, array, count, out, capacity, unknown)
  until found <= capacity
  if found < 0 then
    return failed(found, "one of 1 to 10,000 accounts")
  end
  local pairs_found = {}
  for index = 0, found - 1 do
    pairs_found[index + 1] = { owner = out[2 * index] + 1, peer = out[2 * index + 1] + 1 }
  end
  return pairs_found, tonumber(unknown[0])
end

local function over_owners(self, call, owners)
  if not self.handle then
    return failed(native.CHATBLOCK_ERR_CLOSED)
  end
  local array, count = texts.array("owners", owners)
  if not array then
    return nil, count
  end
  local status = call(self.handle, array, count)
  if status < 0 then
    return failed(status, "one of 1 to 100,000 owners")
  end
  return true
end

--- Makes owners known from now on, such as players who log in: their lists are read in the background, and again
--- and again. Does not wait. The embedded engine knows everybody.
---@param owners string|string[] 1 to 100,000
---@return true? done
---@return chatblock.Error? err ERR_ARGUMENT (nobody is watched then), ERR_BUSY, ERR_CLOSED
function hotpath:watch(owners)
  return over_owners(self, native.chatblock_client_watch, owners)
end

--- Lets go of owners, such as players who log out. One that is not watched does no harm.
---@param owners string|string[] 1 to 100,000
---@return true? done
---@return chatblock.Error? err as for watch
function hotpath:unwatch(owners)
  return over_owners(self, native.chatblock_client_unwatch, owners)
end

return hotpath
