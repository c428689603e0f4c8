-- forward makes due tasks of a queue pending, as Asynq does.
--
-- KEYS[1]  scheduled or retrying tasks, by the second in which they are due
-- KEYS[2]  pending tasks of the queue
-- ARGV[1]  the time, seconds
-- ARGV[2]  prefix of the keys of tasks; they live in the same Cluster slot
-- ARGV[3]  the time, nanoseconds
-- ARGV[4]  how many tasks
--
-- Returns how many tasks it moved. Its first write is a removal, which Redis allows even
-- when memory is full. A task that is not a hash is moved unchanged; the worker that
-- fetches it leaves it to recovery.
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[4])
if #ids == 0 then
  return 0
end
redis.call('ZREM', KEYS[1], unpack(ids))
redis.call('LPUSH', KEYS[2], unpack(ids))
for _, id in ipairs(ids) do
  redis.pcall('HSET', ARGV[2] .. id, 'state', 'pending', 'pending_since', ARGV[3])
end
return #ids
