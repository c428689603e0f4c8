-- watch writes down what a look has seen.
--
-- KEYS[1]  what was seen last
-- ARGV[1]  what is seen
-- ARGV[2]  for how long that counts, milliseconds
--
-- Its first write is a removal, which Redis allows even when memory is full.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
