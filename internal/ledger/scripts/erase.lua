-- erase replaces what is personal in a settled order, for a job. The event that it adds
-- makes the order newer than what the archive has. The fingerprint stays, so the same
-- submission is still known. See turn.lua for its first arguments.
--
-- other     the index of the order's customer
-- document  the order without what is personal
-- index     the index of the customer who is erased
--
-- Returns {'erased'}, also for an order that was erased before; {'status', status} for one
-- that is not settled; {'wait'}; {'missing'}.
return update_known(function(actor, reason, request, job, sequence, document, erased)
  local before = read('d')
  if not status then
    return { 'missing' }
  end
  if before == document then
    return { 'erased' }
  end
  local refusal = turn_of(job, sequence)
  if refusal then
    return refusal
  end
  if not settled[status] then
    return too_late(job, 'status')
  end

  intervene('customer.erase', actor, reason, request, job)
  redis.call('ZREM', other, id)
  redis.call('ZADD', erased, created, id)
  put('d', document)
  event(status, '0', '', reason, actor)
  save()
  return { 'erased' }
end)
