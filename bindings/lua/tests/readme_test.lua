--- The README shows the example that runs.

local lu = require "luaunit"

local function read(name)
  local file = assert(io.open(name))
  local text = file:read "*a"
  file:close()
  return text
end

function _G.test_readme_shows_the_example()
  lu.assertStrContains(read "README.md", "```lua\n" .. read "example.lua" .. "```")
end
