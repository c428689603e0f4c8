-- requeued counts that an unsettled order without a task was given one again.
--
-- ARGV[3]  token, unique to one repair
--
-- Returns 1 if it counted, 0 if it had before or the order is settled.
local status, last = unpack(redis.call('HMGET', record, 's', 'r'))
if not status or settled[status] or last == ARGV[3] then
  return 0
end
redis.call('HSET', record, 'r', ARGV[3])
redis.call('HINCRBY', counters, 'requeued', 1)
return 1
