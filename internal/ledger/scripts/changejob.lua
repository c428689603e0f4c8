-- changejob pauses, resumes or stops a job for a person.
--
-- KEYS[1]  the job
-- KEYS[2]  the jobs that have not ended
-- KEYS[3]  the audit
-- ARGV[1]  its id
-- ARGV[2]  paused, running or stopped: what it is to be
-- ARGV[3]  what the audit calls it
-- ARGV[4]  who wants it
-- ARGV[5]  the request, may be empty
--
-- Returns {'changed', fields} with the job as HGETALL gives it, also if it is so already;
-- {'ended', fields} if it has ended otherwise; {'missing'}.
local job, open, audit = unpack(KEYS)
local id, to = ARGV[1], ARGV[2]
local state, counted = unpack(redis.call('HMGET', job, 'state', 'counted'))
if not state then
  return { 'missing' }
end
local running = state == 'counting' or state == 'running'
if state == to or to == 'running' and running then
  return { 'changed', redis.call('HGETALL', job) }
end
if not running and state ~= 'paused' then
  return { 'ended', redis.call('HGETALL', job) }
end

redis.call('HDEL', job, 'error')
write_entry(audit, ARGV[3], ARGV[4], id, '', ARGV[5])
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
if to == 'stopped' then
  redis.call('ZREM', open, id)
  redis.call('HDEL', job, 'customer')
  redis.call('HSET', job, 'ended', now)
elseif to == 'running' and not counted then
  to = 'counting'
elseif to == 'running' and redis.call('HGET', job, 'judged') then
  redis.call('HSET', job, 'canary_passed', '1') -- by the person
end
redis.call('HSET', job, 'state', to, 'updated', now)
return { 'changed', redis.call('HGETALL', job) }
