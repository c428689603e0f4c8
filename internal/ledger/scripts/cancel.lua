-- cancel withdraws an order, unless an attempt runs, or an earlier attempt may have
-- reached the shop without an answer. From then on begin finds the order settled, so it
-- never takes effect.
--
-- actor    who cancels it
-- reason   why, may be empty
-- request  the HTTP request, may be empty
--
-- Returns {'cancelled', fields} with the record as HGETALL gives it, also for an
-- order that was cancelled before; {'status', status} when it is too late;
-- {'unknown', status} while the shop may have accepted the order; {'missing'}.
return update_known(function(actor, reason, request)
  local unknown = read('l')
  if not status then
    return { 'missing' }
  end
  if status == 'cancelled' then
    return { 'cancelled', redis.call('HGETALL', record) }
  end
  if status ~= 'scheduled' and status ~= 'pending' and status ~= 'retrying' and status ~= 'held' then
    return { 'status', status }
  end
  if unknown then
    return { 'unknown', status }
  end

  write_down('order.cancel', actor, reason, request)
  drop('x', 'k')
  if status == 'held' then
    end_hold()
  end
  move('cancelled')
  put('z', now)
  if reason ~= '' then
    put('w', reason)
  end
  event('cancelled', 0, '', reason, actor)
  save()
  return { 'cancelled', redis.call('HGETALL', record) }
end)
