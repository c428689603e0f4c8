-- list reads one page of orders, newest first, all of one moment.
--
-- KEYS     the indexes that together hold the orders, each order once
-- ARGV[1]  prefix of the records' keys; they live in the same Cluster slot
-- ARGV[2]  newest time of acceptance, microseconds, itself included
-- ARGV[3]  oldest one, likewise
-- ARGV[4]  of the orders accepted at the newest time, only those with a smaller
--          id; empty for all
-- ARGV[5]  the status they must have; empty for any
-- ARGV[6]  how many orders the page may hold
-- ARGV[7]  how many orders may be looked at
-- ARGV[8]  the size from which on the page is full, bytes
--
-- Returns the time and the id of the last order looked at, both empty when there
-- are no more, and the page: a list of {id, fields}, with the record as HGETALL
-- gives it.
local prefix, newest, oldest, before, want = unpack(ARGV)
local limit, look, size = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
-- How many entries of an index are read at once: one more than a page, to see whether
-- there are more, or at least 100 when a filter may skip most of them.
local chunk = want == '' and limit + 1 or math.max(limit + 1, 100)

-- A reader walks one index. peek returns the order that is next in it.
local readers = {}
for i, key in ipairs(KEYS) do
  readers[i] = { key = key, read = 0, buffer = {}, at = 1 }
end

local function fill(r)
  r.buffer = redis.call('ZRANGE', r.key, newest, oldest, 'BYSCORE', 'REV', 'LIMIT', r.read, chunk, 'WITHSCORES')
  r.read, r.at = r.read + chunk, 1
  r.ended = #r.buffer < 2 * chunk
end

local function peek(r)
  while true do
    if r.at > #r.buffer and not r.ended then
      fill(r)
    end
    local id, at = r.buffer[r.at], r.buffer[r.at + 1]
    if not id or before == '' or tonumber(at) < tonumber(newest) or below(id, before) then
      return id, tonumber(at)
    end
    r.at = r.at + 2
  end
end

-- first returns the reader whose next order is the newest, or nothing.
local function first()
  local found, newest_id, newest_at
  for _, r in ipairs(readers) do
    local id, at = peek(r)
    if id and (not found or at > newest_at or (at == newest_at and below(newest_id, id))) then
      found, newest_id, newest_at = r, id, at
    end
  end
  return found
end

local page, looked, bytes, last_at, last_id = {}, 0, 0, '', ''
local next = first()
while next and #page < limit and looked < look and bytes < size do
  last_id, last_at = next.buffer[next.at], next.buffer[next.at + 1]
  next.at, looked = next.at + 2, looked + 1
  local record = prefix .. last_id
  if want == '' or redis.call('HGET', record, 's') == want then
    local fields = redis.call('HGETALL', record)
    page[#page + 1] = { last_id, fields }
    for _, text in ipairs(fields) do
      bytes = bytes + #text
    end
  end
  next = first()
end
if not next then
  return { '', '', page }
end
return { last_at, last_id, page }
