for _, name in ipairs { "header", "scenario", "client", "calls", "hotpath", "readme", "reload" } do
  require("tests." .. name .. "_test")
end
os.exit(require("luaunit").LuaUnit.run())
