--- Opening, arguments, errors, closing.

local chatblock = require "chatblock"
local ffi = require "ffi"
local lu = require "luaunit"
local support = require "tests.support"

ffi.cdef [[
int fork(void);
int waitpid(int pid, int *status, int options);
void _exit(int status);
]]

function _G.test_config_is_a_table_or_a_text()
  for _, config in ipairs { {}, "{}", { account_charset = "strict", queue = { max_calls = 10 } } } do
    assert(support.open(config):close())
  end
  assert(support.open():close())
end

function _G.test_bad_config_says_what()
  local bad = {
    colour = { colour = "red" },
    ["is not JSON"] = "{",
    ["not finite"] = { call_ms = 0 / 0 },
    ["names, not numbers"] = { "embedded" },
    ["no function"] = { backend = print },
    ["one JSON object"] = 7,
    ["NUL"] = "{}\0",
  }
  for text, config in pairs(bad) do
    local client, err = chatblock.open(config)
    lu.assertNil(client)
    lu.assertStrContains(tostring(err), text)
  end
end

function _G.test_texts_of_a_config_go_through_unchanged()
  local plain = os.tmpname()
  local path = plain .. ' "quoted\\slash"\t🐉'
  assert(support.open({ path = path }):close())
  assert(os.rename(path, plain))
  support.remove_store(path)
  support.remove_store(plain)
end

function _G.test_inner_nul_is_refused_and_not_cut()
  local client, cut = support.open(), "ann\0bob"
  local calls = {
    from = { client:add(cut, "bob") },
    account = { client:add("ann", { "bob", cut }) },
    request = { client:call("black_list_get", "{}\0") },
    owner = { client:is_blocked(cut, "bob") },
    peer = { client:is_blocked("bob", cut) },
    owners = { client:is_blocked_many({ "ann", cut }, "bob") },
    many = { client:is_blocked_many({ "ann" }, cut) },
    pairs = { client:blocked_pairs { "ann", cut } },
    watch = { client:watch(cut) },
    webhook = { client:apply_webhook(cut, "") },
    verify = { chatblock.usersig_verify(1, cut, "ann", "sig") },
  }
  for name, answer in pairs(calls) do
    lu.assertEquals(answer[2] and answer[2].status, "ERR_ARGUMENT", name)
  end
end

function _G.test_arguments_of_a_wrong_type_are_refused()
  local client = support.open()
  support.assert_fails("ERR_ARGUMENT", client:add(nil, "bob"))
  support.assert_fails("ERR_ARGUMENT", client:add("ann", 7))
  support.assert_fails("ERR_ARGUMENT", client:add("ann", { "bob", false }))
  support.assert_fails("ERR_ARGUMENT", client:check("ann", "bob", "sideways"))
  support.assert_fails("ERR_ARGUMENT", client:get("ann", -1, 10))
  support.assert_fails("ERR_ARGUMENT", client:get("ann", 0.5, 10))
  support.assert_fails("ERR_ARGUMENT", client:is_blocked(nil, "bob"))
  support.assert_fails("ERR_ARGUMENT", client:is_blocked_many("ann", "bob"))
  support.assert_fails("ERR_ARGUMENT", client:flush("soon"))
  support.assert_fails("ERR_ARGUMENT", client:apply_webhook("", nil))
end

function _G.test_error_has_status_code_and_items()
  local answer, err = support.open():add("ann", "ann")
  support.assert_fails("ERR_SERVICE", answer, err)
  lu.assertEquals({ err.service_code, err.result.items[1].account }, { 30001, "ann" })
  lu.assertStrContains(select(2, pcall(assert, answer, err)).message, "ann")
end

function _G.test_results_outlive_the_client_and_the_collector()
  local client, results = support.open(), {}
  for number = 1, 100 do
    results[number] = assert(client:add("ann", "account " .. number))
  end
  client:close()
  client = nil
  collectgarbage()
  for number, answer in ipairs(results) do
    lu.assertEquals(answer.items[1].account, "account " .. number)
    lu.assertStrContains(answer.json, "account " .. number)
  end
end

function _G.test_results_are_freed()
  local client, accounts, before = support.open(), {}, nil
  for number = 1, 1000 do
    accounts[number] = "account " .. number
  end
  for round = 1, 400 do -- in C they take 40 MiB
    if round == 100 then
      before = support.resident_mib()
    end
    assert(client:check("ann", accounts, "single"))
  end
  lu.assertTrue(support.resident_mib() - before < 8)
end

function _G.test_closing_twice_does_nothing()
  local client = support.open()
  lu.assertTrue(client:close())
  lu.assertTrue(client:close())
end

function _G.test_dropped_client_is_closed()
  local path = os.tmpname()
  os.remove(path)
  assert(chatblock.open { path = path }) -- the store takes one client at a time
  support.eventually("the client that nobody holds is closed", function()
    collectgarbage()
    local client = chatblock.open { path = path }
    return client and client:close()
  end)
  support.remove_store(path)
end

function _G.test_client_of_another_process_is_refused()
  local client = support.open()
  local child = ffi.C.fork()
  if child == 0 then
    local _, err = client:add("ann", "bob")
    local _, hot = client:is_blocked("ann", "bob")
    local _, polled = client:poll(0)
    local refused = err and hot and polled and err.status .. hot.status .. polled.status
    client:close()
    ffi.C._exit(refused == ("ERR_FORKED"):rep(3) and 0 or 1)
  end
  local status = ffi.new "int[1]"
  ffi.C.waitpid(child, status, 0)
  lu.assertEquals(status[0], 0)
end

function _G.test_version_is_a_text_and_a_number()
  local text, number = chatblock.version()
  local major, minor, patch = text:match "^(%d+)%.(%d+)%.(%d+)$"
  lu.assertEquals(number, major * 65536 + minor * 256 + patch)
end
