-- attempt begins, fails or settles attempts. The three share a script, and so a run of it:
-- what a run costs is shared among more orders.
--
-- step  begin, fail or settle; its arguments follow, see begin.lua, fail.lua and settle.lua
local steps = { begin = begin_attempt, fail = fail_attempt, settle = settle_attempt }

return update_known(function(step, ...)
  return steps[step](...)
end)
