-- retry gives an order that failed or was rejected another run: it is pending
-- again, and its attempts are counted anew.
--
-- ARGV[3]  token, unique to one retry
--
-- Returns {'retried', fields} with the record as HGETALL gives it, also when this
-- retry had been applied before; {'status', status} for an order with any other
-- status; {'missing'}.
local status, created, attempts, token = unpack(redis.call('HMGET', record, 's', 'c', 'n', 'y'))
if not status then
  return { 'missing' }
end
if token == ARGV[3] then
  return { 'retried', redis.call('HGETALL', record) }
end
if status ~= 'failed' and status ~= 'rejected' then
  return { 'status', status }
end

move(status, 'pending', created)
redis.call('HDEL', record, 'z', 'k', 'p')
redis.call('HSET', record, 'y', ARGV[3], 'm', attempts or 0, 'u', now)
redis.call('HINCRBY', counters, 'retried', 1)
event('pending', 0, '', '')
return { 'retried', redis.call('HGETALL', record) }
