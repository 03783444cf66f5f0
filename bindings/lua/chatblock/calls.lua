--- The methods of a client that go to the service: blocking, or with a completion that poll finds.

--- Who is told by poll what became of a call: a function, a coroutine that is resumed with result and err, or a number
--- of 1 to 2^53 that comes back beside them.
---@alias chatblock.Done fun(result?: chatblock.Result, err?: chatblock.Error)|thread|integer

--- Names calls that were handed over: the number that was given with them, or a value of the module.
---@alias chatblock.Tag integer|ffi.cdata*

--- What became of a call with a number. Tag 0 is a write of an earlier client with the same outbox, which the service
--- refused when it was sent at last.
---@class chatblock.Completion
---@field tag integer
---@field result? chatblock.Result
---@field err? chatblock.Error

local ffi = require "ffi"
local forms = require "chatblock.forms"
local native = require "chatblock.native"
local result = require "chatblock.result"
local texts = require "chatblock.texts"

---@class chatblock.Client
local calls = {}

-- The first tag of calls with a callback; those below are numbers of the user.
local OWN_TAGS = 0x8000000000000000ULL
-- So that callbacks which begin further calls do not hold up the host's loop.
local MOST_AT_ONCE = 1000

local function closed()
  return nil, result.refusal(native.CHATBLOCK_ERR_CLOSED)
end

-- Registers who waits for a call. Gives its tag, or nil and an error.
local function begin(self, done)
  if type(done) == "number" then
    local fault = texts.range_fault("done", done, 1, 2 ^ 53)
    return not fault and done or nil, fault
  elseif type(done) ~= "function" and type(done) ~= "thread" then
    return nil, result.bad_argument("done", "is no function, coroutine or number")
  end
  self.last = self.last + 1
  self.waiting[self.last] = done
  return OWN_TAGS + self.last
end

-- Forgets who waits for a tag, and tells who it was.
local function forget(self, tag)
  local number = tag >= OWN_TAGS and tonumber(tag - OWN_TAGS)
  local done = self.waiting[number]
  self.waiting[number] = nil
  return done
end

-- A call that waits for its answer, in one of the forms.
local function blocking(form)
  return function(self, ...)
    if not self.handle then
      return closed()
    end
    local call, fault = form(...)
    if not call then
      return nil, fault
    end
    return result.take(call.blocking(self.handle))
  end
end

-- A call that is handed over; its last argument says who waits for it.
local function async(form, arguments)
  return function(self, ...)
    if not self.handle or self.closing then
      return closed()
    end
    local call, call_fault = form(...)
    if not call then
      return nil, call_fault
    end
    local tag, tag_fault = begin(self, (select(arguments + 1, ...)))
    if not tag then
      return nil, tag_fault
    end
    local why = ffi.new "chatblock_result *[1]"
    if call.hand_over(self.handle, tag, why) >= 0 then
      return tag
    end
    forget(self, tag)
    return result.take(why[0])
  end
end

--- Blocks targets on the list of `owner`. Waits for the answer. An account that is blocked already
--- counts as done. `owner` is the owner of the list, 1 to 32 bytes; there may be 1 to 100,000 accounts.
---
--- The error is ERR_SERVICE (see service_code), ERR_NETWORK or ERR_TIMEOUT (a write may have happened; the same call
--- may be repeated), ERR_CONNECT (nothing was sent), ERR_QUEUED (recorded in the outbox and will be sent: do not
--- repeat it), ERR_BUSY, ERR_STORAGE, ERR_ARGUMENT or ERR_CLOSED. PARTIAL is a result: its items say what happened.
---@type fun(self: chatblock.Client, owner: string, targets: string|string[]): chatblock.Result?, chatblock.Error?
calls.add = blocking(forms.add)

--- Unblocks accounts. One that is not blocked counts as done; everything else is as with add.
---@type fun(self: chatblock.Client, owner: string, targets: string|string[]): chatblock.Result?, chatblock.Error?
calls.delete = blocking(forms.delete)

--- Asks the service who blocks whom; each item of the result has a relation. "single" asks whether `owner` blocks the
--- account, "both" also whether the account blocks `owner`. Errors are as with add.
---@type fun(self: chatblock.Client, owner: string, targets: string|string[], directions: "single"|"both"): chatblock.Result?, chatblock.Error?
calls.check = blocking(forms.check)

--- Reads one page of a list, oldest entry first; each item has a time. `start` is the offset of the first entry, 0 at
--- first: go on with next_index until that is 0. `max` is the size of the page, 1 to 1000. Errors are as with add.
---@type fun(self: chatblock.Client, owner: string, start: integer, max: integer): chatblock.Result?, chatblock.Error?
calls.get = blocking(forms.get)

--- Makes one call with the service's own request JSON of at most 1000 accounts. `command` is "black_list_add",
--- "black_list_delete", "black_list_get" or "black_list_check". Errors are as with add, and ERR_REQUEST for a request
--- that is refused before anything is sent.
---@type fun(self: chatblock.Client, command: string, request: string): chatblock.Result?, chatblock.Error?
calls.call = blocking(forms.call)

--- Hands an add over and does not wait. Writes of one owner keep their order. poll finds the completion, and tells
--- `done`. Gives a tag for cancel. With an error nothing was accepted: ERR_BUSY (queue full), ERR_ARGUMENT,
--- ERR_CLOSED.
---@type fun(self: chatblock.Client, owner: string, targets: string|string[], done: chatblock.Done): chatblock.Tag?, chatblock.Error?
calls.add_async = async(forms.add, 2)

--- Hands a delete over, as add_async.
---@type fun(self: chatblock.Client, owner: string, targets: string|string[], done: chatblock.Done): chatblock.Tag?, chatblock.Error?
calls.delete_async = async(forms.delete, 2)

--- Hands a check over, as add_async. It sees every write of `owner` that was accepted before.
---@type fun(self: chatblock.Client, owner: string, targets: string|string[], directions: "single"|"both", done: chatblock.Done): chatblock.Tag?, chatblock.Error?
calls.check_async = async(forms.check, 3)

--- Hands a get over, as add_async.
---@type fun(self: chatblock.Client, owner: string, start: integer, max: integer, done: chatblock.Done): chatblock.Tag?, chatblock.Error?
calls.get_async = async(forms.get, 3)

--- Hands a call with the service's own request JSON over, as add_async; the error may also be ERR_REQUEST.
---@type fun(self: chatblock.Client, command: string, request: string, done: chatblock.Done): chatblock.Tag?, chatblock.Error?
calls.submit = async(forms.call, 2)

--- Cancels calls that were handed over and not sent yet, and says how many. Each still completes, with ERR_CANCELLED.
---@param tag chatblock.Tag what the call gave
---@return integer? cancelled
---@return chatblock.Error? err
function calls:cancel(tag)
  if not self.handle then
    return closed()
  end
  local fault = type(tag) ~= "cdata" and texts.range_fault("tag", tag, 1, 2 ^ 53)
  if fault then
    return nil, fault
  end
  local cancelled = native.chatblock_client_cancel(self.handle, tag)
  if cancelled < 0 then
    return nil, result.refusal(cancelled)
  end
  return cancelled
end

-- Tells who waits for a call what became of it.
local function tell(done, answer, err)
  if type(done) == "function" then
    done(answer, err)
    return
  end
  local ran, why = coroutine.resume(done, answer, err)
  if not ran then
    error(why, 0)
  end
end

local function dispatch(self, raw)
  local tag = native.chatblock_result_tag(raw)
  local answer, err = result.take(raw)
  if tag >= OWN_TAGS then
    tell(forget(self, tag), answer, err)
  else
    table.insert(self.others, { tag = tonumber(tag), result = answer, err = err })
  end
end

-- Takes and tells what is ready, and gives how many there were.
function calls:_take_ready(timeout_ms)
  local count = 0
  while self.handle and count < MOST_AT_ONCE do -- a callback may close it
    local raw = native.chatblock_client_poll(self.handle, count == 0 and timeout_ms or 0)
    if raw == nil then
      break
    end
    count = count + 1
    dispatch(self, raw)
  end
  return count
end

local function take_others(self)
  local others = self.others
  self.others = {}
  return others
end

--- Finds what became of calls: calls functions, resumes coroutines, and gives the other completions. Takes what is
--- ready, at most 1000. An error that a function raises goes on to the caller; nothing is lost then, poll again. After
--- close it gives what close found, once.
---@param timeout_ms? integer how long to wait for the first; 0 or nothing only looks, -1 is without limit
---@return integer? count how many there were; nil with ERR_CLOSED, ERR_FORKED, ERR_PANIC
---@return chatblock.Completion[]|chatblock.Error others of calls with a number
function calls:poll(timeout_ms)
  timeout_ms = timeout_ms or 0
  local fault = texts.range_fault("timeout_ms", timeout_ms, -1, 2 ^ 31 - 1)
  if fault then
    return nil, fault
  elseif not self.handle then
    if #self.others == 0 then
      return closed()
    end
    return 0, take_others(self)
  end
  local count = self:_take_ready(timeout_ms)
  local status = count == 0 and self.handle and native.chatblock_client_flush(self.handle, 0)
  if status == native.CHATBLOCK_ERR_FORKED or status == native.CHATBLOCK_ERR_PANIC then
    return nil, result.refusal(status)
  end
  return count, take_others(self)
end

-- Tells everybody who waits that no completion will come. When a callback raises an error, the rest is told next
-- time.
function calls:_end_all(err)
  for number, done in pairs(self.waiting) do
    self.waiting[number] = nil
    tell(done, nil, err)
  end
end

--- A descriptor that is readable while poll has something to find, for the host's event loop. Do not read from it
--- and do not close it; it lives as long as the client.
---@return integer? descriptor
---@return chatblock.Error? err ERR_CLOSED, ERR_UNSUPPORTED
function calls:event_fd()
  if not self.handle then
    return closed()
  end
  local descriptor = native.chatblock_client_event_fd(self.handle)
  if descriptor < 0 then
    return nil, result.refusal(descriptor)
  end
  return descriptor
end

--- Lets one poll give up its waiting, now or next.
---@return true? done
---@return chatblock.Error? err
function calls:wakeup()
  if not self.handle then
    return closed()
  end
  local status = native.chatblock_client_wakeup(self.handle)
  if status < 0 then
    return nil, result.refusal(status)
  end
  return true
end

return calls
