-- accept records a new order.
--
-- other     its customer's index
-- content   the fingerprint of its content
-- document  the order as JSON
-- queue     the queue it will wait in
-- due       when work on it may begin, microseconds, empty for at once
-- digest    of its id, see ids.go
--
-- Returns 'accepted', status and time for a new order; {'known', fields} with the
-- record as HGETALL gives it when the id belongs to an order with this content;
-- {'forgotten', time} when it belonged to one, accepted then, that is forgotten;
-- {'conflict'} when it belongs or belonged to another.
local accepted = 0
local generations

-- remembered returns what is known of a forgotten order: time of acceptance and
-- fingerprint, see forget.
local function remembered(digest)
  if not generations then
    generations = call('ZRANGEBYSCORE', ids_key, '(' .. time[1], '+inf')
    for n, generation in ipairs(generations) do
      generations[n] = ids_key .. ':' .. generation .. ':'
    end
  end
  if #generations == 0 then
    return nil
  end
  local bucket, field = place_of(digest)
  for _, prefix in ipairs(generations) do
    local found = call('HGET', prefix .. bucket, field)
    if found then
      return found
    end
  end
end

return update_orders(function(content, document, queue, due, digest, trace)
  local fingerprint = call('HGET', record, 'f')
  if fingerprint and fingerprint ~= content then
    return { 'conflict' }
  end
  if fingerprint then
    return { 'known', call('HGETALL', record) }
  end
  local found = remembered(digest)
  if found then
    if string.sub(found, 9) ~= string.sub(content, 1, kept_fingerprint) then
      return { 'conflict' }
    end
    return { 'forgotten', digits(struct.unpack('>I8', found)) }
  end

  -- Orders of one batch get different times, so that lists keep them in turn.
  create(digits(now_us + accepted))
  call('ZADD', other, created, id)
  local to = 'pending'
  if due ~= '' and tonumber(due) > created_us then
    to = 'scheduled'
    put('u', due)
  end
  move(to)
  put('d', document)
  put('f', content)
  put('q', queue)
  put('c', created)
  if trace ~= '' then
    put('T', trace)
  end
  event(to, '0', '', '')
  count('accepted', 1)
  save()
  accepted = accepted + 1
  return 'accepted\t' .. to .. '\t' .. created
end)
