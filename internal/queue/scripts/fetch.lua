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
-- Returns how many tasks it took, then id and message of each, in turn. A task that
-- cannot be read is taken and left out, as by Asynq; the sweeper finds it.
--
-- Unlike Asynq it leaves the time since when the task was pending where it is: nobody
-- reads that of an active one, and it is written anew when the task is pending again.
-- The first write is a removal, which Redis allows even when memory is full: working
-- orders is what frees it.
if redis.call('EXISTS', KEYS[4]) == 1 then
  return { 0 }
end
local ids = redis.call('RPOP', KEYS[3], ARGV[3])
if not ids then
  return { 0 }
end
local leases = {}
for n, id in ipairs(ids) do
  leases[2 * n - 1], leases[2 * n] = ARGV[1], id
end
redis.call('LPUSH', KEYS[1], unpack(ids))
redis.call('ZADD', KEYS[2], unpack(leases))

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
