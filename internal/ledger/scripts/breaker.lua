-- breaker records the results of a worker's calls to one fulfilment endpoint, decides on
-- the state of its circuit breaker, and permits calls. All workers share the state, so
-- the bounds are of the whole fleet.
--
-- KEYS[1]   the endpoint's state
-- KEYS[2]   the endpoints, by the time of their last report, milliseconds
-- ARGV[1]   the endpoint
-- ARGV[2]   the worker
-- ARGV[3]   orders taken
-- ARGV[4]   orders refused for good
-- ARGV[5]   calls to be repeated later
-- ARGV[6]   calls answered with an error
-- ARGV[7]   calls not answered
-- ARGV[8]   how many of these two were about orders that had failed before
-- ARGV[9]   the last error, or empty
-- ARGV[10]  permitted calls that were not begun
-- ARGV[11]  how many calls the worker could begin
--
-- Returns {state, calls}: how many calls the worker may begin, -1 for any number.
--
-- The rules, whose constants follow:
--
--   closed     opens when sixteen orders have failed at their first attempt, either in a
--              row and over two seconds or more, or within ten seconds in which fewer
--              than one call in ten succeeded. An order that failed before counts an
--              eighth, so that bad orders, retried again and again, do not open it.
--   open       permits one call a second. The first success makes it half-open.
--   half-open  permits two calls a second, and then each second 1.3 times what the shop
--              took in the last one. As workers may save permits for a quarter of a second,
--              no second has more than twice as many calls. It opens again after five failures in a
--              row, whosever orders they are, and closes after ten seconds.
--   paced      half-open, or closed after the shop asked to be called later or left more
--              calls unanswered than it answered: as many calls as it took in the last
--              second (twice as many, if it did not ask), then a tenth more each second,
--              until the workers have needed fewer for three seconds.
--
-- A report that is repeated counts its calls twice, which does no harm.
local trip, trip_again, overload, weight, share, growth = 16, 5, 10, 8, 0.1, 1.3
local second = 1000000
local failing_for, forget_after, settle_after = 2 * second, 60 * second, 10 * second
local loose_seconds, window, kept, idle = 3, 10, 60, 3600

local function n(i) return tonumber(ARGV[i]) or 0 end
local taken, refused, later, errors, unanswered, again = n(3), n(4), n(5), n(6), n(7), n(8)
local unused, want = n(10), n(11)

local time = redis.call('TIME')
local now = time[1] * second + time[2]
local sec = tonumber(time[1])

local names = {
  'state', 'since', 'pace', 'limit', 'tokens', 'filled', 'adjusted', 'spare', 'loose', -- of the breaker and its pace
  'probed', 'prober', 'returned',                                                      -- of the last probe
  'row', 'failing', 'failed',                                                          -- of failures without a success
}
local fields = { unpack(names) }
for i = 0, window do
  fields[#fields + 1] = 'b' .. (sec - i) % kept
end
local found = redis.call('HMGET', KEYS[1], unpack(fields))
local s = {}
for i, name in ipairs(names) do
  s[name] = tonumber(found[i]) or found[i] or nil
end
local state = s.state or 'closed'

-- The results of a second: taken, refused, later, errors, unanswered, weighted failures.
local function results(i)
  local r = { 0, 0, 0, 0, 0, 0 }
  local at, rest = string.match(found[#names + 1 + i] or '', '^(%d+) (.*)$')
  if tonumber(at) == sec - i then
    local k = 0
    for number in string.gmatch(rest, '%d+') do
      k = k + 1
      r[k] = tonumber(number)
    end
  end
  return r
end

local function passed(since, us)
  return not since or now < since or now - since >= us
end

local changed = {}
local function set(name, value)
  s[name] = value
  changed[#changed + 1] = name
  changed[#changed + 1] = type(value) == 'number' and string.format('%.3f', value) or value
end

local function enter(to)
  state = to
  set('state', to)
  set('since', now)
end

-- Record.
local failures = later + errors + unanswered
local weighted = (errors + unanswered - again) * weight + again
local this = results(0)
if taken + refused + failures > 0 then
  for k, count in ipairs({ taken, refused, later, errors, unanswered, weighted }) do
    this[k] = this[k] + count
  end
  set('b' .. sec % kept, sec .. ' ' .. table.concat(this, ' '))
end
if failures > 0 then
  if passed(s.failed, forget_after) or s.row == nil then
    set('row', 0)
  end
  if (s.row or 0) == 0 then
    set('failing', now)
  end
  set('failed', now)
  set('row', s.row + (state == 'half_open' and failures * weight or weighted + later * weight))
  set('error', ARGV[9])
end
if taken + refused > 0 then
  set('row', 0)
end

-- Decide.
local ok, bad = 0, 0
for i = 0, window - 1 do
  if sec - i > (s.since or 0) / second then
    local r = i == 0 and this or results(i)
    ok, bad = ok + (r[1] + r[2]) * weight, bad + r[6]
  end
end
local down = bad >= trip * weight and ok < share * (ok + bad)
if state == 'open' then
  if taken + refused > 0 then
    enter('half_open')
    set('pace', 2)
    set('limit', '')
    set('tokens', 1)
    set('filled', now)
    set('adjusted', sec + 1)
    set('loose', 0)
  end
else
  local most, over = trip, failing_for
  if state == 'half_open' then
    most, over = trip_again, second
  end
  if down or (s.row or 0) >= most * weight and passed(s.failing, over) then
    enter('open')
    set('pace', '')
    set('probed', now)
  end
end

-- Pace.
local function pace_to(calls)
  set('pace', math.max(calls, 1))
  set('limit', s.pace)
end

-- slower returns the pace that the results of a second ask for, or nil.
local function slower(r)
  local answered, later, unanswered = r[1] + r[2], r[3], r[5]
  if later > 0 and later >= share / 2 * (later + answered) then
    return answered
  elseif unanswered > answered and (unanswered >= overload or tonumber(s.pace)) then
    return 2 * answered
  end
end

if unused > 0 then
  set('spare', sec)
end
if state ~= 'open' then
  local last = results(1)
  local recent = {}
  for k = 1, 6 do
    recent[k] = math.max(last[k], this[k])
  end
  local at_once = slower(recent)
  if at_once and failures > 0 and not tonumber(s.pace) then
    pace_to(at_once)
    set('tokens', 0)
    set('filled', (sec + 1) * second) -- this second has had its calls
    set('adjusted', sec + 1)
    set('loose', 0)
  elseif tonumber(s.pace) and (sec > (s.adjusted or 0) or sec < s.adjusted - 1) then -- or the clock went back
    set('adjusted', sec)
    local slow = slower(last)
    if slow then
      pace_to(slow)
    else
      -- An error may be about its order, so errors up to the number of successes do not
      -- slow the workers down.
      local answered = last[1] + last[2]
      answered = answered + math.min(last[4], answered)
      local grown = tonumber(s.limit) and s.pace >= s.limit and s.pace * 1.1 + 0.1 or s.pace * 2
      set('pace', math.max(s.pace, math.min(grown, growth * answered)))
    end
    set('loose', (s.spare or 0) >= sec - 1 and (s.loose or 0) + 1 or 0)
    if s.loose >= loose_seconds then
      set('pace', '')
    end
  end
  if state == 'half_open' and (not tonumber(s.pace) or passed(s.since, settle_after)) then
    enter('closed')
  end
end

-- Permit.
local calls = -1
if state == 'open' then
  calls = 0
  -- A probe that its worker did not begin may be another worker's.
  if unused > 0 and s.prober == ARGV[2] then
    set('returned', 1)
  end
  if want > 0 and (passed(s.probed, second) or s.returned == 1 and s.prober ~= ARGV[2]) then
    calls = 1
    set('probed', now)
    set('prober', ARGV[2])
    set('returned', 0)
  end
elseif tonumber(s.pace) then
  local filled = s.filled or now
  if filled > now + second then -- the clock went back
    filled = now
  end
  local tokens = (s.tokens or 0) + unused + s.pace * math.max(now - filled, 0) / second
  tokens = math.min(tokens, 1 + s.pace / 4) -- a whole call more than a quarter of a second brings
  calls = math.min(want, math.floor(tokens))
  set('tokens', tokens - calls)
  set('filled', math.max(filled, now))
end

-- A script whose first write needs no memory is not refused while Redis is full.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', math.floor(now / 1000) - idle * 1000)
if #changed > 0 then
  redis.call('HSET', KEYS[1], unpack(changed))
end
redis.call('EXPIRE', KEYS[1], idle)
redis.call('ZADD', KEYS[2], math.floor(now / 1000), ARGV[1])
redis.call('EXPIRE', KEYS[2], idle)
return { state, calls }
