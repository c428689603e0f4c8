-- accept records a new order.
--
-- other     its customer's index
-- content   the fingerprint of its content
-- document  the order as JSON
-- queue     the queue it will wait in
-- due       when work on it may begin, microseconds, empty for at once
--
-- Returns {'accepted', status, time} for a new order; {'known', fields} with the
-- record as HGETALL gives it when the id belongs to an order with this content;
-- {'conflict'} when it belongs to another.
local accepted = 0
return update_orders(function(content, document, queue, due)
  local fingerprint = redis.call('HGET', record, 'f')
  if fingerprint and fingerprint ~= content then
    return { 'conflict' }
  end
  if fingerprint then
    return { 'known', redis.call('HGETALL', record) }
  end

  -- Orders of one batch get different times, so that lists keep them in turn.
  create(string.format('%.0f', now + accepted))
  redis.call('ZADD', other, created, id)
  local to = 'pending'
  if due ~= '' and tonumber(due) > tonumber(created) then
    to = 'scheduled'
    put('u', due)
  end
  move(to)
  put('d', document)
  put('f', content)
  put('q', queue)
  put('c', created)
  event(to, 0, '', '')
  count('accepted', 1)
  save()
  accepted = accepted + 1
  return { 'accepted', to, created }
end)
