-- begin opens an attempt at an order. From now on only the holder of its token can
-- fail or settle the order.
--
-- token     unique to one delivery of the order
-- worker    who makes the attempt
-- to        status while the attempt runs
-- handling  handling, empty for an order that the rules reject
-- most      how many counted attempts an order may have since its last retry; 0 for any
--           number. Attempts after which the shop asked to be called later do not count.
-- calls     '?' if the attempt may call the shop, else empty
-- reason    of the end of an attempt that is still open
-- decision  what the rules decided, see document.go, if this is the first attempt since
--           the last retry; '=' if the order was decided or begun when it was read; empty
--           if that is not known
-- shadow    the difference from the decision of the shadow version, empty for none
-- outcome   with which the attempt ends at once, as it calls no shop; empty if it goes on
-- why       of that outcome, empty when completed
-- shop      as for settle
--
-- Returns 'begun', number, try, counted, first and age: number counts all attempts, try
-- those since the last retry, counted those of them that count, first is when the first
-- of them began, and age is how long ago, in microseconds. Returns 'exhausted', number,
-- try, counted and reason when no attempt is left, with the reason of the last one; the
-- token may only settle then. Returns 'decided' if another delivery was the first to
-- decide, or the order was retried since it was read, 'held' for an order that a person
-- must release, 'settled' and status, or 'missing'.

-- How many attempts there are in all, since the last retry, those of them that count, and
-- before the last retry.
local number, try, counted, before

local function numbers(word)
  return word .. '\t' .. digits(number) .. '\t' .. digits(try) .. '\t' .. digits(counted) .. '\t'
end

local function begun(first)
  return numbers('begun') .. digits(first) .. '\t' .. digits(max(now_us - first, 0))
end

-- first_began returns when the first attempt since the last retry began.
local function first_began()
  return started(call('HGET', record, 'a' .. before + 1), '') or now_us
end

local function exhausted(last)
  return numbers('exhausted') .. (last or string.match(attempt or '', '^[^\t]*\t%d+\t%d+\t([^\t]*)') or '')
end

local function begin_attempt(token, worker, to, handling, most, calls, reason, decision, shadow, outcome, why, shop)
  local holder, queue, due, decided, last_reason, jobs_before = read('k', 'q', 'u', 'g', 'e', 'i')
  if not status then
    return 'missing'
  end
  local losses, uncounted, unknown
  if attempts then
    before, losses, uncounted, unknown = unpack(call('HMGET', record, 'm', 'p', 'o', 'l'))
  end
  number, before = tonumber(attempts or 0), attempts and tonumber(before or 0) or 0
  try = number - before
  counted = try - (uncounted or 0)
  if settled[status] then
    if holder == token and status == outcome then
      return begun(first_began())
    end
    return 'settled\t' .. status
  end
  local start, called = opened()
  -- An attempt with an outcome is never left open, so its repetition ends above.
  if holder == token and not (start and outcome ~= '') then
    return start and begun(first_began()) or exhausted()
  end
  if status == 'held' then
    return 'held'
  end
  if decision == '=' then
    if not decided and try == 0 then
      return 'decided'
    end
  elseif decision ~= '' then
    if decided then
      return 'decided'
    end
    put('g', decision)
    if shadow ~= '' then
      count(shadow, 1)
    end
  end

  put('k', token)
  if start then
    abandon(reason, called)
    -- The order may be what ends its workers, but only lost decides that. So begin
    -- never counts the last loss.
    put('p', digits(math.min((losses or 0) + 1, most_losses - 1)))
  end
  if tonumber(most) > 0 and counted >= tonumber(most) then
    save()
    return exhausted(start and reason)
  end

  number, try, counted = number + 1, try + 1, counted + 1
  if status == 'retrying' then
    drop('x')
  end
  if handling == '' then
    drop('h')
  else
    put('h', handling)
  end
  -- The record keeps the first attempt of the run and the newest ones.
  local oldest = number - kept_attempts
  if oldest > before then
    drop('a' .. oldest + 1)
  elseif oldest > 0 then
    drop('a' .. oldest)
  end
  move(to)
  open(number, worker, calls)
  put('n', attempts)
  count('attempts', 1)
  if try == 1 then
    observe('queue_wait', queue, now_us - (due or created_us))
  end
  event(to, attempts, worker, '')
  local answer = begun(try == 1 and now_us or first_began())
  if outcome ~= '' then
    settle(outcome, why, '', shop, queue, due, last_reason, unknown, jobs_before)
  end
  save()
  return answer
end
