--- The calls in their two forms: one that waits, and one that is handed over with a tag.

local native = require "chatblock.native"
local result = require "chatblock.result"
local texts = require "chatblock.texts"

local forms = {}

local CHECK_TYPES = { single = native.CHATBLOCK_CHECK_SINGLE, both = native.CHATBLOCK_CHECK_BOTH }

-- Gives the form that make(array, count) makes of accounts that C can be given, else nil and an error.
local function with_accounts(owner, targets, make)
  local fault = texts.fault("owner", owner)
  if fault then
    return nil, fault
  end
  local array, count = texts.array("targets", targets)
  if not array then
    return nil, count
  end
  local form = make(array, count)
  form.borrowed = targets -- whose strings C reads
  return form
end

function forms.add(owner, targets)
  return with_accounts(owner, targets, function(array, count)
    return {
      blocking = function(handle)
        return native.chatblock_blocklist_add(handle, owner, array, count)
      end,
      hand_over = function(handle, tag, why)
        return native.chatblock_blocklist_add_async(handle, owner, array, count, tag, why)
      end,
    }
  end)
end

function forms.delete(owner, targets)
  return with_accounts(owner, targets, function(array, count)
    return {
      blocking = function(handle)
        return native.chatblock_blocklist_delete(handle, owner, array, count)
      end,
      hand_over = function(handle, tag, why)
        return native.chatblock_blocklist_delete_async(handle, owner, array, count, tag, why)
      end,
    }
  end)
end

function forms.check(owner, targets, directions)
  local kind = CHECK_TYPES[directions]
  if not kind then
    return nil, result.bad_argument("directions", 'is not "single" or "both"')
  end
  return with_accounts(owner, targets, function(array, count)
    return {
      blocking = function(handle)
        return native.chatblock_blocklist_check(handle, owner, array, count, kind)
      end,
      hand_over = function(handle, tag, why)
        return native.chatblock_blocklist_check_async(handle, owner, array, count, kind, tag, why)
      end,
    }
  end)
end

function forms.call(command, request)
  local fault = texts.fault("command", command) or texts.fault("request_json", request)
  if fault then
    return nil, fault
  end
  return {
    blocking = function(handle)
      return native.chatblock_client_call(handle, command, request)
    end,
    hand_over = function(handle, tag, why)
      return native.chatblock_client_submit(handle, command, request, tag, why)
    end,
  }
end

function forms.get(owner, start, max)
  local fault = texts.fault("owner", owner)
    or texts.range_fault("start_index", start, 0, 2 ^ 32 - 1)
    or texts.range_fault("limit", max, 0, 2 ^ 32 - 1)
  if fault then
    return nil, fault
  end
  return {
    blocking = function(handle)
      return native.chatblock_blocklist_get(handle, owner, start, max)
    end,
    hand_over = function(handle, tag, why)
      return native.chatblock_blocklist_get_async(handle, owner, start, max, tag, why)
    end,
  }
end

return forms
