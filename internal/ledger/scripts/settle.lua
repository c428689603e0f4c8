-- settle gives an order its outcome. The first outcome wins.
--
-- token   of the attempt
-- to      completed, rejected or failed
-- reason  why, empty when completed
-- note    what fulfilment answered
-- shop    '1' if the shop may have taken the order, '0' if it gave a definite
--         answer, empty if it was not called
--
-- Returns {'settled', status} with the outcome that the order has now, and as a
-- third element 'own' when it is this call's; {'stale'} when another delivery
-- holds the order; {'missing'}.
return update_known(function(token, to, reason, note, shop)
  local holder, queue, due, last_reason, unknown, jobs_before = read('k', 'q', 'u', 'e', 'l', 'i')
  if not status then
    return { 'missing' }
  end
  if settled[status] then
    return { 'settled', status, holder == token and 'own' or '' }
  end
  if holder ~= token then
    return { 'stale' }
  end

  if status == 'retrying' then
    drop('x')
  end
  conclude(jobs_before, to)
  move(to)
  local worker, open = '', opened()
  if open then
    -- A rejection is a decision, not a failure of the attempt.
    worker = close(to == 'failed' and reason or '', note)
    observe('processing', queue, now - open)
  end
  if shop == '1' then
    put('l', shop)
  elseif shop == '0' and unknown then
    drop('l')
  end
  put('z', now)
  if reason ~= '' then
    put('e', reason)
  elseif last_reason then
    drop('e')
  end
  observe('end_to_end', queue, now - (due or created))
  event(to, attempts or 0, worker, reason)
  save()
  return { 'settled', to, 'own' }
end)
