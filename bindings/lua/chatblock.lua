-- SPDX-License-Identifier: MIT OR Apache-2.0

--- Per-player block lists for game servers.
--
-- For LuaJIT 2.1. Every function gives nil and an error when it fails, and raises nothing. An error is a table
-- with status (such as "ERR_BUSY"), service_code, retryable, message (a sentence for people) and, when there was
-- an answer, result; tostring() gives its text, so assert() shows it.
--
--    local chatblock = require "chatblock"
--    local client = assert(chatblock.open())
--    assert(client:add("ann", "bob"))
--    if client:is_blocked("ann", "bob") then drop() end

local ffi = require "ffi"
local client = require "chatblock.client"
local native = require "chatblock.native"
local result = require "chatblock.result"
local texts = require "chatblock.texts"

local chatblock = {}

--- Opens a client. May read a durable store. docs/configuration.md of the library lists the keys.
---@param config? table|string a table or a JSON text; nothing is the engine inside this process, in memory
---@return chatblock.Client? client
---@return chatblock.Error? err ERR_CONFIG (the message names the key or file), ERR_STORAGE, ERR_ARGUMENT
function chatblock.open(config)
  return client.open(config)
end

--- Makes the signature with which a user logs in. A secret: do not log it.
---@param sdkappid integer the app
---@param secret_key string the app's secret key
---@param identifier string the user, 1 to 32 bytes
---@param expire_s integer its life in seconds, at most 50 years
---@return string? usersig
---@return chatblock.Error? err ERR_ARGUMENT
function chatblock.usersig_generate(sdkappid, secret_key, identifier, expire_s)
  local fault = texts.range_fault("sdkappid", sdkappid, 0, 2 ^ 32 - 1)
    or texts.fault("secret_key", secret_key)
    or texts.fault("identifier", identifier)
    or texts.range_fault("expire_s", expire_s, 0, 2 ^ 32 - 1)
  if fault then
    return nil, fault
  end
  local raw = native.chatblock_usersig_generate(sdkappid, secret_key, identifier, expire_s)
  local signature = ffi.string(native.chatblock_result_usersig(raw))
  local made, err = result.take(raw)
  return made and signature, err
end

--- Verifies a signature at the present time.
---@param sdkappid integer the app it should be for
---@param secret_key string the app's secret key
---@param identifier string the user it should be for
---@param usersig string the signature
---@return true? valid
---@return chatblock.Error? err ERR_SIGNATURE with service_code 70003 (not a signature), 70014 (other app), 70013 (other
---  user), 70001 (expired) or 70009 (other key); ERR_ARGUMENT
function chatblock.usersig_verify(sdkappid, secret_key, identifier, usersig)
  local fault = texts.range_fault("sdkappid", sdkappid, 0, 2 ^ 32 - 1)
    or texts.fault("secret_key", secret_key)
    or texts.fault("identifier", identifier)
    or texts.fault("usersig", usersig)
  if fault then
    return nil, fault
  end
  local valid, err = result.take(native.chatblock_usersig_verify(sdkappid, secret_key, identifier, usersig))
  return valid and true, err
end

--- The version of the library that is running.
---@return string text for example "0.1.0"
---@return integer number major * 65536 + minor * 256 + patch
function chatblock.version()
  return ffi.string(native.chatblock_version()), native.chatblock_version_number()
end

return chatblock
