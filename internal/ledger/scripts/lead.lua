-- lead makes a process the leader of recovery unless another one leads, and says what there
-- is for it to do.
--
-- KEYS[1]  the leader
-- KEYS[2]  the held orders by the expiry of their hold
-- KEYS[3]  and on, so many as ARGV[4] says: the indexes of the unsettled statuses; after them
--          those of the settled ones
-- ARGV[1]  name of the process
-- ARGV[2]  the term for which it leads without asking again, milliseconds
-- ARGV[3]  how long settled orders are kept, microseconds
-- ARGV[4]  how many unsettled statuses there are
--
-- Returns {0, 0, 0, 0, 0} if another process leads; else {1, now, expired, settled,
-- unsettled}: the time, microseconds; 1 if a hold has expired; 1 if a settled order was
-- accepted longer ago than settled orders are kept; 1 if there is an unsettled order; 0
-- otherwise.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
  return { 0, 0, 0, 0, 0 }
end
redis.call('DEL', KEYS[1]) -- a removal first, as in update_known: a full Redis needs a leader to forget
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local oldest = now - ARGV[3]
-- has reports whether a sorted set has a member with a score up to at.
local function has(key, at)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2]) <= at
end
local expired, settled, unsettled = has(KEYS[2], now), false, false
for n = 3, #KEYS do
  if n < 3 + ARGV[4] then
    unsettled = unsettled or has(KEYS[n], now)
  else
    settled = settled or has(KEYS[n], oldest)
  end
end
return { 1, now, expired and 1 or 0, settled and 1 or 0, unsettled and 1 or 0 }
