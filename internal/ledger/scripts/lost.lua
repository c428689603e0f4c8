-- lost ends an attempt whose worker is gone. The order may be tried again at
-- once; one that has lost too many workers since its last retry, the last of them
-- while it was tried apart from other suspects, ends as failed.
--
-- other        the suspect that is tried apart
-- number       of the attempt
-- seen         when the worker was seen to be gone, microseconds
-- beside       1 if another suspect was with the same worker, else 0
-- reason       of the attempt's end
-- last_reason  of the order's end
--
-- Returns {'lost', losses} or {'failed', losses} when the attempt ended here;
-- {'over', losses} when it is not open, not the last one, or begun since;
-- {'missing'}.
return update_known(function(number, seen, beside, reason, last_reason)
  local queue, due, losses = read('q', 'u', 'p')
  if not status then
    return { 'missing' }
  end
  losses = tonumber(losses or 0)
  local open, calls = opened()
  if status == 'failed' and losses >= most_losses and attempts == number then
    return { 'failed', losses }
  end
  if settled[status] or not open or attempts ~= number or tonumber(open) > tonumber(seen) then
    return { 'over', losses }
  end

  -- The last loss counts only when it is known to be this order's own.
  local own = redis.call('GET', other) == id and beside == '0'
  if losses < most_losses - 1 or own then
    losses = losses + 1
  end
  local ends = losses >= most_losses
  local to = ends and 'failed' or 'retrying'
  -- Whatever the worker still does is stale from here on.
  drop('k')
  move(to)
  local worker = abandon(reason, calls)
  local why = ends and last_reason or reason
  put('p', losses)
  put('e', why)
  if ends then
    put('z', now)
    observe('processing', queue, now - open)
    observe('end_to_end', queue, now - (due or created))
  else
    put('x', now)
  end
  event(to, attempts, worker, why)
  save()
  return { ends and 'failed' or 'lost', losses }
end)
