-- fetch takes pending tasks off a queue for a worker, as Asynq takes one: the oldest
-- first, none while the queue is paused.
--
-- KEYS[1]  pending tasks of the queue
-- KEYS[2]  exists while the queue is paused
-- KEYS[3]  active tasks of the queue
-- KEYS[4]  leases of the active tasks
-- ARGV[1]  when the leases end, seconds
-- ARGV[2]  prefix of the keys of tasks; they live in the same Cluster slot
-- ARGV[3]  how many tasks
--
-- Returns how many tasks it took, then the id and the message of each. A task without a
-- readable message is taken and left out, as by Asynq; recovery finds it.
--
-- Unlike Asynq, it keeps pending_since of the tasks: nobody reads it of an active task,
-- and it is overwritten when the task is pending again. Its first write is a removal,
-- which Redis allows even when memory is full: working orders is what frees memory.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return { 0 }
end
local ids = redis.call('RPOP', KEYS[1], ARGV[3])
if not ids then
  return { 0 }
end
local leases = {}
for n, id in ipairs(ids) do
  leases[2 * n - 1], leases[2 * n] = ARGV[1], id
end
redis.call('LPUSH', KEYS[3], unpack(ids))
redis.call('ZADD', KEYS[4], unpack(leases))

local answer = { #ids }
for _, id in ipairs(ids) do
  local task = ARGV[2] .. id
  redis.pcall('HSET', task, 'state', 'active')
  local message = redis.pcall('HGET', task, 'msg')
  if type(message) == 'string' then
    answer[#answer + 1] = id
    answer[#answer + 1] = message
  end
end
return answer
