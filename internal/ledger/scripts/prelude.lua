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
-- ARGV[1]  how many entries the stream keeps, roughly
-- ARGV[2]  how many orders there are
-- ARGV[3]  and on, for each order: its id and the arguments of its change
--
-- Returns an answer for each order, in turn: what its change returns, or
-- {'error', text} when a command failed.
--
-- In front of this, kept_events and kept_attempts say how many of each a record
-- keeps, entry_events how many events an entry of the stream holds, most_losses how
-- many workers an order may lose, and codes has a letter for each status.
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
local status, created, attempts, seq, timeline, attempt
local unsaved

-- What this change and all changes add up to in indexes, counters and stream: save
-- adds the one to the other, so that a change that fails leaves nothing there.
local own_move, own_counts, own_line = nil, {}, nil
local moves, counts, lines = {}, {}, {}

-- read fetches what most changes need to know, and returns the fields it is asked
-- for. There is no order when status is false.
local function read(...)
  local found = redis.call('HMGET', record, 's', 'c', 'n', 'v', 't', 'a1', ...)
  status, created, attempts, seq, timeline, attempt = unpack(found, 1, 6)
  if status and not (tonumber(created) and tonumber(seq)) then
    error('the record is damaged')
  end
  return unpack(found, 7)
end

-- drop removes fields of the record at once.
local function drop(...)
  redis.call('HDEL', record, ...)
end

-- put remembers a field for save.
local function put(name, value)
  unsaved[#unsaved + 1] = name
  unsaved[#unsaved + 1] = value
end

local function count(name, n)
  own_counts[name] = (own_counts[name] or 0) + n
end

-- move takes the order from its status, if it has one, to another: index, gauges,
-- record.
local function move(to)
  if status then
    count('g:' .. status, -1)
  end
  count('g:' .. to, 1)
  own_move = { from = status, to = to, created = created }
  put('s', to)
end

-- save writes the record, and only then adds the change to what is written for all.
local function save()
  redis.call('HSET', record, unpack(unsaved))
  if own_move then
    local before = moves[id]
    own_move.from = before and before.from or own_move.from
    moves[id] = own_move
  end
  for name, n in pairs(own_counts) do
    counts[name] = (counts[name] or 0) + n
  end
  if own_line then
    lines[#lines + 1] = own_line
  end
end

-- next_event_id continues the ids of the stream: its time in milliseconds, and a
-- number among the events of that time. The clock may have gone back since.
local last_ms, last_number
local function next_event_id()
  if not last_ms then
    last_ms, last_number = math.floor(now / 1000), -1
    local info = redis.pcall('XINFO', 'STREAM', events)
    for i = 1, #info - 1, 2 do
      if info[i] == 'last-generated-id' then
        local ms, number = string.match(info[i + 1], '(%d+)-(%d+)')
        if tonumber(ms) >= last_ms then
          last_ms, last_number = tonumber(ms), tonumber(number)
        end
      end
    end
  end
  last_number = last_number + 1
  return string.format('%.0f-%.0f', last_ms, last_number)
end

-- event takes down one change of an order's status, twice. In the stream of all
-- events it is a line of an entry, of which this script adds one or more: event id, order,
-- sequence, status, µs, attempt, worker and reason, separated by tabs; the entry has
-- the id of its last event, so that who reads on after an event misses none. In the
-- order's timeline it is a line of the status's code, event id, µs since acceptance,
-- attempt and reason; of an id that has the time of its event, only the number. Of a
-- timeline that is full, the oldest line but the first goes. Records of
-- earlier versions have none; theirs begins with this event.
local function event(to, attempt, worker, reason)
  seq = seq + 1
  if timeline and seq > kept_events then
    timeline = string.gsub(timeline, '\n[^\n]*', '', 1)
  end
  local event_id = next_event_id()
  own_line = { id = event_id, text = table.concat({ event_id, id, seq, to, now, attempt, worker, reason }, '\t') }
  local since = math.max(now - created, 0)
  if last_ms == math.floor((created + since) / 1000) then
    event_id = string.format('-%.0f', last_number)
  end
  local line = table.concat({ codes[to], event_id, string.format('%.0f', since), attempt, reason }, '\t')
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

-- since_accepted is the time in µs since acceptance, as attempts have it: shorter than
-- the time itself, which those of earlier versions have.
local function since_accepted()
  return string.format('%.0f', math.max(now - created, 0))
end

-- started returns when an attempt began, and '?' if it may call the shop and has not
-- ended. An attempt is one line of text: worker, start with that mark behind it, and
-- once the attempt has ended, end, error and note, separated by tabs.
local function started(line, rest)
  local start, calls = string.match(line or '', '^[^\t]*\t(%d+)(%??)' .. rest)
  if start and #start < 16 then
    start = string.format('%.0f', created + start)
  end
  return start, calls
end

-- opened returns when the open attempt began, and whether it may call the shop; nothing
-- when none is open.
local function opened()
  if not attempts then
    return nil
  end
  if attempts ~= '1' then
    attempt = redis.call('HGET', record, 'a' .. attempts)
  end
  local start, calls = started(attempt, '$')
  return start, calls == '?'
end

-- close ends the attempt that opened has found, and returns its worker.
local function close(reason, note)
  attempt = string.gsub(attempt, '%?$', '')
  put('a' .. attempts, attempt .. '\t' .. since_accepted() .. '\t' .. reason .. '\t' .. note)
  return string.match(attempt, '^[^\t]*')
end

-- abandon ends the attempt that opened has found, of which no worker reported a result:
-- if it may have called the shop, the shop may have taken the order.
local function abandon(reason, calls)
  if calls then
    put('l', '1')
  end
  return close(reason, '')
end

-- add_up adds the counts to the counters. One reading and one write cost less than a
-- command for each. Counts of orders stay far below the 53 bits of a Lua number; the
-- sums of durations pass them when orders have waited for 285 years together, and are
-- off by a few microseconds from then on.
local function add_up()
  local names, sums = {}, {}
  for name, n in pairs(counts) do
    if n ~= 0 then
      names[#names + 1] = name
    end
  end
  if #names == 0 then
    return
  end
  for i, n in ipairs(redis.call('HMGET', counters, unpack(names))) do
    sums[2 * i - 1] = names[i]
    sums[2 * i] = string.format('%.0f', (n or 0) + counts[names[i]])
  end
  redis.call('HSET', counters, unpack(sums))
end

-- balance writes down what all changes add up to.
local function balance()
  local gone, come = {}, {}
  for member, m in pairs(moves) do
    if m.from then
      gone[m.from] = gone[m.from] or {}
      table.insert(gone[m.from], member)
    end
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
  add_up()
  for first = 1, #lines, entry_events do
    local last, text = math.min(first + entry_events - 1, #lines), {}
    for n = first, last do
      text[#text + 1] = lines[n].text
    end
    redis.call('XADD', events, 'MAXLEN', '~', keep, lines[last].id, 'e', table.concat(text, '\n'))
  end
end

-- refused returns a command that this user may not run, of those that come after the
-- first write of a change: a script that Redis refuses a command stops there, and what
-- it has written stays. It returns nothing when all are allowed, and on Redis 6.2, which
-- does not say.
local function refused()
  local later = {
    { 'hset', record, 'f', 'v' }, { 'hgetall', record }, { 'zadd', index, '0', 'm' }, { 'zrem', index, 'm' },
    { 'hmget', counters, 'f' }, { 'xadd', events, '*', 'f', 'v' },
  }
  for _, command in ipairs(redis.acl_check_cmd and later or {}) do
    if not redis.acl_check_cmd(unpack(command)) then
      return command[1]
    end
  end
end

-- each runs a change for all orders, and tells it which of them it is at.
local function each(change)
  record = KEYS[4]
  local command = refused()
  if command then
    return redis.error_reply("NOPERM this user has no permissions to run the '" .. command .. "' command")
  end
  local orders = tonumber(ARGV[2])
  local keys, arguments = (#KEYS - 3) / orders, (#ARGV - 2) / orders
  local answers = {}
  for n = 1, orders do
    local key, argument = 4 + (n - 1) * keys, 3 + (n - 1) * arguments
    id, record, other, unsaved = ARGV[argument], KEYS[key], KEYS[key + 1], {}
    own_move, own_counts, own_line = nil, {}, nil
    local done, answer = pcall(change, unpack(ARGV, argument + 1, argument + arguments - 1))
    if not done then
      answer = { 'error', type(answer) == 'table' and answer.err or tostring(answer) }
    end
    answers[n] = answer
  end
  balance()
  return answers
end

-- each_known does so for orders that are in the books. Its first write is a removal,
-- of nothing: Redis allows removals even when memory is full, and what follows one
-- in the same script, so that an order which a worker holds can still be settled
-- then.
local function each_known(change)
  redis.call('HDEL', counters, '')
  return each(change)
end
