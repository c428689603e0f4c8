-- endapart ends the trying apart of one suspect, if it is still the one.
--
-- KEYS[1]  the suspect that is tried apart
-- ARGV[1]  the order's id
--
-- Returns 1 if it ended here, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
