-- stepjob brings a job forward, unless another process has.
--
-- KEYS[1]  the job
-- KEYS[2]  the jobs that have not ended
-- ARGV[1]  its id
-- ARGV[2]  the state that it must be in
-- ARGV[3]  how far it must have come, or further in other books
-- ARGV[4]  how far it comes
-- ARGV[5]  how many more orders match
-- ARGV[6]  how many more orders could not be changed
-- ARGV[7]  the state that follows
-- ARGV[8]  why, may be empty
-- ARGV[9]  '1' if its canary has been judged and it goes on, else empty
-- ARGV[10] how many orders it had to leave alone, if that is to be known at its end; else empty
-- ARGV[11] how many orders it has done in other books
-- ARGV[12] how many it has skipped there
--
-- Returns the job as HGETALL gives it, whether this call brought it forward or not; nothing
-- if there is no such job.
local job, open = unpack(KEYS)
local id, from, at, position, matched, failed, to, why, judged, left, others_done, others_skipped = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])

-- forward writes the step.
local function forward()
  redis.call('HDEL', job, 'error')
  redis.call('HINCRBY', job, 'matched', matched)
  redis.call('HINCRBY', job, 'failed', failed)
  if from == 'counting' and to ~= 'counting' then
    redis.call('HSET', job, 'counted', '1')
  end
  if judged ~= '' then
    redis.call('HSET', job, 'canary_passed', '1')
  elseif to == 'paused' then
    redis.call('HSET', job, 'judged', '1')
  end
  if why ~= '' then
    redis.call('HSET', job, 'error', why)
  end
  if to == 'done' and from == 'running' then
    local counts = redis.call('HMGET', job, 'matched', 'done', 'failed', 'skipped')
    local handled = counts[1] - counts[3]
    if left == '' then -- what went away meanwhile was left alone
      redis.call('HSET', job, 'skipped', handled - counts[2] - others_done - others_skipped)
    else -- what went away was changed where it went
      local skipped = math.min(math.max(counts[4] + others_skipped, left), handled)
      redis.call('HSET', job, 'skipped', skipped - others_skipped, 'done', handled - skipped - others_done)
    end
  end
  if to == 'done' or to == 'stopped' or to == 'failed' then
    redis.call('ZREM', open, id)
    redis.call('HDEL', job, 'customer')
    redis.call('HSET', job, 'ended', now)
  end
  redis.call('HSET', job, 'state', to, 'position', position, 'updated', now)
end

-- precedes reports whether a position comes before another in the list. The job is further
-- than this book knows when it has changed orders of other books since.
local function precedes(a, b)
  local at_a, id_a = string.match(a, '^(%d+) (.*)$')
  local at_b, id_b = string.match(b, '^(%d+) (.*)$')
  if not at_a or not at_b then
    return at_b ~= nil
  end
  return tonumber(at_a) > tonumber(at_b) or at_a == at_b and below(id_b, id_a)
end

local state, before = unpack(redis.call('HMGET', job, 'state', 'position'))
if state == from and (before == at or state == 'running' and precedes(before, at)) then
  forward()
end
return redis.call('HGETALL', job)
