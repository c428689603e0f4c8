-- accept writes new orders into the books, each as if it came alone.
--
-- KEYS[1]  the counters
-- KEYS[2]  the event stream
-- KEYS[3]  prefix of the status indexes
-- KEYS[4]  and on, for each order: its record, its customer's index
-- ARGV[1]  how many events the stream keeps, roughly
-- ARGV[2]  and on, for each order: its id, the fingerprint of its content, the
--          order as JSON, the queue it will wait in, and when work on it may
--          begin, microseconds, empty for at once
--
-- Returns an answer for each order, in turn: {'accepted', status, time} for a new
-- one; {'known', fields} with the record as HGETALL gives it when the id belongs
-- to an order with this content; {'conflict'} when it belongs to another; {'error',
-- text} when a command failed.
local counters, events, index, keep = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local time = redis.call('TIME')
local first = time[1] * 1000000 + time[2]
local accepted = { pending = {}, scheduled = {} } -- arguments for their indexes

local function accept(n)
  local record, customer = KEYS[2 + 2 * n], KEYS[3 + 2 * n]
  local id, content, document, queue, due = unpack(ARGV, 5 * n - 3, 5 * n + 1)
  local fingerprint = redis.call('HGET', record, 'f')
  if fingerprint and fingerprint ~= content then
    return { 'conflict' }
  end
  if fingerprint then
    return { 'known', redis.call('HGETALL', record) }
  end

  -- Each order has a time of its own, so that they keep their order in lists.
  local now = string.format('%.0f', first + n - 1)
  local status = 'pending'
  if due ~= '' and tonumber(due) > tonumber(now) then
    status = 'scheduled'
  end
  redis.call('ZADD', customer, now, id) -- first, as it is what could fail
  -- The order's first event and the first line of its timeline, as event has them.
  local event_id = redis.call('XADD', events, 'MAXLEN', '~', keep, '*', 'id', id, 'seq', 1,
    'status', status, 'at', now, 'attempt', 0, 'worker', '', 'reason', '')
  redis.call('HSET', record, 'd', document, 'f', content, 's', status, 'q', queue, 'c', now,
    'v', 1, 't', status .. '\t' .. event_id .. '\t0\t0\t')
  if status == 'scheduled' then
    redis.call('HSET', record, 'u', due)
  end
  table.insert(accepted[status], now)
  table.insert(accepted[status], id)
  return { 'accepted', status, now }
end

local answers = {}
for n = 1, (#KEYS - 3) / 2 do
  local done, answer = pcall(accept, n)
  if not done then
    answer = { 'error', type(answer) == 'table' and answer.err or tostring(answer) }
  end
  answers[n] = answer
end
for status, entries in pairs(accepted) do
  if #entries > 0 then
    redis.call('ZADD', index .. status, unpack(entries))
    redis.call('HINCRBY', counters, 'accepted', #entries / 2)
    redis.call('HINCRBY', counters, 'g:' .. status, #entries / 2)
  end
end
return answers
