-- begin opens an attempt at an order and makes its token the current one: from
-- now on only its holder can fail or settle the order.
--
-- ARGV[3]  token, unique to one delivery of the order
-- ARGV[4]  worker
-- ARGV[5]  status while the attempt runs
-- ARGV[6]  handling, empty for an order that the rules reject
-- ARGV[7]  how many attempts an order may have since its last retry
--
-- Returns {'begun', number, try}, where number counts all attempts and try those
-- since the last retry; {'exhausted', number, try} when no attempt is left, and
-- then the token may only settle; {'settled', status}; {'missing'}.
local status, token, attempts, open, queue, created, due, before, losses =
  unpack(redis.call('HMGET', record, 's', 'k', 'n', 'b', 'q', 'c', 'u', 'm', 'p'))
if not status then
  return { 'missing' }
end
if settled[status] then
  return { 'settled', status }
end
local number = tonumber(attempts or 0)
local try = number - tonumber(before or 0)
if token == ARGV[3] then
  return { open and 'begun' or 'exhausted', number, try }
end

-- The first write is a removal, as in move.
redis.call('HDEL', record, 'k')
if open then
  close(number, 'worker was lost', '')
  -- It may be what ends its workers; but only lost tells, so the last loss is left
  -- to it.
  redis.call('HSET', record, 'p', math.min((losses or 0) + 1, most_losses - 1))
end
redis.call('HSET', record, 'k', ARGV[3])
if try >= tonumber(ARGV[7]) then
  return { 'exhausted', number, try }
end

number, try = number + 1, try + 1
move(status, ARGV[5], created)
if status == 'retrying' then
  redis.call('HDEL', record, 'x')
end
redis.call('HSET', record, 'n', number, 'b', now, 'a' .. number, ARGV[4] .. '\t' .. now)
if ARGV[6] == '' then
  redis.call('HDEL', record, 'h')
else
  redis.call('HSET', record, 'h', ARGV[6])
end
redis.call('HINCRBY', counters, 'attempts', 1)
if number > kept_attempts then
  redis.call('HDEL', record, 'a' .. number - kept_attempts)
end
if try == 1 then
  observe('queue_wait', queue, now - (due or created))
end
event(ARGV[5], number, ARGV[4], '')
return { 'begun', number, try }
