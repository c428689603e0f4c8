-- apart makes an order the suspect that is tried apart from all others.
--
-- KEYS[1]  the suspect that is tried apart
-- ARGV[1]  the order's id
-- ARGV[2]  for how long, milliseconds
--
-- Returns the id of the suspect that is tried apart now.
local id = redis.call('GET', KEYS[1])
if id and id ~= ARGV[1] then
  return id
end
redis.call('DEL', KEYS[1]) -- a removal first, as in update_known
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
