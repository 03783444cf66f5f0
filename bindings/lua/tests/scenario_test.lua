--- The steps that every host language goes through; ../README.md of the bindings says what each does.

local chatblock = require "chatblock"
local json = require "dkjson"
local lu = require "luaunit"
local support = require "tests.support"

local client
local steps = {}

-- What a result or an error says, under the names of the expectations.
local function facts(answer, err)
  if answer == nil and err == nil then
    error "neither a result nor an error"
  end
  local whole = answer or err.result or {}
  local items, timed = {}, true
  for index, item in ipairs(whole.items or {}) do
    items[index] = { item.account, item.status, item.code, item.relation }
    timed = timed and item.time ~= nil and math.abs(os.time() - item.time) < 60
  end
  local head = err or answer
  return {
    status = head.status,
    service_code = head.service_code,
    retryable = head.retryable,
    message_has = head.message,
    command = whole.command,
    from = whole.owner,
    next_index = whole.next_index,
    items = items,
    timed = timed,
    json = whole.json and json.decode(whole.json),
  }
end

local function done(answer, err)
  assert(answer, err)
  return {}
end

function steps.version()
  return { starts_with = chatblock.version() }
end

function steps.open(step)
  client = assert(chatblock.open(step.config))
  return {}
end

function steps.open_fails(step)
  return facts(chatblock.open(step.config))
end

function steps.add(step)
  return facts(client:add(step.from, step.to))
end

function steps.delete(step)
  return facts(client:delete(step.from, step.to))
end

function steps.check(step)
  return facts(client:check(step.from, step.to, step.type:lower()))
end

function steps.get(step)
  return facts(client:get(step.from, step.start, step.max))
end

function steps.call(step)
  return facts(client:call(step.command, step.request))
end

local function answer_name(answer)
  return answer and "YES" or answer == nil and "UNKNOWN" or "NO"
end

function steps.is_blocked(step)
  local answer, err = client:is_blocked(step.owner, step.peer)
  return err and facts(nil, err) or { answer = answer_name(answer) }
end

function steps.is_blocked_many(step)
  local blocked = assert(client:is_blocked_many(step.owners, step.peer))
  local answers = {}
  for index = 1, blocked.n do
    answers[index] = answer_name(blocked[index])
  end
  return { answers = answers }
end

function steps.blocked_pairs(step)
  local found, unknown = client:blocked_pairs(step.accounts)
  local pairs_found = {}
  for index, pair in ipairs(assert(found, unknown)) do
    pairs_found[index] = { pair.owner - 1, pair.peer - 1 }
  end
  return { pairs = pairs_found, unknown = unknown }
end

local FUNCTIONS = {
  add = { "owner", "targets" },
  delete = { "owner", "targets" },
  check = { "owner", "targets" },
  is_blocked = { "owner", "peer" },
  is_blocked_many = { "owners", "peer" },
  blocked_pairs = { "accounts" },
  watch = { "owners" },
  unwatch = { "owners" },
}

function steps.bad_value(step)
  local good = {
    owner = "ann", targets = { "bob", "cem" }, owners = { "ann", "bob" }, peer = "bob", accounts = { "ann", "bob" },
  }
  -- nil ends a table of Lua and is no element of it, so it is asked with another value that is no string.
  local value, name = step.value, step.argument
  if value == nil or value == json.null then
    value = false
  end
  if step.index then
    good[name][step.index + 1] = value
    name = ("%s[%d]"):format(name, step.index)
  else
    good[name] = value
  end
  local arguments = {}
  for place, argument in ipairs(FUNCTIONS[step["function"]]) do
    arguments[place] = good[argument]
  end
  arguments[#arguments + 1] = "both"
  local answer, err = client[step["function"]](client, unpack(arguments))
  lu.assertNil(answer)
  lu.assertEquals(err.status, "ERR_ARGUMENT")
  lu.assertEquals(err.message:sub(1, #name + 1), name .. " ")
  lu.assertNil(err.message:find "evil")
  return {}
end

function steps.watch(step)
  return done(client:watch(step.owners))
end

function steps.unwatch(step)
  return done(client:unwatch(step.owners))
end

-- Each call waits in its coroutine, and the list is counted afterwards.
function steps.async(step)
  local ended = 0
  for number = 0, step.count - 1 do
    coroutine.wrap(function()
      local account = "t" .. number
      assert(client:add_async(step.from, account, coroutine.running()))
      local answer, err = coroutine.yield()
      assert(answer, err)
      lu.assertEquals({ answer.status, answer.items[1].account }, { step.expect.status, account })
      ended = ended + 1
    end)()
  end
  while ended < step.count do
    assert(client:poll(10000))
  end
  local listed, start = 0, 0
  repeat
    local page = assert(client:get(step.from, start, 300))
    listed, start = listed + #page.items, page.next_index
  until start == 0
  return { status = "OK", listed = listed }
end

function steps.flush()
  return done(client:flush(10000))
end

function steps.sync_fails()
  return facts(client:sync(10000))
end

function steps.backup_fails()
  return facts(client:backup "no-copy.db")
end

function steps.backup(step)
  local store_path, copy_path = os.tmpname(), os.tmpname()
  os.remove(copy_path)
  local store = support.open { backend = "embedded", path = store_path }
  assert(store:add(step.from, step.to))
  assert(store:backup(copy_path))
  local found = facts(store:backup(copy_path))
  store:close()
  local copied = support.open { backend = "embedded", path = copy_path }
  local listed = {}
  for index, item in ipairs(assert(copied:get(step.from, 0, 100)).items) do
    listed[index] = item.account
  end
  copied:close()
  lu.assertEquals(listed, step.to)
  support.remove_store(store_path)
  support.remove_store(copy_path)
  return found
end

function steps.cancel(step)
  return { cancelled = assert(client:cancel(step.tag)) }
end

function steps.stats()
  return { has = json.decode(assert(client:stats())) }
end

function steps.usersig(step)
  local signature = assert(chatblock.usersig_generate(step.sdkappid, step.key, step.identifier, step.expire))
  return done(chatblock.usersig_verify(step.sdkappid, step.key, step.identifier, signature))
end

function steps.usersig_fails(step)
  return facts(chatblock.usersig_verify(step.sdkappid, step.key, step.identifier, step.usersig))
end

function steps.webhook(step)
  local answer, err = client:apply_webhook(step.query, step.body)
  lu.assertStrContains(err.result.json, "{")
  return facts(answer, err)
end

function steps.many_results(step)
  local before
  for number = 1, step.count do
    if number == 1000 then
      before = support.resident_mib()
    end
    assert(client:check(step.from, "bob", "single"))
  end
  lu.assertTrue(support.resident_mib() - before < step.max_growth_mib)
  return {}
end

function steps.submit_and_close(step)
  local ended = 0
  for number = 0, step.count - 1 do
    assert(client:add_async(step.from, "t" .. number, function(answer, err)
      lu.assertTrue(answer ~= nil or err.status == "ERR_CLOSED")
      ended = ended + 1
    end))
  end
  local closed, err = client:close()
  lu.assertTrue(closed or err.status == "ERR_TIMEOUT")
  lu.assertEquals(ended, step.count)
  return {}
end

function steps.after_close()
  for name, call in pairs(support.every_call(client)) do
    local answer, err = call()
    lu.assertNil(answer, name)
    lu.assertEquals(err.status, "ERR_CLOSED", name)
  end
  return done(client:close())
end

-- Whether values of JSON are the same; "<any>" is any value.
local function same(expected, found)
  if expected == "<any>" then
    return found ~= nil
  elseif type(expected) ~= "table" or type(found) ~= "table" then
    return expected == found
  end
  for key, value in pairs(expected) do
    if not same(value, found[key]) then
      return false
    end
  end
  for key in pairs(found) do
    if expected[key] == nil then
      return false
    end
  end
  return true
end

local function sorted(pairs_found)
  local texts = {}
  for index, pair in ipairs(pairs_found) do
    texts[index] = pair[1] .. " " .. pair[2]
  end
  table.sort(texts)
  return texts
end

local comparisons = {
  message_has = function(expected, found)
    return found:find(expected, 1, true) ~= nil
  end,
  starts_with = function(expected, found)
    return found:sub(1, #expected) == expected
  end,
  pairs = function(expected, found)
    return same(sorted(expected), sorted(found))
  end,
  has = function(expected, document)
    for path, value in pairs(expected) do
      local member = document
      for name in path:gmatch "[^.]+" do
        member = member[name]
      end
      if not same(value, member) then
        return false
      end
    end
    return true
  end,
}

function _G.test_scenario()
  local file = assert(io.open(os.getenv "CHATBLOCK_SCENARIO"))
  local scenario = assert(json.decode(file:read "*a"))
  file:close()
  for number, step in ipairs(scenario.steps) do
    local place = ("step %d, %s: "):format(number, step["do"])
    local ran, found = xpcall(steps[step["do"]], function(err)
      return place .. tostring(type(err) == "table" and err.msg or err)
    end, step)
    if not ran then
      lu.fail(found)
    end
    for name, expected in pairs(step.expect or {}) do
      local compare = comparisons[name] or same
      if found[name] == nil or not compare(expected, found[name]) then
        local text = "%s%s: expected %s, found %s"
        lu.fail(text:format(place, name, json.encode(expected), json.encode(found[name]) or "nothing"))
      end
    end
  end
  print(("scenario: %d steps"):format(#scenario.steps))
end
