-- release lets the workers have a held order.
-- After the arguments of turn.lua it gets
--
-- expired  '1' if it is released only in case its hold has expired, else empty
--
-- Returns {'released', fields} with the record as HGETALL gives it, also for an order that
-- was released before and not retried since; {'status', status} for any other order;
-- {'wait'}; {'missing'}.
return update_known(function(actor, reason, request, job, sequence, expired)
  local verdict, expiry, jobs_before = read('b', 'j', 'i')
  if not status then
    return { 'missing' }
  end
  if verdict == '1' and status ~= 'held' then
    return { 'released', redis.call('HGETALL', record) }
  end
  local refusal = turn_of(job, sequence)
  if refusal then
    return refusal
  end
  if status ~= 'held' or expired ~= '' and not (expiry and tonumber(expiry) <= now_us) then
    return too_late(job, 'status')
  end

  if expired == '' then
    intervene('order.release', actor, reason, request, job)
  end
  end_hold()
  move('pending')
  put('b', '1')
  put('u', now)
  if job ~= '' then
    put('i', changed_by(jobs_before, job))
  end
  event('pending', '0', '', reason, actor)
  save()
  return { 'released', redis.call('HGETALL', record) }
end)
