-- accept writes a new order into the books.
--
-- KEYS[5]  the customer's index
-- ARGV[3]  fingerprint of the content
-- ARGV[4]  the order as JSON
-- ARGV[5]  the queue it will wait in
-- ARGV[6]  when work on it may begin, microseconds; empty for at once
--
-- Returns {'accepted', status, time} for a new order; {'known', fields} with the
-- record as HGETALL gives it when the id belongs to an order with this content;
-- {'conflict'} when it belongs to another.
local fingerprint = redis.call('HGET', record, 'f')
if fingerprint and fingerprint ~= ARGV[3] then
  return { 'conflict' }
end
if fingerprint then
  return { 'known', redis.call('HGETALL', record) }
end

local status = 'pending'
if ARGV[6] ~= '' and tonumber(ARGV[6]) > tonumber(now) then
  status = 'scheduled'
end
local line = publish(1, now, status, 0, '', '')
redis.call('HSET', record, 'd', ARGV[4], 'f', ARGV[3], 's', status, 'q', ARGV[5], 'c', now, 'v', 1, 't', line)
if status == 'scheduled' then
  redis.call('HSET', record, 'u', ARGV[6])
end
redis.call('ZADD', index .. status, now, id)
redis.call('ZADD', KEYS[5], now, id)
redis.call('HINCRBY', counters, 'accepted', 1)
redis.call('HINCRBY', counters, 'g:' .. status, 1)
return { 'accepted', status, now }
