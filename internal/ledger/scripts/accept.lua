-- accept writes a new order into the books.
--
-- KEYS[5]  the customer's index
-- ARGV[3]  fingerprint of the content
-- ARGV[4]  the order as JSON
-- ARGV[5]  the queue it will wait in
--
-- Returns {'accepted', fields} for a new order, {'known', fields} when the id
-- belongs to an order with this content, {'conflict'} when it belongs to another.
-- fields is the record as HGETALL gives it.
local fingerprint = redis.call('HGET', record, 'f')
if fingerprint and fingerprint ~= ARGV[3] then
  return { 'conflict' }
end
if fingerprint then
  return { 'known', redis.call('HGETALL', record) }
end

redis.call('HSET', record, 'd', ARGV[4], 'f', ARGV[3], 's', 'pending', 'q', ARGV[5], 'c', now)
redis.call('ZADD', index .. 'pending', now, id)
redis.call('ZADD', KEYS[5], now, id)
redis.call('HINCRBY', counters, 'accepted', 1)
redis.call('HINCRBY', counters, 'g:pending', 1)
event('pending', 0, '', '')
return { 'accepted', redis.call('HGETALL', record) }
