--- Answers from memory, and the service over HTTP.

local lu = require "luaunit"
local support = require "tests.support"

function _G.test_block_shows_on_the_hot_path_after_watch()
  support.with_service({}, function(port)
    local client = support.open(support.remote(port))
    lu.assertEquals(assert(client:add("ann", "bob")).status, "OK")
    lu.assertEquals({ client:is_blocked("ann", "bob") }, {})
    lu.assertEquals(client:is_blocked_many({ "ann" }, "bob"), { n = 1 })
    assert(client:watch "ann")
    support.eventually("the list is read", function()
      return client:is_blocked("ann", "bob")
    end)
    lu.assertIsFalse(client:is_blocked("ann", "cem"))
    lu.assertEquals(client:is_blocked_many({ "ann", "eve" }, "bob"), { true, n = 2 })
    lu.assertEquals({ client:blocked_pairs { "ann", "bob" } }, { { { owner = 1, peer = 2 } }, 1 })
    client:close(0)
  end)
end

function _G.test_service_that_is_not_there_is_a_connect_error()
  local client = support.open(support.remote(1, { retry = { attempts = 1 } }))
  local answer, err = client:add("ann", "bob")
  support.assert_fails("ERR_CONNECT", answer, err)
  lu.assertTrue(err.retryable)
  lu.assertNotStrContains(tostring(err) .. err.result.json, "synthetic-key")
end

function _G.test_write_that_is_on_disk_and_not_answered_is_queued()
  local path = os.tmpname()
  os.remove(path)
  local client = support.open(support.remote(1, { call_ms = 3000, outbox = { path = path } }))
  local answer, err = client:add("ann", "bob")
  support.assert_fails("ERR_QUEUED", answer, err)
  lu.assertFalse(err.retryable)
  client:close(0)
  support.remove_store(path)
end

function _G.test_many_owners_are_asked_about_in_order()
  local client, owners = support.open(), {}
  for number = 1, 1000 do
    owners[number] = "owner " .. number
    if number % 7 == 3 then
      assert(client:add(owners[number], "ann"))
    end
  end
  local blocked = assert(client:is_blocked_many(owners, "ann"))
  lu.assertEquals(blocked.n, 1000)
  for number = 1, 1000 do
    lu.assertEquals(blocked[number], number % 7 == 3)
  end
  owners[700] = ""
  local answer, err = client:is_blocked_many(owners, "ann")
  support.assert_fails("ERR_ARGUMENT", answer, err)
  lu.assertStrContains(err.message, "owners[699]")
end

function _G.test_nobody_is_asked_about_without_owners()
  lu.assertEquals(support.open():is_blocked_many({}, "ann"), { n = 0 })
end

function _G.test_more_pairs_than_there_was_room_for_are_found()
  local client, accounts = support.open(), { "a", "b", "c", "d", "e", "f", "g", "h" }
  for _, owner in ipairs(accounts) do
    assert(client:add(owner, accounts))
  end
  local found, unknown = client:blocked_pairs(accounts)
  lu.assertEquals({ #found, found[56], unknown }, { 8 * 7, { owner = 8, peer = 7 }, 0 })
end

function _G.test_hot_path_makes_no_garbage()
  local client = support.open()
  local function ask()
    for _ = 1, 100000 do
      client:is_blocked("ann", "bob")
    end
  end
  ask() -- compiles it
  collectgarbage()
  collectgarbage "stop"
  local before = collectgarbage "count"
  ask()
  local growth = collectgarbage "count" - before
  collectgarbage "restart"
  lu.assertTrue(growth < 100, growth .. " KiB")
end
