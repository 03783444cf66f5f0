-- The module is loaded again, and where mods have no require.

local lu = require "luaunit"
local real_require = require

TestReload = {}

local function forget()
  for name in pairs(package.loaded) do
    if name == "chatblock" or name:find "^chatblock%." then
      package.loaded[name] = nil
    end
  end
end

-- A call of each kind.
local function works(chatblock)
  local client = assert(chatblock.open())
  assert(client:add("ann", { "bob" }))
  lu.assertTrue(client:is_blocked("ann", "bob"))
  lu.assertTrue(client:is_blocked_many({ "ann" }, "bob")[1])
  lu.assertEquals(assert(client:get("ann", 0, 10)).items[1].account, "bob")
  local told
  assert(client:delete_async("ann", "bob", function(answer)
    told = answer.status
  end))
  assert(client:flush())
  assert(client:poll(1000))
  lu.assertEquals(told, "OK")
  assert(client:stats())
  assert(client:close())
end

function TestReload:test_a_module_that_is_loaded_again_works_beside_the_first()
  local first = require "chatblock"
  local client = assert(first.open())
  forget()
  local second = require "chatblock"
  lu.assertNotIs(first, second)
  works(second)
  works(first)
  assert(client:close())
end

-- As the README says it for Minetest, whose mod security takes require away.
function TestReload:test_require_is_needed_while_the_module_is_loaded_only()
  forget()
  local core = {
    request_insecure_environment = function()
      return { require = real_require }
    end,
  }
  rawset(_G, "require", nil)
  local loaded, why = pcall(function()
    local insecure = assert(core.request_insecure_environment(), "add this mod to secure.trusted_mods")
    rawset(_G, "require", insecure.require)
    local chatblock = insecure.require "chatblock"
    rawset(_G, "require", nil)
    works(chatblock)
  end)
  rawset(_G, "require", real_require)
  lu.assertTrue(loaded, tostring(why))
end
