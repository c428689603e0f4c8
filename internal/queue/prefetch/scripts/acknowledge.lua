-- acknowledge removes finished tasks from a queue, as Asynq removes one.
--
-- KEYS[1]  active tasks of the queue
-- KEYS[2]  their leases
-- KEYS[3]  how many tasks were processed today
-- KEYS[4]  how many tasks were ever processed
-- KEYS[5]  and on: the tasks
-- ARGV[1]  when the count of today expires, seconds
-- ARGV[2]  and on: the ids of the tasks
--
-- Returns for each task 1 if it was active and is removed, else 0.
local removed, ids, tasks = {}, {}, {}
for n = 1, #ARGV - 1 do
  local id = ARGV[n + 1]
  -- Tasks finish in about the order in which they began: search from the end of the list.
  removed[n] = redis.call('LREM', KEYS[1], -1, id)
  if removed[n] > 0 then
    ids[#ids + 1] = id
    tasks[#tasks + 1] = KEYS[n + 4]
  end
end
if #ids > 0 then
  redis.call('ZREM', KEYS[2], unpack(ids))
  redis.call('DEL', unpack(tasks))
  if redis.call('INCRBY', KEYS[3], #ids) == #ids then
    redis.call('EXPIREAT', KEYS[3], ARGV[1])
  end
  redis.call('INCRBY', KEYS[4], #ids)
end
return removed
