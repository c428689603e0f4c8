-- repaired counts repairs of one kind.
--
-- KEYS[1]  the counters
-- ARGV[1]  the kind
-- ARGV[2]  how many
-- ARGV[3]  a token that is unique to one call
--
-- Repairs of one kind are counted one call after the other, so remembering the
-- last token is enough to count a repeated call once.
local last = 'rt:' .. ARGV[1]
if redis.call('HGET', KEYS[1], last) == ARGV[3] then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'r:' .. ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1], last, ARGV[3])
return 1
