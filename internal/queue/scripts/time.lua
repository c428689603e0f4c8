-- time returns the time of a Redis node, microseconds since 1970.
--
-- KEYS[1]  any key of the node
local now = redis.call('TIME')
return now[1] * 1000000 + now[2]
