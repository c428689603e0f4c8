-- What all scripts that change orders share. Each of them changes one order or many,
-- one after the other and each as if it came alone, and runs atomically, so record,
-- index, counters and event never disagree. Each can be repeated with the same
-- arguments: a reply lost on the way is asked for again.
--
-- KEYS[1]  the counters
-- KEYS[2]  the event stream
-- KEYS[3]  prefix of the status indexes; the index keys built from it carry the
--          same hash tag and so live in the same Cluster slot
-- KEYS[4]  and on, for each order: its record, and another key if the change has one
-- ARGV[1]  how many events the stream keeps, roughly
-- ARGV[2]  how many orders there are
-- ARGV[3]  and on, for each order: its id and the arguments of its change
--
-- Returns an answer for each order, in turn: what its change returns, or
-- {'error', text} when a command failed.
--
-- In front of this, kept_events and kept_attempts say how many of each a record
-- keeps, and most_losses how many workers an order may lose.
--
-- Times are integers in microseconds by the clock of Redis, the only clock of
-- the books. They are handled as strings where they are stored: a Lua number
-- would be printed with 14 digits.
local counters, events, index, keep = KEYS[1], KEYS[2], KEYS[3], ARGV[1]

local settled = { completed = true, rejected = true, failed = true, cancelled = true }

local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])

-- The order that is being changed, what read found in its record, and what save
-- will write there.
local id, record, other
local status, created, attempts, seq, timeline
local unsaved

-- What all these changes add up to in the indexes and the counters: written once,
-- however many orders there are.
local moves, counts = {}, {}

-- read fetches what most changes need to know, and returns the fields it is asked
-- for. There is no order when status is false.
local function read(...)
  local found = redis.call('HMGET', record, 's', 'c', 'n', 'v', 't', ...)
  status, created, attempts, seq, timeline = unpack(found, 1, 5)
  return unpack(found, 6)
end

-- drop removes fields of the record at once. It must be the first write of each
-- change: Redis allows removals even when memory is full, and what follows one in
-- the same script, so that an order which a worker holds can still be settled then.
local function drop(...)
  redis.call('HDEL', record, ...)
end

-- put remembers a field for save.
local function put(name, value)
  unsaved[#unsaved + 1] = name
  unsaved[#unsaved + 1] = value
end

local function save()
  redis.call('HSET', record, unpack(unsaved))
end

local function count(name, n)
  counts[name] = (counts[name] or 0) + n
end

-- move takes the order from its status to another: index, gauges, record.
local function move(to)
  count('g:' .. status, -1)
  count('g:' .. to, 1)
  local before = moves[id]
  moves[id] = { from = before and before.from or status, to = to, created = created }
  put('s', to)
end

-- event takes down one change of status of an order that is in the books: in the
-- stream of all events, and as a line of the order's timeline, which is status,
-- event id, µs since acceptance, attempt and reason, separated by tabs. Of a
-- timeline that is full, the oldest line but the first goes. Records of earlier
-- versions have none; theirs begins with this event.
local function event(to, attempt, worker, reason)
  seq = seq + 1
  if timeline and seq > kept_events then
    timeline = string.gsub(timeline, '\n[^\n]*', '', 1)
  end
  local event_id = redis.call('XADD', events, 'MAXLEN', '~', keep, '*', 'id', id, 'seq', seq,
    'status', to, 'at', now, 'attempt', attempt, 'worker', worker, 'reason', reason)
  local line = table.concat({ to, event_id, string.format('%.0f', now - created), attempt, reason }, '\t')
  put('v', seq)
  put('t', timeline and timeline .. '\n' .. line or line)
end

-- observe counts a duration in microseconds into the histogram of one measure
-- and queue: bucket i holds what is above 100 µs * 2^((i-1)/4) and not above
-- 100 µs * 2^(i/4).
local function observe(measure, queue, us)
  us = math.max(us, 0)
  local bucket = us <= 100 and 0 or math.ceil(4 * math.log(us / 100) / math.log(2) - 1e-9)
  bucket = math.min(bucket, 127)
  count('l:' .. measure .. ':' .. queue .. ':' .. bucket, 1)
  count('t:' .. measure .. ':' .. queue, us)
end

-- close ends the open attempt; the caller drops its field b. An attempt is one line
-- of text: worker, start, and once it has ended, end, error and note, separated by
-- tabs. Returns the worker.
local function close(reason, note)
  local field = 'a' .. attempts
  local open = redis.call('HGET', record, field) or ''
  put(field, open .. '\t' .. now .. '\t' .. reason .. '\t' .. note)
  return string.match(open, '^[^\t]*')
end

-- balance writes down what all changes add up to.
local function balance()
  local gone, come = {}, {}
  for member, m in pairs(moves) do
    gone[m.from] = gone[m.from] or {}
    table.insert(gone[m.from], member)
    come[m.to] = come[m.to] or {}
    table.insert(come[m.to], m.created)
    table.insert(come[m.to], member)
  end
  for from, members in pairs(gone) do
    redis.call('ZREM', index .. from, unpack(members))
  end
  for to, members in pairs(come) do
    redis.call('ZADD', index .. to, unpack(members))
  end
  for name, n in pairs(counts) do
    if n ~= 0 then
      redis.call('HINCRBY', counters, name, string.format('%.0f', n))
    end
  end
end

-- each runs a change for all orders.
local function each(change)
  local orders = tonumber(ARGV[2])
  local keys, arguments = (#KEYS - 3) / orders, (#ARGV - 2) / orders
  local answers = {}
  for n = 1, orders do
    local key, argument = 4 + (n - 1) * keys, 3 + (n - 1) * arguments
    id, record, other, unsaved = ARGV[argument], KEYS[key], KEYS[key + 1], {}
    local done, answer = pcall(change, unpack(ARGV, argument + 1, argument + arguments - 1))
    if not done then
      answer = { 'error', type(answer) == 'table' and answer.err or tostring(answer) }
    end
    answers[n] = answer
  end
  balance()
  return answers
end
