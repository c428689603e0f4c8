-- recount sets the gauge of each status to the size of its index and what of it is
-- forgotten, and the accepted orders to their sum.
--
-- KEYS[1]  the counters
-- KEYS[2]  and on: the indexes
-- ARGV     the status of each index
--
-- Returns the number of accepted orders.
local counters = KEYS[1]
redis.call('HDEL', counters, '') -- a removal first, as in update_known
local accepted = 0
for i, status in ipairs(ARGV) do
  local gauge, forgotten = unpack(redis.call('HMGET', counters, 'g:' .. status, 'f:' .. status))
  local size = redis.call('ZCARD', KEYS[i + 1])
  if forgotten then
    size = size + forgotten
  elseif status == 'completed' or status == 'rejected' or status == 'failed' or status == 'cancelled' then
    -- Versions that did not count what they forgot have left it in the gauge alone.
    size = math.max(size, gauge or 0)
  end
  redis.call('HSET', counters, 'g:' .. status, string.format('%.0f', size))
  accepted = accepted + size
end
redis.call('HSET', counters, 'accepted', string.format('%.0f', accepted))
return accepted
