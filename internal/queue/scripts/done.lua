-- done takes worked tasks off a queue, as Asynq takes off one.
--
-- KEYS[1]  active tasks of the queue
-- KEYS[2]  their leases
-- KEYS[3]  how many tasks were processed today
-- KEYS[4]  how many ever were
-- KEYS[5]  and on: the tasks
-- ARGV[1]  when today's count expires, in seconds
-- ARGV[2]  and on: the ids of the tasks, in turn
--
-- Returns for each task 1 if it is gone through this call, else 0.
local gone, ids, tasks = {}, {}, {}
for n = 1, #ARGV - 1 do
  local id = ARGV[n + 1]
  -- Most tasks end in about the order in which they began: from the end of the list.
  gone[n] = redis.call('LREM', KEYS[1], -1, id)
  if gone[n] > 0 then
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
return gone
