-- activaterules lets a version decide. A shadow of the same version ends.
--
-- KEYS[1]  the rule sets
-- ARGV[1]  version
redis.call('HSET', KEYS[1], 'active', ARGV[1])
if redis.call('HGET', KEYS[1], 'shadow') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'shadow')
end
return 1
