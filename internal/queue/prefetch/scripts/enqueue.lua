-- enqueue adds tasks to a queue, as Asynq adds one.
--
-- KEYS[1]  pending tasks of the queue
-- KEYS[2]  and on: the tasks
-- ARGV[1]  the time, nanoseconds
-- ARGV[2]  and on, for each task: its message and its id
--
-- Returns for each task 1 if it was added, 0 if there was one already.
local added, ids = {}, {}
for n = 1, #KEYS - 1 do
  local task = KEYS[n + 1]
  if redis.call('EXISTS', task) == 1 then
    added[n] = 0
  else
    redis.call('HSET', task, 'msg', ARGV[2 * n], 'state', 'pending', 'pending_since', ARGV[1])
    ids[#ids + 1] = ARGV[2 * n + 1]
    added[n] = 1
  end
end
if #ids > 0 then
  redis.call('LPUSH', KEYS[1], unpack(ids))
end
return added
