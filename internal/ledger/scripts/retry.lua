-- retry gives an order that failed or was rejected another run: it is pending again,
-- with all its attempts.
--
-- token    unique to one retry
-- actor    who retries it
-- reason   why, may be empty
-- request  the HTTP request, may be empty
--
-- Returns {'retried', fields} with the record as HGETALL gives it, also when this
-- retry had been applied before; {'status', status} for an order with any other
-- status; {'missing'}.
return update_known(function(token, actor, reason, request)
  local last, before = read('y', 'm')
  if not status then
    return { 'missing' }
  end
  if last == token then
    return { 'retried', redis.call('HGETALL', record) }
  end
  if status ~= 'failed' and status ~= 'rejected' then
    return { 'status', status }
  end

  write_down('order.retry', actor, reason, request)
  drop('z', 'k', 'p', 'o', 'g', 'b')
  -- Of an earlier run, the record keeps no more than its newest attempts.
  local first = (before or 0) + 1
  if (attempts or 0) - first >= kept_attempts then
    drop('a' .. first)
  end
  move('pending')
  put('y', token)
  put('m', attempts or 0)
  put('u', now)
  count('retried', 1)
  count('y:' .. status, 1)
  event('pending', 0, '', reason, actor)
  save()
  return { 'retried', redis.call('HGETALL', record) }
end)
