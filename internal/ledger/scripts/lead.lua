-- lead makes a process the leader of recovery unless another one leads.
--
-- KEYS[1]  the leader
-- ARGV[1]  name of the process
-- ARGV[2]  the term for which it leads without asking again, milliseconds
--
-- Returns 1 if the process leads, 0 if another does.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1]) -- a removal first, as in update_known: a full Redis needs a leader to forget
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
