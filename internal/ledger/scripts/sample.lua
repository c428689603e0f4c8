-- sample keeps what was known at one moment, and marks that the verdict has changed. It may
-- be repeated, by any process: the first sample of a moment stays, and a verdict is marked
-- once.
--
-- KEYS[1]  the alerts
-- KEYS[2]  and on: the samples of each range
-- ARGV[1]  the moment, in seconds
-- ARGV[2]  the sample, which begins with the moment
-- ARGV[3]  the cause of the verdict, empty if nothing is wrong
-- ARGV[4]  the verdict in a few words, empty if none is known
-- ARGV[5]  how many alerts are kept
-- ARGV[6]  and on, for each range: the place of the sample in it; empty if the range has no
--          step that begins at the moment
--
-- Returns 1.
--
-- Samples and alerts are rings: a new one takes the place of one that is too old.
local alerts, at, sample, cause, verdict, kept = KEYS[1], unpack(ARGV, 1, 5)

redis.call('HDEL', alerts, '') -- a removal first, as in update_known: what happens while Redis is full is worth seeing
for i = 2, #KEYS do
  local place = ARGV[i + 4]
  if place ~= '' then
    local found = redis.call('HGET', KEYS[i], place)
    if not found or string.match(found, '^%d+') ~= at then
      redis.call('HSET', KEYS[i], place, sample)
    end
  end
end

if verdict ~= '' then
  local last, number = unpack(redis.call('HMGET', alerts, 'cause', 'n'))
  if (last or '') ~= cause then
    number = (number or 0) + 1
    redis.call('HSET', alerts, 'cause', cause, 'n', number, number % kept, at .. ' ' .. verdict)
  end
end
return 1
