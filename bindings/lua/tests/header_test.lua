--- The declarations of the module are those of the header.

local lu = require "luaunit"

-- The declarations of chatblock in a text, with one blank between words, by themselves.
local function declarations(text)
  text = text:gsub("%s+", " "):gsub(",? }", " }")
  local found = {}
  for declaration in text:gmatch "%s*([^;]+;)" do
    if declaration:find("chatblock_", 1, true) then
      found[declaration] = true
    end
  end
  return found
end

local function read(file)
  local text = file:read "*a"
  file:close()
  return text
end

function _G.test_declarations_are_those_of_the_header()
  local header = read(assert(io.popen('cc -E -P "$CHATBLOCK_PREFIX/include/chatblock.h"')))
  local module = read(assert(io.open(package.searchpath("chatblock.native", package.path))))
  local expected = declarations(header)
  lu.assertTrue(next(expected) ~= nil)
  lu.assertEquals(declarations(module:match "declarations = (%b[])":sub(3, -3)), expected)
end
