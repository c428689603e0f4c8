-- audit writes an entry for a change that is made elsewhere than in the books.
--
-- KEYS[1]  the audit
-- KEYS[2]  the counters
-- ARGV[1]  a token that is unique to one call
-- ARGV[2]  what is to be done
-- ARGV[3]  by whom
-- ARGV[4]  to what
-- ARGV[5]  why, may be empty
-- ARGV[6]  the request, may be empty
-- ARGV[7]  for how long a call may be repeated, milliseconds
--
-- Returns 1, or 0 if this call has written its entry before.
local time = redis.call('TIME')
local since = string.format('%.0f', math.max(time[1] * 1000 - ARGV[7], 0))
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', since)) do
  if entry[2][12] == ARGV[1] then
    return 0
  end
end
redis.call('HDEL', KEYS[2], '') -- a removal first, as in update_known: what an operator does must be written in a full Redis, too
write_entry(KEYS[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[1])
return 1
