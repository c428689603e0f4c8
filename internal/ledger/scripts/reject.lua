-- reject settles a held order: it is rejected, and never was in the hands of a worker.
--
-- actor    who rejected it
-- reason   why
-- request  the HTTP request, may be empty
-- expired  '1' if it is rejected only in case its hold has expired, else empty
--
-- Returns {'rejected', fields} with the record as HGETALL gives it, also for an order that
-- was rejected so before; {'status', status} for any other order; {'missing'}.
return update_known(function(actor, reason, request, expired)
  local verdict, expiry, queue, due = read('b', 'j', 'q', 'u')
  if not status then
    return { 'missing' }
  end
  if verdict == '0' and status == 'rejected' then
    return { 'rejected', redis.call('HGETALL', record) }
  end
  if status ~= 'held' or expired ~= '' and not (expiry and tonumber(expiry) <= tonumber(now)) then
    return { 'status', status }
  end

  if expired == '' then
    write_down('order.reject', actor, reason, request)
  end
  end_hold()
  move('rejected')
  put('b', '0')
  put('e', reason)
  put('z', now)
  observe('end_to_end', queue, now - (due or created))
  event('rejected', 0, '', reason, actor)
  save()
  return { 'rejected', redis.call('HGETALL', record) }
end)
