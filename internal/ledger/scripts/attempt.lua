-- attempt begins, fails or settles attempts. The three share a script, and so a run of it:
-- what a run costs is shared among more orders.
--
-- step  begin, fail or settle; its arguments follow, see begin.lua, fail.lua and settle.lua
return update_known({ begin = begin_attempt, fail = fail_attempt, settle = settle_attempt })
