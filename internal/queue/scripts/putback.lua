-- putback gives tasks that a worker took, and that nobody works any more, to the
-- next worker. Asynq counts no attempt for it.
--
-- KEYS[1]  active tasks of the queue
-- KEYS[2]  their leases
-- KEYS[3]  pending tasks of the queue
-- KEYS[4]  and on: the tasks; the last one is taken next
-- ARGV[1]  the time, nanoseconds
-- ARGV[2]  and on, for each task: its id, and the lease that it was seen with, empty
--          for none
--
-- Returns how many are pending now; not one whose lease has changed or that is not
-- active. A task that is no hash is put back as it is; who takes it finds out.
local back = 0
for n = 1, #KEYS - 3 do
  local id, lease = ARGV[2 * n], ARGV[2 * n + 1]
  local same = (redis.call('ZSCORE', KEYS[2], id) or '') == lease
  if same and redis.call('LREM', KEYS[1], 0, id) > 0 then
    redis.call('ZREM', KEYS[2], id)
    redis.call('RPUSH', KEYS[3], id) -- the end that is taken next
    redis.pcall('HSET', KEYS[n + 3], 'state', 'pending', 'pending_since', ARGV[1])
    back = back + 1
  end
end
return back
