-- fail ends an attempt without an outcome: another one is due later.
--
-- ARGV[3]  token of the attempt
-- ARGV[4]  reason
-- ARGV[5]  note
-- ARGV[6]  delay until the next attempt, microseconds
--
-- Returns {'failed'}; {'settled', status}; {'stale'} when another delivery holds
-- the order; {'missing'}.
local status, token, attempts, open, created =
  unpack(redis.call('HMGET', record, 's', 'k', 'n', 'b', 'c'))
if not status then
  return { 'missing' }
end
if settled[status] then
  return { 'settled', status }
end
if token ~= ARGV[3] then
  return { 'stale' }
end
if not open then
  return { 'failed' }
end

move(status, 'retrying', created)
local worker = close(attempts, ARGV[4], ARGV[5])
redis.call('HSET', record, 'e', ARGV[4], 'x', string.format('%.0f', now + ARGV[6]))
event('retrying', attempts, worker, ARGV[4])
return { 'failed' }
