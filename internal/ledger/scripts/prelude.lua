-- The prelude is in front of every script that updates orders. Such a script updates
-- one order or many, one after the other, each as if it came alone. It runs
-- atomically, so record, index, counters and events never disagree. It can be repeated
-- with the same arguments, as go-redis does when a reply is lost.
--
-- KEYS[1]  the counters
-- KEYS[2]  the event stream
-- KEYS[3]  prefix of the status indexes; the keys built from it, those of indexes,
--          audit, jobs and ids, carry the same hash tag and so live in the same Cluster slot
-- KEYS[4]  and on, for each order: its record, and another key if the script has one
-- ARGV[1]  how many entries the stream keeps, roughly
-- ARGV[2]  the marks, empty without an archive
-- ARGV[3]  how many orders there are
-- ARGV[4]  and on, for each order: its id and the arguments of its update
--
-- Returns an answer for each order, in turn: what its update returns, or
-- {'error', text} when a command failed. Words alone are one text, separated by tabs: Redis
-- takes several times as long for a table.
--
-- The ledger puts these constants in front of the prelude: kept_events and
-- kept_attempts are how many of each a record keeps, entry_events is how many events an
-- entry of the stream holds, most_losses is how many workers an order may lose,
-- archive_after is how old an unsettled change is when it goes into the archive, in µs,
-- id_buckets is how many hashes a generation of ids has, and codes has a letter for each
-- status.
--
-- Times are integers in microseconds by the clock of Redis, the only clock of the
-- books. They are stored as text: a Lua number would be printed with 14 digits.
--
-- Most of the time of an update goes into Lua, not into commands. So what is written once
-- is formatted once, text is joined by .. and not by table.concat, and tables are used again
-- for the next order.
--
-- An update is written like this:
--
--   return update_known(function(argument)
--     local field = read('f')     -- or create(at) for a new order
--     if not status then          -- decide, without having written anything
--       return { 'missing' }
--     end
--     move('processing')          -- collect what changes
--     put('f', argument)
--     event('processing', 1, '', '')
--     save()                      -- write it
--     return { 'done' }
--   end)
local call, format, floor, max = redis.call, string.format, math.floor, math.max
local counters, events, index, keep, marks = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]

local settled = { completed = true, rejected = true, failed = true, cancelled = true }

local time = call('TIME')
local now = time[1] .. format('%06d', time[2])
local now_us = tonumber(now)

-- digits prints an integer. %d is several times as fast as %.0f, but on a 32-bit Redis only
-- right below 2^31.
local wide = format('%d', 2 ^ 40) == '1099511627776'
local small = {}
local function digits(n)
  local text = small[n]
  if not text then
    text = format((wide or n < 2 ^ 31) and '%d' or '%.0f', n)
    if n < 1000 then
      small[n] = text
    end
  end
  return text
end

-- The order that is being updated. reset clears these variables before every update,
-- and read or create sets them.
local id, record, other                                     -- from the arguments
local status, created, attempts, seq, timeline, attempt     -- from the record
local created_us, since, since_text                         -- acceptance, and the time since then
local begun_by                                              -- the worker, if this update has begun the attempt
local own_move                                              -- of this update alone, as what follows
local unsaved, n_unsaved = {}, 0                            -- fields that save will write, with their values
local own_names, own_counts, n_counts = {}, {}, 0           -- what save will add to counters
local own_ids, own_lines, n_lines = {}, {}, 0               -- ids and lines of its events

-- What all updates add up to in indexes, counters and stream. save adds an update to
-- it, so an update that fails leaves nothing there.
local moves, counts, ids, lines = {}, {}, {}, {}

-- When each updated order is due for the archive: at once if it is settled. Others are
-- given a while, as most are settled by then and written once.
local due_at = {}
local later = marks ~= '' and digits(now_us + archive_after)

-- write_down adds what somebody does to the order to the audit. It is the first write of
-- an update, so that nothing happens that is not in the audit.
local audit = string.sub(index, 1, -3) .. 'h'
local function write_down(action, actor, reason, request)
  write_entry(audit, action, actor, id, reason, request)
end

-- jobs begins the key of every job, and ids_key those of the ids of forgotten orders.
local jobs = string.sub(index, 1, -3) .. 'j:'
local ids_key = string.sub(index, 1, -3) .. 'd'

-- reset forgets the previous order. An update that calls neither read nor create finds
-- no order.
local function reset(new_id, new_record, new_other)
  id, record, other = new_id, new_record, new_other
  status, created, attempts, seq, timeline, attempt = false, nil, nil, nil, nil, nil
  begun_by, own_move, n_unsaved, n_counts, n_lines = false, nil, 0, 0, 0
end

-- at sets the time of acceptance.
local function at(time_created)
  created, created_us = time_created, tonumber(time_created)
  if created_us then
    since = max(now_us - created_us, 0)
    since_text = digits(since)
  end
end

-- create sets the variables for an order that is not in the books yet.
local function create(time_created)
  at(time_created)
  status, attempts, seq, timeline, attempt = false, nil, 0, false, nil
end

-- read sets the variables from the record, and returns the other fields that it is
-- asked for: as few as an update needs, as Redis looks through the whole record for each.
-- status is false when there is no such order.
local function read(...)
  local found = call('HMGET', record, 's', 'c', 'n', 'v', 't', ...)
  status, attempts, seq, timeline, attempt = found[1], found[3], tonumber(found[4]), found[5], nil
  at(found[2])
  if status and not (created_us and seq) then
    error('the record is corrupt')
  end
  return unpack(found, 6)
end

-- drop removes fields of the record. Unlike put it writes at once.
local function drop(...)
  call('HDEL', record, ...)
end

-- put sets a field of the record; save writes it.
local function put(name, value)
  unsaved[n_unsaved + 1], unsaved[n_unsaved + 2] = name, value
  n_unsaved = n_unsaved + 2
end

-- count adds n to a counter; save writes it.
local function count(name, n)
  n_counts = n_counts + 1
  own_names[n_counts], own_counts[n_counts] = name, n
end

-- move gives the order a status: in its record, the indexes and the gauges. An update may
-- move an order twice.
local function move(to)
  local from = own_move and own_move.to or status
  if from then
    count('g:' .. from, -1)
  end
  count('g:' .. to, 1)
  own_move = { from = status, to = to, created = created }
end

-- save writes the record, and then adds the update to what is written for all.
local function save()
  if own_move then
    put('s', own_move.to)
  end
  if n_lines > 0 then
    put('v', digits(seq))
    put('t', timeline)
  end
  if begun_by then
    put('a' .. attempts, attempt)
  end
  call('HSET', record, unpack(unsaved, 1, n_unsaved))
  if own_move then
    local before = moves[id]
    own_move.from = before and before.from or own_move.from
    moves[id] = own_move
  end
  for n = 1, n_counts do
    local name = own_names[n]
    counts[name] = (counts[name] or 0) + own_counts[n]
  end
  for n = 1, n_lines do
    ids[#ids + 1], lines[#lines + 1] = own_ids[n], own_lines[n]
  end
  if later then
    due_at[id] = settled[own_move and own_move.to or status] and now or later
  end
end

-- next_event_id returns the next id of the stream, and its number: the time in
-- milliseconds, and a number among the events of that time. When the clock has gone back,
-- it continues from the last id.
local last_ms, last_number, ms_text
local function next_event_id()
  if not last_ms then
    last_ms, last_number = floor(now_us / 1000), -1
    local info = redis.pcall('XINFO', 'STREAM', events)
    for i = 1, #info - 1, 2 do
      if info[i] == 'last-generated-id' then
        local ms, number = string.match(info[i + 1], '(%d+)-(%d+)')
        if tonumber(ms) >= last_ms then
          last_ms, last_number = tonumber(ms), tonumber(number)
        end
      end
    end
    ms_text = digits(last_ms)
  end
  last_number = last_number + 1
  local number = '-' .. digits(last_number)
  return ms_text .. number, number
end

-- event records that the order's status becomes to, in two forms:
--
-- In the stream of all events it is one line of an entry: event id, order, sequence,
-- status, µs, attempt, worker, reason and, if there is one, actor, separated by tabs. An entry has the id of its
-- last event, so a reader that continues after any event misses none.
--
-- In the order's timeline it is a line of the status's code, event id, µs since
-- acceptance, attempt, reason and, if there is one, actor. Of an id with the time of its event, only the number
-- is written. When the timeline is full, its second line is removed. Records of earlier
-- versions have no timeline; theirs begins with this event.
local function event(to, attempt_number, worker, reason, actor)
  seq = seq + 1
  if timeline and seq > kept_events then
    timeline = string.gsub(timeline, '\n[^\n]*', '', 1)
  end
  local event_id, number = next_event_id()
  local rest = actor and reason .. '\t' .. actor or reason
  n_lines = n_lines + 1
  own_ids[n_lines] = event_id
  own_lines[n_lines] = event_id .. '\t' .. id .. '\t' .. digits(seq) .. '\t' .. to .. '\t' .. now ..
    '\t' .. attempt_number .. '\t' .. worker .. '\t' .. rest
  if last_ms == floor((created_us + since) / 1000) then
    event_id = number
  end
  local line = codes[to] .. '\t' .. event_id .. '\t' .. since_text .. '\t' .. attempt_number .. '\t' .. rest
  timeline = timeline and timeline .. '\n' .. line or line
end

-- observe adds a duration in microseconds to the histogram of one measure and queue:
-- bucket i holds what is above 100 µs * 2^((i-1)/4) and not above
-- 100 µs * 2^(i/4).
local per_octave = 4 / math.log(2)
local function observe(measure, queue, us)
  us = max(us, 0)
  local bucket = us <= 100 and 0 or math.min(math.ceil(per_octave * math.log(us / 100) - 1e-9), 127)
  local name = measure .. ':' .. queue
  count('l:' .. name .. ':' .. digits(bucket), 1)
  count('t:' .. name, us)
end

-- conclude counts the outcome of an order for the jobs that have changed it in this run,
-- which the record names. A job that is no longer kept counts nothing.
local function conclude(ids, to)
  for job in string.gmatch(ids or '', '%S+') do
    if call('EXISTS', jobs .. job) == 1 then
      call('HINCRBY', jobs .. job, 'outcome:' .. to, 1)
    end
  end
  if ids then
    drop('i')
  end
end

-- expiries has the held orders by the time when their hold expires.
local expiries = index .. 'expiry'

-- hold_until sets when the hold expires; save must follow.
local function hold_until(at)
  put('j', at)
  call('ZADD', expiries, at, id)
end

-- end_hold forgets when the hold expires.
local function end_hold()
  drop('j')
  call('ZREM', expiries, id)
end

-- call_mark is the byte '?'.
local call_mark = 63

-- started returns when an attempt began, and '?' if it may call the shop and has not
-- ended. An attempt is one line of text, separated by tabs: worker, and the time from
-- acceptance to its start followed by that mark; once the attempt has ended, also the time
-- to its end, error and note. Attempts of earlier versions have times instead, which are
-- longer.
local function started(line, rest)
  local text, calls = string.match(line or '', '^[^\t]*\t(%d+)(%??)' .. rest)
  local start = tonumber(text)
  if start and #text < 16 then
    start = created_us + start
  end
  return start, calls
end

-- opened returns when the open attempt began, and whether it may call the shop; nothing
-- when none is open.
local function opened()
  if begun_by then
    return now_us
  end
  if not attempts then
    return nil
  end
  attempt = attempt or call('HGET', record, 'a' .. attempts)
  local start, calls = started(attempt, '$')
  return start, calls == '?'
end

-- open begins the attempt of this number. calls is '?' if the attempt may call the shop.
local function open(number, worker, calls)
  begun_by, attempts, attempt = worker, digits(number), worker .. '\t' .. since_text .. calls
end

-- close ends the open attempt, which opened must have found, and returns its worker.
local function close(reason, note)
  local result = '\t' .. since_text .. '\t' .. reason .. '\t' .. note
  if begun_by then
    attempt = attempt .. result
    return begun_by
  end
  local line = string.byte(attempt, -1) == call_mark and string.sub(attempt, 1, -2) or attempt
  put('a' .. attempts, line .. result)
  return string.sub(line, 1, string.find(line, '\t', 1, true) - 1)
end

-- abandon closes an open attempt of which no worker reported a result. If the attempt
-- may have called the shop, the shop may have accepted the order.
local function abandon(reason, calls)
  if calls then
    put('l', '1')
  end
  return close(reason, '')
end

-- add_up adds the counts to the counters. One read and one write cost less than a
-- command for each counter. Counts of orders stay far below the 53 bits of a Lua
-- number. Sums of durations exceed them after 285 years of waiting in total, and are
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
  for i, n in ipairs(call('HMGET', counters, unpack(names))) do
    sums[2 * i - 1] = names[i]
    sums[2 * i] = digits((n or 0) + counts[names[i]])
  end
  call('HSET', counters, unpack(sums))
end

-- mark has the archive written: a mark stays until the archive has the order as it is. An
-- order that is due already stays so.
local function mark()
  local members = {}
  for member, at in pairs(due_at) do
    members[#members + 1] = at
    members[#members + 1] = member
  end
  if #members > 0 then
    call('ZADD', marks, 'LT', unpack(members))
  end
end

-- balance writes what all updates add up to.
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
    call('ZREM', index .. from, unpack(members))
  end
  for to, members in pairs(come) do
    call('ZADD', index .. to, unpack(members))
  end
  add_up()
  mark()
  for first = 1, #lines, entry_events do
    local last = math.min(first + entry_events - 1, #lines)
    call('XADD', events, 'MAXLEN', '~', keep, ids[last], 'e', table.concat(lines, '\n', first, last))
  end
end

-- refused returns a command that this Redis user may not run, of those that follow the
-- first write of an update. Without this check a script would stop at that command and
-- leave what it had written. It returns nothing when all commands are allowed, and on
-- Redis 6.2, which cannot be asked.
local function refused()
  local commands = {
    { 'hset', record, 'f', 'v' }, { 'hgetall', record }, { 'zadd', index, '0', 'm' }, { 'zrem', index, 'm' },
    { 'hmget', counters, 'f' }, { 'xadd', events, '*', 'f', 'v' },
  }
  if marks ~= '' then
    commands[#commands + 1] = { 'zadd', marks, 'lt', '0', 'm' }
  end
  for _, command in ipairs(redis.acl_check_cmd and commands or {}) do
    if not redis.acl_check_cmd(unpack(command)) then
      return command[1]
    end
  end
end

-- kept_fingerprint is how much of a fingerprint is kept with the id of a forgotten order:
-- 72 bits.
local kept_fingerprint = 12

-- place_of returns the number of the hash in which an id is, in each generation, and its
-- field there.
local function place_of(digest)
  local high, low = string.byte(digest, 1, 2)
  return (high * 256 + low) % id_buckets, string.sub(digest, 3)
end

-- update_orders runs an update for every order of the script. A script with several updates
-- has them in a table, and the first argument of an order says which.
local function update_orders(update)
  record = KEYS[4]
  local command = refused()
  if command then
    return redis.error_reply("NOPERM this user has no permissions to run the '" .. command .. "' command")
  end
  local orders = tonumber(ARGV[3])
  local keys, arguments = (#KEYS - 3) / orders, (#ARGV - 3) / orders
  local several = type(update) == 'table'
  local answers = {}
  for n = 1, orders do
    local key, argument = 4 + (n - 1) * keys, 4 + (n - 1) * arguments
    reset(ARGV[argument], KEYS[key], KEYS[key + 1])
    local run, first, last = update, argument + 1, argument + arguments - 1
    if several then
      run, first = update[ARGV[first]], first + 1
    end
    local done, answer = pcall(run, unpack(ARGV, first, last))
    if not done then
      answer = { 'error', type(answer) == 'table' and answer.err or tostring(answer) }
    end
    answers[n] = answer
  end
  balance()
  return answers
end

-- update_known does the same for orders that are in the books, even if the memory of Redis
-- is full. Redis refuses a script by its first write: it allows a removal, and then every
-- write that follows in the script. So the first write removes a field that never exists.
local function update_known(update)
  call('HDEL', counters, '')
  return update_orders(update)
end
