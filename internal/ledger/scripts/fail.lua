-- fail ends an attempt without an outcome; another one is due later.
--
-- token   of the attempt
-- reason  why
-- note    what fulfilment answered
-- delay   until the next attempt, microseconds
-- unknown '1' if the shop may have taken the order, else empty
-- later   '1' if the attempt does not count, as the shop asked to be called later
--
-- Returns 'failed'; 'settled' and status; 'stale' when another delivery holds the order;
-- 'missing'.
local function fail_attempt(token, reason, note, delay, unknown, later)
  local holder, uncounted = read('k', 'o')
  if not status then
    return 'missing'
  end
  if settled[status] then
    return 'settled\t' .. status
  end
  if holder ~= token then
    return 'stale'
  end
  if not opened() then
    return 'failed'
  end

  move('retrying')
  local worker = close(reason, note)
  if unknown ~= '' then
    put('l', unknown)
  end
  if later ~= '' then
    put('o', digits((uncounted or 0) + 1))
  end
  put('e', reason)
  put('x', digits(now_us + delay))
  event('retrying', attempts, worker, reason)
  save()
  return 'failed'
end
