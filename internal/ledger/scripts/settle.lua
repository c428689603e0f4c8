-- settle gives an order its outcome. The first outcome wins.
--
-- token   of the attempt
-- to      completed, rejected or failed
-- reason  why, empty when completed
-- note    what fulfilment answered
-- shop    '1' if the shop may have taken the order, '0' if it gave a definite
--         answer, empty if it was not called
--
-- Returns 'settled' and the outcome that the order has now, and as a third word 'own' when
-- it is this call's; 'stale' when another delivery holds the order; 'missing'.
local function settle_attempt(token, to, reason, note, shop)
  local holder, queue, due, last_reason, unknown, jobs_before, first = read('k', 'q', 'u', 'e', 'l', 'i', 'a1')
  if not status then
    return 'missing'
  end
  if settled[status] then
    return 'settled\t' .. status .. (holder == token and '\town' or '')
  end
  if holder ~= token then
    return 'stale'
  end
  attempt = attempts == '1' and first
  settle(to, reason, note, shop, queue, due, last_reason, unknown, jobs_before)
  save()
  return 'settled\t' .. to .. '\town'
end
