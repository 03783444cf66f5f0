--- Calls without waiting.

local lu = require "luaunit"
local socket = require "socket"
local support = require "tests.support"

local function add_request(from, to)
  return ('{"From_Account":"%s","To_Account":["%s"]}'):format(from, to)
end

-- Polls until there are `count` completions, and gives those with a number.
local function poll_for(client, count)
  local all = {}
  support.eventually(count .. " completions", function()
    local found, others = client:poll(10)
    count = count - assert(found, others)
    for _, other in ipairs(others) do
      all[#all + 1] = other
    end
    return count <= 0
  end)
  lu.assertEquals(count, 0)
  return all
end

function _G.test_every_form_calls_back()
  local client, answers = support.open(), {}
  local function note(answer, err)
    table.insert(answers, answer and answer.command .. " " .. answer.status or tostring(err))
  end
  assert(client:add_async("ann", { "bob", "cem" }, note))
  assert(client:delete_async("ann", "cem", note))
  assert(client:check_async("ann", "bob", "both", note))
  assert(client:get_async("ann", 0, 10, note))
  assert(client:submit("black_list_add", add_request("ann", "dee"), note))
  poll_for(client, 5)
  lu.assertItemsEquals(answers, {
    "black_list_add OK", "black_list_delete OK", "black_list_check OK", "black_list_get OK", "black_list_add OK",
  })
end

function _G.test_coroutines_wait_for_their_own_call()
  local client, ended = support.open(), 0
  for number = 1, 64 do
    coroutine.wrap(function()
      for round = 1, 20 do
        local account = number .. " " .. round
        assert(client:add_async("owner " .. number, account, coroutine.running()))
        lu.assertEquals(assert(coroutine.yield()).items[1].account, account)
      end
      ended = ended + 1
    end)()
  end
  poll_for(client, 64 * 20)
  lu.assertEquals(ended, 64)
end

function _G.test_numbered_calls_complete_with_their_numbers_and_in_order()
  local client = support.open()
  local numbers = { 1, 2 ^ 53, 7, 7 }
  for _, number in ipairs(numbers) do
    lu.assertEquals(assert(client:add_async("ann", "bob", number)), number)
  end
  for index, other in ipairs(poll_for(client, #numbers)) do
    lu.assertEquals({ other.tag, other.result.owner }, { numbers[index], "ann" })
  end
end

function _G.test_completion_of_a_refused_call_is_an_error()
  local client = support.open()
  assert(client:add_async("ann", "ann", 7))
  local other = poll_for(client, 1)[1]
  support.assert_fails("ERR_SERVICE", other.result, other.err)
end

function _G.test_refused_call_says_why_and_calls_nobody_back()
  local client = support.open()
  for text, bad in pairs {
    To_Account = { "black_list_add", '{"From_Account":"ann"}', lu.fail },
    command = { "black_list_burn", "{}", lu.fail },
    done = { "black_list_add", add_request("ann", "bob"), "later" },
    ["1 to 9007199254740992"] = { "black_list_add", add_request("ann", "bob"), 2 ^ 53 + 2 },
  } do
    local tag, err = client:submit(unpack(bad))
    lu.assertNil(tag)
    lu.assertStrContains(tostring(err), text)
  end
  assert(client:flush(1000))
  lu.assertEquals(client:poll(0), 0)
  assert(client:close())
end

function _G.test_full_queue_is_busy()
  local client = support.open { queue = { max_calls = 1 } }
  assert(client:add_async("ann", "bob", 1))
  support.assert_fails("ERR_BUSY", client:add_async("ann", "cem", 2))
  poll_for(client, 1)
  assert(client:add_async("ann", "cem", 2))
end

function _G.test_error_in_a_callback_loses_no_other_completion()
  local client, called = support.open(), 0
  for number = 1, 10 do
    assert(client:add_async("ann", "a" .. number, function()
      called = called + 1
      error("callback " .. number, 0)
    end))
    assert(client:add_async("ann", "b" .. number, number))
  end
  assert(client:flush(1000))
  local raised, found = 0, {}
  while raised < 10 or #found < 10 do
    local polled, count, others = pcall(client.poll, client, 1000)
    if polled then
      lu.assertTrue(count > 0)
      for _, other in ipairs(others) do
        found[#found + 1] = other.tag
      end
    else
      raised = raised + 1
    end
  end
  lu.assertEquals({ called, raised, #found }, { 10, 10, 10 })
end

function _G.test_callback_may_close_the_client()
  local client, ended = support.open(), 0
  for _ = 1, 10 do
    assert(client:add_async("ann", "bob", function()
      ended = ended + 1
      client:close(0)
    end))
  end
  assert(client:flush(1000))
  assert(client:poll(0))
  lu.assertEquals(ended, 10)
  support.assert_fails("ERR_CLOSED", client:poll(0))
end

function _G.test_cancelled_call_completes()
  support.with_silence(function(port)
    local client = support.open(support.remote(port))
    assert(client:add_async("ann", "bob", 1)) -- the second waits behind it
    support.eventually("the first call is sent", function()
      return support.stat(client, "requests", "add", "sent") == 1
    end)
    local cancelled
    local tag = assert(client:add_async("ann", "bob", function(_, err)
      cancelled = err.status
    end))
    lu.assertEquals(client:cancel(tag), 1)
    poll_for(client, 1)
    lu.assertEquals(cancelled, "ERR_CANCELLED")
    client:close(0)
  end)
end

function _G.test_close_tells_those_who_wait()
  support.with_silence(function(port)
    local client, failed = support.open(support.remote(port)), 0
    for number = 1, 100 do
      assert(client:add_async("owner " .. number, "bob", function(_, err)
        lu.assertEquals(err.status, "ERR_CLOSED")
        support.assert_fails("ERR_CLOSED", client:add_async("ann", "bob", lu.fail))
        failed = failed + 1
      end))
    end
    support.assert_fails("ERR_TIMEOUT", client:flush(10))
    support.assert_fails("ERR_TIMEOUT", client:close(0))
    lu.assertEquals(failed, 100)
  end)
end

function _G.test_callbacks_of_close_begin_nothing()
  local client, called = support.open(), 0
  local function again(answer)
    lu.assertEquals(answer.status, "OK")
    support.assert_fails("ERR_CLOSED", client:add_async("ann", "bob", again))
    called = called + 1
  end
  assert(client:add_async("ann", "bob", again))
  assert(client:flush(1000))
  assert(client:close())
  lu.assertEquals(called, 1)
end

function _G.test_poll_after_close_gives_what_close_found()
  local client = support.open()
  assert(client:add_async("ann", "bob", 7))
  assert(client:flush(1000))
  assert(client:close())
  local _, others = client:poll(0)
  lu.assertEquals(others[1].tag, 7)
  support.assert_fails("ERR_CLOSED", client:poll(0))
end

function _G.test_descriptor_is_readable_while_a_completion_waits()
  local client = support.open()
  local descriptor = assert(client:event_fd())
  local watched = { getfd = function() return descriptor end }
  lu.assertEquals(#socket.select({ watched }, {}, 0), 0)
  assert(client:add_async("ann", "bob", 1))
  lu.assertEquals(#socket.select({ watched }, {}, 10), 1)
  poll_for(client, 1)
end

function _G.test_wakeup_ends_a_poll_without_limit()
  local client = support.open()
  assert(client:wakeup())
  lu.assertEquals(client:poll(-1), 0)
end

function _G.test_refused_write_of_an_earlier_client_is_handed_over()
  local outbox = { outbox = { path = os.tmpname() } }
  os.remove(outbox.outbox.path)
  support.with_silence(function(port)
    local earlier = support.open(support.remote(port, outbox))
    assert(earlier:add_async("ann", "bob", 1))
    assert(earlier:sync(10000))
    earlier:close(0)
  end)
  support.with_service({ accounts = "imported" }, function(port)
    local later = support.open(support.remote(port, outbox))
    local other = poll_for(later, 1)[1]
    lu.assertEquals(other.tag, 0)
    support.assert_fails("ERR_SERVICE", other.result, other.err)
    lu.assertEquals(other.err.result.owner, "ann")
    later:close(0)
  end)
  support.remove_store(outbox.outbox.path)
end

function _G.test_the_coroutine_of_the_readme_goes_on_with_its_answer()
  local client, told = support.open(), {}
  local function tell(what)
    told[#told + 1] = what
  end
  coroutine.wrap(function()
    assert(client:add_async("ann", "bob", coroutine.running()))
    local result, err = coroutine.yield()
    tell(result and result.status or err)
  end)()
  poll_for(client, 1)
  lu.assertEquals(told, { "OK" })
end
