-- cancel withdraws an order while no attempt at it runs. From then on begin finds
-- it settled, so that it never takes effect.
--
-- ARGV[3]  reason, may be empty
--
-- Returns {'cancelled', fields} with the record as HGETALL gives it, also for an
-- order that was cancelled before; {'status', status} when it is too late;
-- {'missing'}.
local status, created = unpack(redis.call('HMGET', record, 's', 'c'))
if not status then
  return { 'missing' }
end
if status == 'cancelled' then
  return { 'cancelled', redis.call('HGETALL', record) }
end
if status ~= 'scheduled' and status ~= 'pending' and status ~= 'retrying' then
  return { 'status', status }
end

move(status, 'cancelled', created)
redis.call('HDEL', record, 'x', 'k')
redis.call('HSET', record, 'z', now)
if ARGV[3] ~= '' then
  redis.call('HSET', record, 'w', ARGV[3])
end
event('cancelled', 0, '', ARGV[3])
return { 'cancelled', redis.call('HGETALL', record) }
