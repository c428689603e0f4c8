-- reject settles a held order: it is rejected, and never was in the hands of a worker.
-- After the arguments of turn.lua it gets
--
-- expired  '1' if it is rejected only in case its hold has expired, else empty
--
-- Returns {'rejected', fields} with the record as HGETALL gives it, also for an order that
-- was rejected so before; {'status', status} for any other order; {'wait'}; {'missing'}.
return update_known(function(actor, reason, request, job, sequence, expired)
  local verdict, expiry, queue, due, jobs_before = read('b', 'j', 'q', 'u', 'i')
  if not status then
    return { 'missing' }
  end
  if verdict == '0' and status == 'rejected' then
    return { 'rejected', redis.call('HGETALL', record) }
  end
  local refusal = turn_of(job, sequence)
  if refusal then
    return refusal
  end
  if status ~= 'held' or expired ~= '' and not (expiry and tonumber(expiry) <= now_us) then
    return too_late(job, 'status')
  end

  if expired == '' then
    intervene('order.reject', actor, reason, request, job)
  end
  end_hold()
  conclude(changed_by(jobs_before, job), 'rejected')
  move('rejected')
  put('b', '0')
  put('e', reason)
  put('z', now)
  observe('end_to_end', queue, now_us - (due or created_us))
  event('rejected', '0', '', reason, actor)
  save()
  return { 'rejected', redis.call('HGETALL', record) }
end)
