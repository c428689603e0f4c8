-- archived removes the marks of orders that the archive has as they are, and remembers
-- the state of the archive. If that is another archive than the last one, or an older
-- copy of it, all orders are to be marked again; see markall.
--
-- KEYS[1]  the marks
-- KEYS[2]  what is remembered: id and puts of the archive, the last token, and under walk
--          how far markall has come
-- KEYS[3]  and on: the orders' records
-- ARGV[1]  id of the archive, empty to leave what is remembered
-- ARGV[2]  how many batches it has confirmed
-- ARGV[3]  a token that is unique to one call
-- ARGV[4]  when an order is due that has changed since and is not settled, µs from now
-- ARGV[5]  and on, for each order: its id and the sequence that the archive has; empty for
--          an order that had no record
--
-- Returns 1 if all orders are to be marked again, else 0.
local marks, known = KEYS[1], KEYS[2]
redis.call('HDEL', known, '') -- a removal first, as in update_known
local id, puts, token = unpack(redis.call('HMGET', known, 'id', 'puts', 'token'))
local orders = #KEYS - 2
if ARGV[1] ~= '' and token ~= ARGV[3] then
  -- The batch of this call was counted after the one that is remembered.
  local least = (tonumber(puts) or 0) + math.min(orders, 1)
  if id ~= ARGV[1] or tonumber(ARGV[2]) < least then
    redis.call('HSET', known, 'walk', '1 -inf')
  end
  redis.call('HSET', known, 'id', ARGV[1], 'puts', ARGV[2], 'token', ARGV[3])
end

local settled = { completed = true, rejected = true, failed = true, cancelled = true }
local time = redis.call('TIME')
local later = string.format('%.0f', time[1] .. string.format('%06d', time[2]) + ARGV[4])
for n = 1, orders do
  local member, sequence = ARGV[3 + 2 * n], ARGV[4 + 2 * n]
  local now, status = unpack(redis.call('HMGET', KEYS[2 + n], 'v', 's'))
  if (now or '') == sequence then
    redis.call('ZREM', marks, member)
  elseif now and not settled[status] then
    redis.call('ZADD', marks, 'XX', later, member)
  end
end
return redis.call('HGET', known, 'walk') and 1 or 0
