-- quarantine puts an order in quarantine unless another one is.
--
-- KEYS[1]  the order in quarantine
-- ARGV[1]  the order's id
-- ARGV[2]  the term, milliseconds
--
-- Returns the id of the order that is in quarantine now.
local id = redis.call('GET', KEYS[1])
if id and id ~= ARGV[1] then
  return id
end
redis.call('DEL', KEYS[1]) -- a removal first, as in update_known
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
