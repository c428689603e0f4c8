-- What all scripts that change one order share. Each of them runs atomically,
-- so record, index, counters and event never disagree. Each can be repeated
-- with the same arguments: a reply lost on the way is asked for again.
--
-- KEYS[1]  the order's record
-- KEYS[2]  the counters
-- KEYS[3]  the event stream
-- KEYS[4]  prefix of the status indexes; the index keys built from it carry the
--          same hash tag and so live in the same Cluster slot
-- ARGV[1]  the order's id
-- ARGV[2]  how many events the stream keeps, roughly
--
-- In front of this, kept_events and kept_attempts say how many of each a record
-- keeps, and most_losses how many workers an order may lose.
--
-- Times are integers in microseconds by the clock of Redis, the only clock of
-- the books. They are handled as strings where they are stored: a Lua number
-- would be printed with 14 digits.
local record, counters, events, index = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, keep = ARGV[1], ARGV[2]

local settled = { completed = true, rejected = true, failed = true, cancelled = true }

local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])

-- move takes the order from one status to another: index, gauges, record.
-- Its first write is a removal, which Redis allows even when memory is full, so
-- that an order which a worker holds can still be settled then.
local function move(from, to, created)
  redis.call('ZREM', index .. from, id)
  redis.call('ZADD', index .. to, created, id)
  redis.call('HINCRBY', counters, 'g:' .. from, -1)
  redis.call('HINCRBY', counters, 'g:' .. to, 1)
  redis.call('HSET', record, 's', to)
end

-- event takes down one change of status of an order that is in the books: in the
-- stream of all events, and as a line of the order's timeline, which is status,
-- event id, µs since acceptance, attempt and reason, separated by tabs. Of a
-- timeline that is full, the oldest line but the first goes. Records of earlier
-- versions have none; theirs begins with this event.
local function event(status, attempt, worker, reason)
  local seq, created, timeline = unpack(redis.call('HMGET', record, 'v', 'c', 't'))
  seq = seq + 1
  if timeline and seq > kept_events then
    timeline = string.gsub(timeline, '\n[^\n]*', '', 1)
  end
  local event_id = redis.call('XADD', events, 'MAXLEN', '~', keep, '*', 'id', id, 'seq', seq,
    'status', status, 'at', now, 'attempt', attempt, 'worker', worker, 'reason', reason)
  local line = table.concat({ status, event_id, string.format('%.0f', now - created), attempt, reason }, '\t')
  redis.call('HSET', record, 'v', seq, 't', timeline and timeline .. '\n' .. line or line)
end

-- observe counts a duration in microseconds into the histogram of one measure
-- and queue: bucket i holds what is above 100 µs * 2^((i-1)/4) and not above
-- 100 µs * 2^(i/4).
local function observe(measure, queue, us)
  us = math.max(us, 0)
  local bucket = us <= 100 and 0 or math.ceil(4 * math.log(us / 100) / math.log(2) - 1e-9)
  bucket = math.min(bucket, 127)
  redis.call('HINCRBY', counters, 'l:' .. measure .. ':' .. queue .. ':' .. bucket, 1)
  redis.call('HINCRBY', counters, 't:' .. measure .. ':' .. queue, string.format('%.0f', us))
end

-- close ends the open attempt. An attempt is one line of text: worker, start,
-- and once it has ended, end, error and note, separated by tabs. Returns the
-- worker.
local function close(number, reason, note)
  local field = 'a' .. number
  local open = redis.call('HGET', record, field) or ''
  redis.call('HSET', record, field, open .. '\t' .. now .. '\t' .. reason .. '\t' .. note)
  redis.call('HDEL', record, 'b')
  return string.match(open, '^[^\t]*')
end
