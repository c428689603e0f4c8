-- createjob records a job, and drops the oldest ones that have ended when there are too
-- many.
--
-- KEYS[1]   the counters
-- KEYS[2]   the jobs, by their time of creation
-- KEYS[3]   those of them that have not ended, likewise
-- KEYS[4]   the audit
-- KEYS[5]   the job
-- ARGV[1]   how many jobs may run
-- ARGV[2]   how many are kept
-- ARGV[3]   prefix of the jobs' keys; they live in the same Cluster slot
-- ARGV[4]   id
-- ARGV[5]   action
-- ARGV[6]   its document, see job.go
-- ARGV[7]   whom it erases, may be empty
-- ARGV[8]   how many orders it may change, 0 for any number
-- ARGV[9]   its canary, 0 for none
-- ARGV[10]  after how many failures it stops, 0 for never
-- ARGV[11]  what the audit calls it, and after it actor, target, reason and request
--
-- Returns {'created', fields} with the job as HGETALL gives it; {'known', fields} if
-- this job is there; {'conflict'} if another one has its id; {'full'} when too many jobs run.
local counters, all, open, audit, job = unpack(KEYS)
local max_running, max_kept, prefix, id = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
if redis.call('EXISTS', job) == 1 then
  if redis.call('HGET', job, 'action') ~= ARGV[5] or redis.call('HGET', job, 'doc') ~= ARGV[6] then
    return { 'conflict' }
  end
  return { 'known', redis.call('HGETALL', job) }
end
if redis.call('ZCARD', open) >= max_running then
  return { 'full' }
end

redis.call('HDEL', counters, '') -- a removal first, as in update_known: jobs make room in a full Redis
write_entry(audit, unpack(ARGV, 11, 15))
local surplus = redis.call('ZCARD', all) + 1 - max_kept
for _, old in ipairs(surplus > 0 and redis.call('ZRANGE', all, 0, surplus + max_running) or {}) do
  if surplus > 0 and not redis.call('ZSCORE', open, old) then
    redis.call('DEL', prefix .. old)
    redis.call('ZREM', all, old)
    surplus = surplus - 1
  end
end
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
redis.call('HSET', job, 'action', ARGV[5], 'doc', ARGV[6], 'limit', ARGV[8], 'canary', ARGV[9], 'stop_after', ARGV[10],
  'state', 'counting', 'position', '', 'matched', '0', 'done', '0', 'skipped', '0', 'failed', '0', 'created', now, 'updated', now)
if ARGV[7] ~= '' then
  redis.call('HSET', job, 'customer', ARGV[7])
end
redis.call('ZADD', all, now, id)
redis.call('ZADD', open, now, id)
return { 'created', redis.call('HGETALL', job) }
