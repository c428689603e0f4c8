-- withhold keeps Asynq from bringing a task back by itself: without a lease, it
-- takes it for one that is being worked.
--
-- KEYS[1]  leases of the queue
-- ARGV[1]  the task's id
-- ARGV[2]  the lease that it was seen with, empty for none
--
-- Returns 1 if it is withheld now, 0 if its lease has changed.
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease then
  return 1
end
if lease ~= ARGV[2] then
  return 0
end
return redis.call('ZREM', KEYS[1], ARGV[1])
