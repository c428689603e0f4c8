-- release lets the workers have a held order.
--
-- actor    who released it
-- reason   why, may be empty
-- request  the HTTP request, may be empty
-- expired  '1' if it is released only in case its hold has expired, else empty
--
-- Returns {'released', fields} with the record as HGETALL gives it, also for an order that
-- was released before and not retried since; {'status', status} for any other order;
-- {'missing'}.
return update_known(function(actor, reason, request, expired)
  local verdict, expiry = read('b', 'j')
  if not status then
    return { 'missing' }
  end
  if verdict == '1' and status ~= 'held' then
    return { 'released', redis.call('HGETALL', record) }
  end
  if status ~= 'held' or expired ~= '' and not (expiry and tonumber(expiry) <= tonumber(now)) then
    return { 'status', status }
  end

  if expired == '' then
    write_down('order.release', actor, reason, request)
  end
  end_hold()
  move('pending')
  put('b', '1')
  put('u', now)
  event('pending', 0, '', reason, actor)
  save()
  return { 'released', redis.call('HGETALL', record) }
end)
