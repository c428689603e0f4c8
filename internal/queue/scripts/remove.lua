-- remove removes a delayed task: scheduled, retrying or archived.
--
-- KEYS[1]  the task
-- KEYS[2]  scheduled, KEYS[3] retry, KEYS[4] archived
-- ARGV[1]  its id
--
-- Returns 1 if it was there, else 0: it may have become due.
local found = 0
for i = 2, 4 do
  found = found + redis.call('ZREM', KEYS[i], ARGV[1])
end
if found == 0 then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
