-- markall marks a page of the orders for the archive, by their time of acceptance, if all
-- are to be marked again. Orders that change meanwhile are marked by their own updates.
--
-- KEYS[1]  the marks
-- KEYS[2]  what is remembered; see archived. Its walk is the position of an index among
--          the keys, and behind a blank the score up to which it is done.
-- KEYS[3]  and on: the indexes of all statuses
-- ARGV[1]  how many orders a page has
--
-- Returns 1 if there are more to be marked, else 0. A repetition marks the next page.
local marks, known = KEYS[1], KEYS[2]
redis.call('HDEL', known, '') -- a removal first, as in update_known
local index, done = string.match(redis.call('HGET', known, 'walk') or '', '^(%d+) (.*)$')
if not index then
  return 0
end
local key = KEYS[2 + index]
if not key then
  redis.call('HDEL', known, 'walk')
  return 0
end

local function mark(from, to, limit)
  local found = redis.call('ZRANGEBYSCORE', key, from, to, 'WITHSCORES', 'LIMIT', 0, limit)
  local members = {}
  for i = 1, #found, 2 do
    members[i], members[i + 1] = found[i + 1], found[i]
  end
  if #members > 0 then
    redis.call('ZADD', marks, 'NX', unpack(members))
  end
  return #members / 2, members[#members - 1]
end

local page = tonumber(ARGV[1])
local n, last = mark(done == '-inf' and done or '(' .. done, '+inf', page)
if n < page then
  redis.call('HSET', known, 'walk', index + 1 .. ' -inf')
else
  mark(last, last, page) -- those of one moment may be on two pages
  redis.call('HSET', known, 'walk', index .. ' ' .. last)
end
return 1
