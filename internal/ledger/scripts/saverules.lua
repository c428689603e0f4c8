-- saverules stores a rule set unless its version is stored.
--
-- KEYS[1]  the rule sets
-- KEYS[2]  the audit
-- ARGV[1]  version
-- ARGV[2]  its document
-- ARGV[3]  how many rule sets there may be
-- ARGV[4]  who stores it
-- ARGV[5]  the request, may be empty
--
-- Returns saved, known, or full when there are as many.
local known, active, shadow = unpack(redis.call('HMGET', KEYS[1], ARGV[1], 'active', 'shadow'))
if known then
  return 'known'
end
local sets = redis.call('HLEN', KEYS[1]) - (active and 1 or 0) - (shadow and 1 or 0)
if sets >= tonumber(ARGV[3]) then
  return 'full'
end
write_entry(KEYS[2], 'rules.push', ARGV[4], ARGV[1], '', ARGV[5])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 'saved'
