-- turn is in front of every script that changes an order for a person or for a job. Such an
-- update gets the arguments
--
-- actor     who wants it
-- reason    why, may be empty
-- request   the HTTP request, may be empty
-- job       the id of the job, empty without one
-- sequence  of the order's newest event when the job chose it; 0 for any
--
-- A job has a hash: see job.go of the ledger. Its position says how far it has come: the
-- time of acceptance and the id of the last order, newest first. It is written together
-- with the change of the order, so a job changes no order twice and counts none twice.

-- its_turn reports whether a job may change the order.
local function its_turn(job)
  local state, position, limit, canary, passed, most, done, failed, rejected, action, others, others_failed = unpack(
    redis.call('HMGET', jobs .. job, 'state', 'position', 'limit', 'canary', 'canary_passed', 'stop_after',
      'done', 'outcome:failed', 'outcome:rejected', 'action', 'others_done', 'others_failures'))
  if state ~= 'running' then
    return false
  end
  local at, last = string.match(position, '^(%d+) (.*)$')
  if at and (created_us > tonumber(at) or created_us == tonumber(at) and not below(id, last)) then
    return false
  end
  done = done + (others or 0)
  local failures = (failed or 0) + (action == 'reject' and 0 or rejected or 0) + (others_failed or 0)
  return not (limit ~= '0' and done >= tonumber(limit) or canary ~= '0' and not passed and done >= tonumber(canary)
    or most ~= '0' and failures >= tonumber(most))
end

-- come_to counts the order for a job, as done or skipped, and brings the job's position to it.
local function come_to(job, counter)
  redis.call('HINCRBY', jobs .. job, counter, 1)
  redis.call('HSET', jobs .. job, 'position', created .. ' ' .. id, 'updated', now)
end

-- turn_of returns an answer if the update must end here: a job may not change the order now,
-- or the order has changed since the job chose it.
local function turn_of(job, sequence)
  if job == '' then
    return nil
  end
  if not its_turn(job) then
    return { 'wait' }
  end
  if sequence ~= '0' and seq ~= tonumber(sequence) then
    come_to(job, 'skipped')
    return { 'status', status }
  end
end

-- too_late answers that the order's status does not allow the update.
local function too_late(job, word)
  if job ~= '' then
    come_to(job, 'skipped')
  end
  return { word, status }
end

-- intervene writes down who changes the order: in the audit, or for a job in the job.
local function intervene(action, actor, reason, request, job)
  if job == '' then
    write_down(action, actor, reason, request)
    return
  end
  come_to(job, 'done')
end

-- changed_by returns the jobs that have changed the order in this run, this one included.
local function changed_by(before, job)
  if job == '' then
    return before or nil
  end
  return before and before .. ' ' .. job or job
end
