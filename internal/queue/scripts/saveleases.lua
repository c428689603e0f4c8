-- saveleases saves the leases of all active tasks as they were read.
--
-- KEYS[1]  the saved leases
-- ARGV[1]  the leases
-- ARGV[2]  how long they are valid, milliseconds
--
-- Its first write is a removal, which Redis allows even when its memory is full.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
