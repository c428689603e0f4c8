-- storecorrupt takes a task that cannot be decoded off its queue, wherever it is, and
-- stores its content. Asynq would meet it again and again.
--
-- KEYS[1]  the task
-- KEYS[2]  stored tasks: a hash of content by id
-- KEYS[3]  their ids by time
-- KEYS[4]  active, KEYS[5] leases, KEYS[6] pending, KEYS[7] scheduled,
-- KEYS[8]  retry, KEYS[9] archived
-- ARGV[1]  its id
-- ARGV[2]  the time, microseconds
-- ARGV[3]  how many bytes of the task are stored
-- ARGV[4]  how many tasks are stored
--
-- Returns 1 if it was in the queue, else 0. Its first write is a removal, which Redis
-- allows even when its memory is full.
local found = redis.call('LREM', KEYS[4], 0, ARGV[1]) + redis.call('LREM', KEYS[6], 0, ARGV[1])
found = found + redis.call('ZREM', KEYS[5], ARGV[1])
for i = 7, 9 do
  found = found + redis.call('ZREM', KEYS[i], ARGV[1])
end
local message = redis.pcall('HGET', KEYS[1], 'msg')
if type(message) ~= 'string' then
  message = ''
end
found = found + redis.call('DEL', KEYS[1])
if found == 0 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], string.sub(message, 1, tonumber(ARGV[3])))
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
local old = redis.call('ZRANGE', KEYS[3], 0, -1 - tonumber(ARGV[4]))
for _, id in ipairs(old) do
  redis.call('HDEL', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
end
return 1
