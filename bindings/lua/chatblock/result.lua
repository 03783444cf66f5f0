--- What calls answer, as plain tables.

local ffi = require "ffi"
local native = require "chatblock.native"

--- What a call answered.
---@class chatblock.Result
---@field status "OK"|"PARTIAL"|string
---@field service_code integer of the first account that failed; 0 when there is none
---@field retryable boolean the same call may succeed later without anybody changing anything
---@field message string a sentence for people; "" when everything is as wanted
---@field command string for example "black_list_add"
---@field owner string the owner of the list that was read or changed
---@field items chatblock.Item[] one for each account of the call, in its order; of get one for each entry
---@field next_index integer of get: where the next page starts; 0 when the listing is complete
---@field json string the service's answer object; "" when there was no answer

--- What became of one account.
---@class chatblock.Item
---@field account string
---@field status string "OK", "UNCHANGED", "ERR_SERVICE" (see code), or why there is no answer for this account
---@field code integer the service's own code; 0 for success
---@field relation "NONE"|"NO"|"A_WITH_B"|"B_WITH_A"|"BOTH_WAY" of check: between the owner A and the account B
---@field time? integer of get: when the account was blocked, Unix seconds

--- Why a call was not done; tostring() gives its text.
---@class chatblock.Error
---@field status string for example "ERR_BUSY"
---@field service_code integer the service's own code, for example 30013 for a full list; 0 when there is none
---@field retryable boolean
---@field message string a sentence for people; not for branching
---@field result? chatblock.Result what is known of each account, when there was an answer

local result = {}

local RELATIONS = {
  [native.CHATBLOCK_RELATION_NONE] = "NONE",
  [native.CHATBLOCK_RELATION_NO] = "NO",
  [native.CHATBLOCK_RELATION_A_WITH_B] = "A_WITH_B",
  [native.CHATBLOCK_RELATION_B_WITH_A] = "B_WITH_A",
  [native.CHATBLOCK_RELATION_BOTH_WAY] = "BOTH_WAY",
}

-- Sentences for what the library says with a number only.
local REFUSALS = {
  ERR_BUSY = "too many calls are waiting; nothing was accepted, try again later",
  ERR_CLOSED = "the client is closed; what was under way has no answer",
  ERR_TIMEOUT = "work is left when the time is over",
  ERR_UNSUPPORTED = "not on this platform or with this configuration",
}

local Error = {}
Error.__index = Error

function Error:__tostring()
  return "chatblock: " .. self.status .. ": " .. self.message
end

local names = setmetatable({}, {
  __index = function(known, status)
    local name = ffi.string(native.chatblock_status_name(status)):gsub("^CHATBLOCK_", "")
    known[status] = name
    return name
  end,
})

--- The name of a status, for example "ERR_BUSY".
function result.status_name(status)
  return names[tonumber(status)]
end

--- An error without a result.
function result.failure(status, message, retryable)
  return setmetatable({
    status = status,
    service_code = 0,
    retryable = retryable or false,
    message = message or REFUSALS[status] or "the library refused the call",
  }, Error)
end

--- The error for a status that came without a result.
function result.refusal(status)
  local name = result.status_name(status)
  return result.failure(name, nil, name == "ERR_BUSY")
end

--- The error for an argument that C cannot be given.
function result.bad_argument(argument, why)
  return result.failure("ERR_ARGUMENT", argument .. " " .. why)
end

local function items(raw)
  local list = {}
  for index = 0, tonumber(native.chatblock_result_item_count(raw)) - 1 do
    local time = tonumber(native.chatblock_result_item_time(raw, index))
    list[index + 1] = {
      account = ffi.string(native.chatblock_result_item_account(raw, index)),
      status = result.status_name(native.chatblock_result_item_status(raw, index)),
      code = native.chatblock_result_item_code(raw, index),
      relation = RELATIONS[native.chatblock_result_item_relation(raw, index)],
      time = time ~= 0 and time or nil,
    }
  end
  return list
end

local function copy(raw)
  return {
    status = result.status_name(native.chatblock_result_status(raw)),
    service_code = native.chatblock_result_service_code(raw),
    retryable = native.chatblock_result_retryable(raw) ~= 0,
    message = ffi.string(native.chatblock_result_message(raw)),
    command = ffi.string(native.chatblock_result_command(raw)),
    owner = ffi.string(native.chatblock_result_from_account(raw)),
    items = items(raw),
    next_index = native.chatblock_result_next_index(raw),
    json = ffi.string(native.chatblock_result_json(raw), native.chatblock_result_json_len(raw)),
  }
end

--- Calls read with a result and frees it, also when read raises an error. Gives what read gives.
function result.with(raw, read)
  ffi.gc(raw, native.chatblock_result_free)
  local value = read(raw)
  ffi.gc(raw, nil)
  native.chatblock_result_free(raw)
  return value
end

--- Copies and frees a result. Gives the copy when the call was done, else nil and an error.
function result.take(raw)
  local copied = result.with(raw, copy)
  if copied.status:sub(1, 4) ~= "ERR_" then
    return copied
  end
  local failure = result.failure(copied.status, copied.message, copied.retryable)
  failure.service_code = copied.service_code
  failure.result = copied
  return nil, failure
end

return result
