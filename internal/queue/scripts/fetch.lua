-- fetch takes tasks that wait off a queue for a worker, as Asynq takes one: the
-- oldest first, none while the queue is paused.
--
-- KEYS[1]  active tasks of the queue
-- KEYS[2]  their leases
-- KEYS[3]  pending tasks of the queue
-- KEYS[4]  there while the queue is paused
-- ARGV[1]  when the leases end, in seconds
-- ARGV[2]  prefix of the tasks' keys; they live in the same Cluster slot
-- ARGV[3]  how many tasks
--
-- Returns id and message of each task, in turn. Unlike Asynq it leaves the time since
-- when the task was pending where it is: nobody reads that of an active one, and it is
-- written anew when the task is pending again. The first write is a removal, which
-- Redis allows even when memory is full: working orders is what frees it.
if redis.call('EXISTS', KEYS[4]) == 1 then
  return {}
end
local ids = redis.call('RPOP', KEYS[3], ARGV[3])
if not ids then
  return {}
end
local tasks, leases = {}, {}
for n, id in ipairs(ids) do
  local task = ARGV[2] .. id
  redis.call('HSET', task, 'state', 'active')
  leases[2 * n - 1], leases[2 * n] = ARGV[1], id
  tasks[2 * n - 1], tasks[2 * n] = id, redis.call('HGET', task, 'msg')
end
redis.call('LPUSH', KEYS[1], unpack(ids))
redis.call('ZADD', KEYS[2], unpack(leases))
return tasks
