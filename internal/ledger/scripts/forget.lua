-- forget drops a settled order whose retention is over: record and index
-- entries. The counters keep counting it. They also count how many orders of each
-- status are forgotten, so that recount can restore them from the records.
--
-- other   the customer's index
-- before  settled at or before, microseconds
-- digest  of its id, see ids.go
-- term    for how long the id is known from now on at least, seconds; 0 for no longer
--
-- Returns {'gone'} if the order is gone through this call, else {'kept'}.
local counted = {}

-- forgotten counts a forgotten order. Earlier versions did not count them: the orders
-- that they forgot are in the gauge and not in the index.
local function forgotten()
  local name = 'f:' .. status
  if not counted[status] and not redis.call('HGET', counters, name) then
    counts[name] = (redis.call('HGET', counters, 'g:' .. status) or 0) - redis.call('ZCARD', index .. status)
  end
  counted[status] = true
  counts[name] = (counts[name] or 0) + 1
end

-- remember keeps the id of an order. Its generation has a TTL, so nothing else has to
-- remove it.
local function remember(digest, term, fingerprint)
  local generation = digits((math.floor(time[1] / term) + 2) * term)
  local bucket, field = place_of(digest)
  bucket = ids_key .. ':' .. generation .. ':' .. bucket
  redis.call('HSET', bucket, field, struct.pack('>I8', created) .. string.sub(fingerprint, 1, kept_fingerprint))
  redis.call('EXPIREAT', bucket, generation)
  redis.call('ZREMRANGEBYSCORE', ids_key, '-inf', time[1])
  redis.call('ZADD', ids_key, generation, generation)
end

return update_known(function(before, digest, term)
  local at, fingerprint = read('z', 'f')
  if not status or not settled[status] or tonumber(at) > tonumber(before) then
    return { 'kept' }
  end
  if marks ~= '' and redis.call('ZSCORE', marks, id) then
    return { 'kept' } -- it has changed since the archive confirmed it
  end
  if term ~= '0' then
    remember(digest, tonumber(term), fingerprint or '')
  end
  redis.call('ZREM', other, id) -- first, as it is what could fail
  forgotten()
  redis.call('ZREM', index .. status, id)
  redis.call('DEL', record)
  return { 'gone' }
end)
