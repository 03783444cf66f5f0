--- What several tests need.

local chatblock = require "chatblock"
local json = require "dkjson"
local lu = require "luaunit"
local socket = require "socket"

local support = {}

local APP = { sdkappid = 1400000001, secret_key = "synthetic-key-for-tests-0001" }

local function with(base, more)
  local all = {}
  for _, part in ipairs { base, more or {} } do
    for key, value in pairs(part) do
      all[key] = value
    end
  end
  return all
end

--- The configuration of a client of the service at this port.
function support.remote(port, more)
  return with(with(APP, { base_url = "http://127.0.0.1:" .. port }), more)
end

--- Removes a store or an outbox, and what lies beside it.
function support.remove_store(path)
  for _, ending in ipairs { "", ".lock", "-wal", "-shm" } do
    os.remove(path .. ending)
  end
end

--- Runs test(port) beside the service of the command line.
function support.with_service(more, test)
  local file = os.tmpname()
  local config = assert(io.open(file, "w"))
  config:write(json.encode(with(with(APP, { backend = "embedded" }), more)))
  config:close()
  local program = os.getenv "CHATBLOCK_PREFIX" .. "/bin/chatblock"
  local service = assert(io.popen(("echo $$; exec '%s' serve --config '%s'"):format(program, file)))
  local pid = assert(service:read "*n")
  service:read "*l"
  local port = assert(service:read "*l"):match ":(%d+)$"
  local passed, why = xpcall(test, function(err)
    return type(err) == "string" and debug.traceback(err) or err
  end, tonumber(port))
  os.execute("kill " .. pid)
  service:close()
  os.remove(file)
  if not passed then
    error(why, 0)
  end
end

--- Runs test(port) beside a service that takes connections and never answers.
function support.with_silence(test)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  test(tonumber(port))
  listener:close()
end

--- Waits until what is true.
function support.eventually(what, is_true)
  local deadline = socket.gettime() + 10
  while not is_true() do
    lu.assertTrue(socket.gettime() < deadline, what .. ": not within 10 seconds")
    socket.sleep(0.001)
  end
end

--- A member of the client's own document.
function support.stat(client, ...)
  local member = json.decode(assert(client:stats()))
  for _, name in ipairs { ... } do
    member = member[name]
  end
  return member
end

--- The memory of this process, without garbage.
function support.resident_mib()
  collectgarbage()
  local file = assert(io.open "/proc/self/statm")
  local pages = file:read("*a"):match "%d+ (%d+)"
  file:close()
  return pages * 4096 / 2 ^ 20
end

--- Fails unless a call gave nil and an error with this status.
function support.assert_fails(status, answer, err)
  lu.assertNil(answer)
  lu.assertNotNil(err)
  lu.assertEquals(err.status, status)
end

--- Every way to use a client, by name.
function support.every_call(client)
  local function nothing() end
  return {
    add = function() return client:add("ann", "bob") end,
    delete = function() return client:delete("ann", "bob") end,
    check = function() return client:check("ann", "bob", "both") end,
    get = function() return client:get("ann", 0, 10) end,
    call = function() return client:call("black_list_get", "{}") end,
    add_async = function() return client:add_async("ann", "bob", nothing) end,
    delete_async = function() return client:delete_async("ann", "bob", nothing) end,
    check_async = function() return client:check_async("ann", "bob", "both", nothing) end,
    get_async = function() return client:get_async("ann", 0, 10, nothing) end,
    submit = function() return client:submit("black_list_get", "{}", nothing) end,
    poll = function() return client:poll(0) end,
    event_fd = function() return client:event_fd() end,
    wakeup = function() return client:wakeup() end,
    cancel = function() return client:cancel(1) end,
    flush = function() return client:flush(0) end,
    sync = function() return client:sync(0) end,
    backup = function() return client:backup "copy.db" end,
    is_blocked = function() return client:is_blocked("ann", "bob") end,
    is_blocked_many = function() return client:is_blocked_many({ "ann" }, "bob") end,
    blocked_pairs = function() return client:blocked_pairs { "ann", "bob" } end,
    watch = function() return client:watch "ann" end,
    unwatch = function() return client:unwatch "ann" end,
    apply_webhook = function() return client:apply_webhook("", "") end,
    stats = function() return client:stats() end,
  }
end

support.open = function(config)
  return assert(chatblock.open(config))
end

return support
