--- JSON texts for the library: its configuration and its requests.

local json = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape(char)
  return ESCAPES[char] or string.format("\\u%04x", char:byte())
end

local function text(value)
  return '"' .. value:gsub('[%c"\\]', escape) .. '"'
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    error("a number of the configuration is not finite", 0)
  end
  return value % 1 == 0 and string.format("%.0f", value) or string.format("%.17g", value)
end

local encode

local function object(value)
  local members = {}
  for name, member in pairs(value) do
    if type(name) ~= "string" then
      error("a configuration has names, not numbers", 0)
    end
    members[#members + 1] = text(name) .. ":" .. encode(member)
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local ENCODERS = { string = text, number = number, boolean = tostring, table = object }

function encode(value)
  local encoder = ENCODERS[type(value)]
  if not encoder then
    error("JSON has no " .. type(value), 0)
  end
  return encoder(value)
end

--- The text of a value: a string, a number, a boolean, or a table of these with names (not an array).
-- Raises an error for anything else.
function json.encode(value)
  return encode(value)
end

return json
