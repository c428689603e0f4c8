-- cancel withdraws an order, unless an attempt runs, or an earlier attempt may have
-- reached the shop without an answer. From then on begin finds the order settled, so it
-- never takes effect. See turn.lua for its arguments.
--
-- Returns {'cancelled', fields} with the record as HGETALL gives it, also for an
-- order that was cancelled before; {'status', status} when it is too late;
-- {'unknown', status} while the shop may have accepted the order; {'wait'}; {'missing'}.
return update_known(function(actor, reason, request, job, sequence)
  local unknown, jobs_before = read('l', 'i')
  if not status then
    return { 'missing' }
  end
  if status == 'cancelled' then
    return { 'cancelled', redis.call('HGETALL', record) }
  end
  local refusal = turn_of(job, sequence)
  if refusal then
    return refusal
  end
  if status ~= 'scheduled' and status ~= 'pending' and status ~= 'retrying' and status ~= 'held' then
    return too_late(job, 'status')
  end
  if unknown then
    return too_late(job, 'unknown')
  end

  intervene('order.cancel', actor, reason, request, job)
  drop('x', 'k')
  if status == 'held' then
    end_hold()
  end
  conclude(changed_by(jobs_before, job), 'cancelled')
  move('cancelled')
  put('z', now)
  if reason ~= '' then
    put('w', reason)
  end
  event('cancelled', '0', '', reason, actor)
  save()
  return { 'cancelled', redis.call('HGETALL', record) }
end)
