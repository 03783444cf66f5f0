--- Arguments for C. A string with a NUL byte would be cut there, so it is refused.

local ffi = require "ffi"
local result = require "chatblock.result"

local texts = {}

local pointers = ffi.typeof "const char *[?]"

--- Whether C reads a value as the text that it is.
function texts.is_text(value)
  return type(value) == "string" and not value:find("\0", 1, true)
end

--- The error for a value that C cannot be given as a text, else nil.
function texts.fault(argument, value)
  if not texts.is_text(value) then
    return result.bad_argument(argument, type(value) == "string" and "contains a NUL byte" or "is no string")
  end
end

--- An array for C of one string or a table of strings, and how many they are; or nil and an error.
-- It borrows the strings: hold on to `values` while C reads them.
function texts.array(argument, values)
  if type(values) == "string" then
    values = { values }
  elseif type(values) ~= "table" then
    return nil, result.bad_argument(argument, "is no table of strings")
  end
  local count = #values
  local array = pointers(count + 1) -- never empty, so that it has an address
  for index = 1, count do
    local value = values[index]
    if not texts.is_text(value) then
      return nil, texts.fault(("%s[%d]"):format(argument, index - 1), value)
    end
    array[index - 1] = value
  end
  return array, count
end

--- The error for a value that is no integer within bounds, else nil.
function texts.range_fault(argument, value, least, most)
  if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
    return result.bad_argument(argument, ("is not %.0f to %.0f"):format(least, most))
  end
end

return texts
