--- A client: opened once, closed once. It belongs to the Lua state that opened it.

local ffi = require "ffi"
local calls = require "chatblock.calls"
local hotpath = require "chatblock.hotpath"
local json = require "chatblock.json"
local native = require "chatblock.native"
local result = require "chatblock.result"
local texts = require "chatblock.texts"

-- How long close waits for threads that are still on the network.
local CLOSE_MS = 2000

---@class chatblock.Client
local Client = {}
Client.__index = Client
for _, methods in ipairs { calls, hotpath } do
  for name, method in pairs(methods) do
    Client[name] = method
  end
end

-- For a client that nobody holds any more.
local function abandon(handle)
  native.chatblock_client_close(handle, 0)
end

local function document(config)
  if config == nil then
    return "{}"
  elseif type(config) == "string" then
    return config
  end
  local encoded, text = pcall(json.encode, config)
  if not encoded then
    return nil, result.failure("ERR_CONFIG", text)
  end
  return text
end

--- See chatblock.open.
local function open(config)
  local text, fault = document(config)
  fault = fault or texts.fault("config", text)
  if fault then
    return nil, fault
  end
  local why = ffi.new "chatblock_result *[1]"
  local handle = native.chatblock_client_open(text, why)
  if handle == nil then
    return result.take(why[0])
  end
  return setmetatable({
    handle = ffi.gc(handle, abandon), -- nil when closed
    last = 0, -- number of the latest call with a callback
    waiting = {}, -- callbacks of calls, by number
    others = {}, -- completions that have no callback, for poll
  }, Client)
end

--- Ends the client. Whoever waits for a call is told: what became of it when that is known, else ERR_CLOSED. What is
--- not done is dropped, unless there is an outbox: flush before, to let it finish. Closing again does nothing.
---@param timeout_ms? integer how long to wait for threads that are still on the network; 2000 when nothing is given
---@return true? closed
---@return chatblock.Error? err ERR_TIMEOUT when work was dropped or such a thread is left; it ends by itself
function Client:close(timeout_ms)
  timeout_ms = timeout_ms or CLOSE_MS
  local fault = texts.range_fault("timeout_ms", timeout_ms, -1, 2 ^ 31 - 1)
  if fault then
    return nil, fault
  end
  self.closing = true -- callbacks cannot begin new calls
  repeat
    local count = self:_take_ready(0)
  until count == 0
  local handle, status = self.handle, 0 -- a callback may have closed it
  if handle then
    self.handle = nil
    status = native.chatblock_client_close(ffi.gc(handle, nil), timeout_ms)
  end
  self:_end_all(result.refusal(native.CHATBLOCK_ERR_CLOSED))
  if status < 0 then
    return nil, result.refusal(status)
  end
  return true
end

-- A function of C that waits and answers with a status.
local function waits(call)
  return function(self, timeout_ms)
    timeout_ms = timeout_ms or -1
    local fault = texts.range_fault("timeout_ms", timeout_ms, -1, 2 ^ 31 - 1)
    if fault or not self.handle then
      return nil, fault or result.refusal(native.CHATBLOCK_ERR_CLOSED)
    end
    local status = call(self.handle, timeout_ms)
    if status < 0 then
      return nil, result.refusal(status)
    end
    return true
  end
end

--- Waits until everything accepted before has its completion ready for poll. 0 only looks, nothing or -1 is without
--- limit. The error is ERR_TIMEOUT when work is left (it goes on), or ERR_CLOSED.
---@type fun(self: chatblock.Client, timeout_ms?: integer): true?, chatblock.Error?
Client.flush = waits(native.chatblock_client_flush)

--- Waits until everything accepted before is on disk, likewise. The error may also be ERR_STORAGE when it never will be
--- on disk or a write since the last sync found no room, or ERR_UNSUPPORTED without "path" or "outbox.path".
---@type fun(self: chatblock.Client, timeout_ms?: integer): true?, chatblock.Error?
Client.sync = waits(native.chatblock_client_sync)

--- What the client says about itself, as one JSON object, whose members docs/statistics.md of the library lists.
---@return string? json
---@return chatblock.Error? err
function Client:stats()
  if not self.handle then
    return nil, result.refusal(native.CHATBLOCK_ERR_CLOSED)
  end
  local document, err = result.take(native.chatblock_client_stats(self.handle))
  return document and document.json, err
end

--- Takes a webhook of the service: verifies it and learns what it says. Send the JSON back with HTTP status 200 in
--- every case: result.json, or err.result.json.
---@param query string the query string of the HTTP request
---@param body string its body
---@return chatblock.Result? result
---@return chatblock.Error? err ERR_SIGNATURE (forged, stale, of another app), ERR_REQUEST (not a webhook of a
---  blocklist), ERR_UNSUPPORTED (embedded engine), ERR_ARGUMENT, ERR_BUSY, ERR_CLOSED
function Client:apply_webhook(query, body)
  local fault = texts.fault("query", query)
  if not fault and type(body) ~= "string" then
    fault = result.bad_argument("body", "is no string")
  end
  if fault or not self.handle then
    return nil, fault or result.refusal(native.CHATBLOCK_ERR_CLOSED)
  end
  return result.take(native.chatblock_client_apply_webhook(self.handle, query, body, #body))
end

--- Copies the durable store ("path") or the outbox ("outbox.path") to a new file while the client goes on, and waits until
--- the copy is on disk. What is there already is never replaced.
---@param path string
---@return true? done
---@return chatblock.Error? err ERR_UNSUPPORTED where nothing is on disk, ERR_STORAGE, ERR_ARGUMENT, ERR_BUSY,
---  ERR_CLOSED; there is no copy then
function Client:backup(path)
  local fault = texts.fault("path", path)
  if fault or not self.handle then
    return nil, fault or result.refusal(native.CHATBLOCK_ERR_CLOSED)
  end
  local copied, err = result.take(native.chatblock_client_backup(self.handle, path))
  return copied and true, err
end

return { open = open }
