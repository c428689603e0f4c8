-- retry gives an order that failed or was rejected another run: it is pending again,
-- with all its attempts. After the arguments of turn.lua it gets
--
-- token  unique to one retry
--
-- Returns {'retried', fields} with the record as HGETALL gives it, also when this
-- retry had been applied before; {'status', status} for an order with any other
-- status; {'wait'}; {'missing'}.
return update_known(function(actor, reason, request, job, sequence, token)
  local last, before = read('y', 'm')
  if not status then
    return { 'missing' }
  end
  if last == token then
    return { 'retried', redis.call('HGETALL', record) }
  end
  local refusal = turn_of(job, sequence)
  if refusal then
    return refusal
  end
  if status ~= 'failed' and status ~= 'rejected' then
    return too_late(job, 'status')
  end

  intervene('order.retry', actor, reason, request, job)
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
  if job ~= '' then
    put('i', job)
  end
  count('retried', 1)
  count('y:' .. status, 1)
  event('pending', '0', '', reason, actor)
  save()
  return { 'retried', redis.call('HGETALL', record) }
end)
