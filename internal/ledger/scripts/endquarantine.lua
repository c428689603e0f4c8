-- endquarantine ends the quarantine of one order, if it is in quarantine.
--
-- KEYS[1]  the order in quarantine
-- ARGV[1]  the order's id
--
-- Returns 1 if the quarantine ended here, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
