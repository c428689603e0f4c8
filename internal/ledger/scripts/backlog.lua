-- backlog tells what the archive still lacks.
--
-- KEYS[1]  the marks
-- KEYS[2]  what is remembered; see archived
-- KEYS[3]  and on: the indexes of the settled statuses
--
-- Returns {now, due, lowest, oldest}: the time, how many orders are due, the time of the
-- one that is due for longest or empty, and unless all orders are marked, the first time
-- of acceptance of a settled one, or empty.
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
local first = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)
local oldest = ''
if not redis.call('HGET', KEYS[2], 'id') or redis.call('HGET', KEYS[2], 'walk') then
  for i = 3, #KEYS do
    local at = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
    if at and (oldest == '' or tonumber(at) < tonumber(oldest)) then
      oldest = at
    end
  end
end
return { now, redis.call('ZCOUNT', KEYS[1], '-inf', now), first[2] or '', oldest }
