-- droplease removes the lease of an active task, so that Asynq does not requeue it:
-- Asynq takes an active task without a lease for one that is being worked.
--
-- KEYS[1]  leases of the queue
-- ARGV[1]  the task's id
-- ARGV[2]  the lease that was read last, empty for none
--
-- Returns 1 if the task has no lease now, 0 if its lease has changed.
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease then
  return 1
end
if lease ~= ARGV[2] then
  return 0
end
return redis.call('ZREM', KEYS[1], ARGV[1])
