-- requeue makes active tasks pending again, in front of their queue. Asynq counts no
-- attempt for it.
--
-- KEYS[1]  active tasks of the queue
-- KEYS[2]  their leases
-- KEYS[3]  pending tasks of the queue
-- KEYS[4]  and on: the tasks; the last one is fetched next
-- ARGV[1]  the time, nanoseconds
-- ARGV[2]  and on, for each task: its id, and its expected lease, empty for none
--
-- Returns how many tasks are pending now. A task that is not active, or whose lease is
-- another than expected, is left alone. A task that is not a hash is requeued unchanged;
-- the worker that fetches it reports it as corrupt.
local requeued = 0
for n = 1, #KEYS - 3 do
  local id, lease = ARGV[2 * n], ARGV[2 * n + 1]
  local same = (redis.call('ZSCORE', KEYS[2], id) or '') == lease
  if same and redis.call('LREM', KEYS[1], 0, id) > 0 then
    redis.call('ZREM', KEYS[2], id)
    redis.call('RPUSH', KEYS[3], id) -- the end that is fetched next
    redis.pcall('HSET', KEYS[n + 3], 'state', 'pending', 'pending_since', ARGV[1])
    requeued = requeued + 1
  end
end
return requeued
