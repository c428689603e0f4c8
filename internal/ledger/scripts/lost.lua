-- lost ends an attempt whose worker is gone. The order may be tried again at
-- once; one that has lost too many workers since its last retry, the last of them
-- while it was tried apart from other suspects, ends as failed.
--
-- KEYS[5]  the suspect that is tried apart
-- ARGV[3]  number of the attempt
-- ARGV[4]  when the worker was seen to be gone, microseconds
-- ARGV[5]  1 if another suspect was with the same worker, else 0
-- ARGV[6]  reason of the attempt's end
-- ARGV[7]  reason of the order's end
--
-- Returns {'lost', losses} or {'failed', losses} when the attempt ended here;
-- {'over', losses} when it is not open, not the last one, or begun since;
-- {'missing'}.
local status, attempts, open, queue, created, due, losses =
  unpack(redis.call('HMGET', record, 's', 'n', 'b', 'q', 'c', 'u', 'p'))
if not status then
  return { 'missing' }
end
losses = tonumber(losses or 0)
if status == 'failed' and losses >= most_losses and attempts == ARGV[3] then
  return { 'failed', losses }
end
if settled[status] or not open or attempts ~= ARGV[3] or tonumber(open) > tonumber(ARGV[4]) then
  return { 'over', losses }
end

-- The last loss counts only when it is known to be this order's own.
local own = redis.call('GET', KEYS[5]) == id and ARGV[5] == '0'
if losses < most_losses - 1 or own then
  losses = losses + 1
end
local reason, to, word = ARGV[6], 'retrying', 'lost'
if losses >= most_losses then
  reason, to, word = ARGV[7], 'failed', 'failed'
end
move(status, to, created)
-- Whatever the worker still does is stale from here on.
redis.call('HDEL', record, 'k')
local worker = close(attempts, ARGV[6], '')
redis.call('HSET', record, 'p', losses, 'e', reason)
if to == 'failed' then
  redis.call('HSET', record, 'z', now)
  observe('processing', queue, now - open)
  observe('end_to_end', queue, now - (due or created))
else
  redis.call('HSET', record, 'x', now)
end
event(to, attempts, worker, reason)
return { word, losses }
