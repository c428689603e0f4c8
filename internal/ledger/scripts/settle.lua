-- settle gives an order its outcome. The first outcome wins.
--
-- ARGV[3]  token of the attempt
-- ARGV[4]  status: completed, rejected or failed
-- ARGV[5]  reason, empty when completed
-- ARGV[6]  note
--
-- Returns {'settled', status} with the outcome that the order has now, and as a
-- third element 'own' when it is this call's; {'stale'} when another delivery
-- holds the order; {'missing'}.
local status, token, attempts, open, queue, created, due =
  unpack(redis.call('HMGET', record, 's', 'k', 'n', 'b', 'q', 'c', 'u'))
if not status then
  return { 'missing' }
end
if settled[status] then
  return { 'settled', status, token == ARGV[3] and 'own' or '' }
end
if token ~= ARGV[3] then
  return { 'stale' }
end

move(status, ARGV[4], created)
if status == 'retrying' then
  redis.call('HDEL', record, 'x')
end
local worker = ''
if open then
  -- A rejection is a decision, not a failure of the attempt.
  worker = close(attempts, ARGV[4] == 'failed' and ARGV[5] or '', ARGV[6])
  observe('processing', queue, now - open)
end
redis.call('HSET', record, 'z', now)
if ARGV[5] == '' then
  redis.call('HDEL', record, 'e')
else
  redis.call('HSET', record, 'e', ARGV[5])
end
observe('end_to_end', queue, now - (due or created))
event(ARGV[4], attempts or 0, worker, ARGV[5])
return { 'settled', ARGV[4], 'own' }
