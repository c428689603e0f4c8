-- now returns the time of the node that has a book, in microseconds.
--
-- KEYS[1]  any key of the book
local time = redis.call('TIME')
return time[1] .. string.format('%06d', time[2])
