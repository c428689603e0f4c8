-- inforce gives a version of the rules a part in decisions. A shadow of the version that
-- becomes active ends.
--
-- KEYS[1]  the rule sets
-- KEYS[2]  the audit
-- ARGV[1]  the part: active or shadow
-- ARGV[2]  version; empty for none any more
-- ARGV[3]  what the audit calls it; empty to leave it out, in copies of the first book
-- ARGV[4]  who does it
-- ARGV[5]  the request, may be empty
--
-- Returns 1 if this changed anything, else 0.
local before, shadow = unpack(redis.call('HMGET', KEYS[1], ARGV[1], 'shadow'))
if (before or '') == ARGV[2] then
  return 0
end
if ARGV[3] ~= '' then
  write_entry(KEYS[2], ARGV[3], ARGV[4], ARGV[2] == '' and before or ARGV[2], '', ARGV[5])
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
if ARGV[1] == 'active' and shadow == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'shadow')
end
return 1
