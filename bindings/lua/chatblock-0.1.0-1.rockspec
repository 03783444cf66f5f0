rockspec_format = "3.0"
package = "chatblock"
version = "0.1.0-1"
source = {
  url = "git+https://example.invalid/chatblock.git",
  tag = "v0.1.0",
}
description = {
  summary = "Per-player block lists for game servers",
  detailed = "The blocklist calls of Tencent Cloud Chat, to the service or to an engine inside the process. "
    .. "Needs LuaJIT 2.1 and libchatblock.",
  license = "MIT OR Apache-2.0",
}
dependencies = { "lua == 5.1" }
external_dependencies = { CHATBLOCK = { library = "libchatblock.so.0.1" } }
build = {
  type = "builtin",
  modules = {
    ["chatblock"] = "chatblock.lua",
    ["chatblock.calls"] = "chatblock/calls.lua",
    ["chatblock.client"] = "chatblock/client.lua",
    ["chatblock.forms"] = "chatblock/forms.lua",
    ["chatblock.hotpath"] = "chatblock/hotpath.lua",
    ["chatblock.json"] = "chatblock/json.lua",
    ["chatblock.native"] = "chatblock/native.lua",
    ["chatblock.result"] = "chatblock/result.lua",
    ["chatblock.texts"] = "chatblock/texts.lua",
  },
}
