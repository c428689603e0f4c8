-- totals reads the counters and the size of each unsettled status's index in
-- one step, so that both are of the same moment and the drift is exact.
--
-- KEYS[1]  the counters
-- KEYS[2]  and on: the indexes of the unsettled statuses
--
-- Returns the time in microseconds, the counters as HGETALL gives them, and the
-- sizes in the order of the keys.
local time = redis.call('TIME')
local sizes = {}
for i = 2, #KEYS do
  sizes[i - 1] = redis.call('ZCARD', KEYS[i])
end
return { time[1] .. string.format('%06d', time[2]), redis.call('HGETALL', KEYS[1]), sizes }
