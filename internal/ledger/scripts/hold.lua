-- hold keeps an order from the workers until a person, or its expiry, decides.
--
-- decision  what the rules decided, see document.go
-- reason    why
-- term      after how long the hold expires, microseconds; empty for never
-- shadow    the difference from the decision of the shadow version, empty for none
--
-- Returns {'held'}, also for an order that is held already; {'decided'} if another
-- delivery was the first to decide; {'settled', status}; {'missing'}.
return update_known(function(decision, reason, term, shadow)
  local decided, handling, before = read('g', 'h', 'm')
  if not status then
    return { 'missing' }
  end
  if settled[status] then
    return { 'settled', status }
  end
  if status == 'held' then
    return { 'held' }
  end
  -- Earlier versions began attempts and kept the handling only.
  if decided or handling and tonumber(attempts or 0) > tonumber(before or 0) then
    return { 'decided' }
  end

  drop('k', 'x', 'e')
  if handling then
    drop('h')
  end
  if term ~= '' then
    hold_until(digits(now_us + term))
  end
  move('held')
  put('g', decision)
  if shadow ~= '' then
    count(shadow, 1)
  end
  event('held', '0', '', reason)
  save()
  return { 'held' }
end)
