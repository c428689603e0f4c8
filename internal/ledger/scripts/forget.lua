-- forget drops a settled order whose retention is over: record and index
-- entries. The counters keep counting it.
--
-- KEYS[5]  the customer's index
-- ARGV[3]  settled at or before, microseconds
--
-- Returns 1 if the order is gone through this call, else 0.
local status, at = unpack(redis.call('HMGET', record, 's', 'z'))
if not status or not settled[status] or tonumber(at) > tonumber(ARGV[3]) then
  return 0
end
redis.call('ZREM', index .. status, id)
redis.call('ZREM', KEYS[5], id)
redis.call('DEL', record)
return 1
