-- putback gives a task that a worker took, and that nobody works any more, to the
-- next worker. Asynq counts no attempt for it.
--
-- KEYS[1]  active tasks of the queue
-- KEYS[2]  their leases
-- KEYS[3]  pending tasks of the queue
-- KEYS[4]  the task
-- ARGV[1]  its id
-- ARGV[2]  the lease that it was seen with, empty for none
-- ARGV[3]  the time, nanoseconds
--
-- Returns 1 if it is pending now, 0 if its lease has changed or it is not active.
if (redis.call('ZSCORE', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then
  return 0
end
if redis.call('LREM', KEYS[1], 0, ARGV[1]) == 0 then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[1]) -- the end that is taken next
redis.call('HSET', KEYS[4], 'state', 'pending', 'pending_since', ARGV[3])
return 1
