-- fix records how many books there are.
--
-- KEYS[1]  the number
-- KEYS[2]  the counters of book 0
-- ARGV[1]  how many there are if nobody has recorded it
--
-- Returns how many there are. Orders that were accepted before the number was recorded are
-- in one book.
local there = redis.call('GET', KEYS[1])
if there then
  return tonumber(there)
end
if ARGV[1] ~= '1' and redis.call('EXISTS', KEYS[2]) == 1 then
  return 1
end
redis.call('SET', KEYS[1], ARGV[1])
return tonumber(ARGV[1])
