-- jobpart makes the part of a job in another book than the first, or gives it a state.
--
-- KEYS[1]  the jobs, by their time of creation
-- KEYS[2]  the part
-- ARGV[1]  how many parts are kept
-- ARGV[2]  prefix of the parts' keys; they live in the same Cluster slot
-- ARGV[3]  id
-- ARGV[4]  state
-- ARGV[5]  '1' if a part that is there gets the state, else empty
-- ARGV[6]  and on: action, limit, canary and stop_after as the job has them
local all, part = unpack(KEYS)
local max_kept, prefix, id, state, force, action, limit, canary, stop_after = unpack(ARGV)
redis.call('HDEL', part, '') -- a removal first, as in update_known: jobs make room in a full Redis
if redis.call('EXISTS', part) == 1 then
  if force == '1' then
    redis.call('HSET', part, 'state', state)
  end
  return 0
end
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
redis.call('HSET', part, 'action', action, 'limit', limit, 'canary', canary, 'stop_after', stop_after,
  'state', state, 'position', '', 'done', '0', 'skipped', '0', 'updated', now)
redis.call('ZADD', all, now, id)
for _, old in ipairs(redis.call('ZRANGE', all, 0, -max_kept - 1)) do
  redis.call('DEL', prefix .. old)
  redis.call('ZREM', all, old)
end
return 1
