-- lost ends an attempt whose worker is gone. The order is due at once, or fails once it
-- has lost too many workers since its acceptance or last retry, the last of them in
-- quarantine.
--
-- other           the key of the order in quarantine
-- number          the attempt's number
-- seen            when the worker was found to be gone, microseconds
-- with_candidate  1 if the worker also held another poison candidate, else 0
-- reason          why the attempt ended
-- last_reason     why the order failed, if it does
--
-- Returns {'lost', losses} or {'failed', losses} when the attempt ended here;
-- {'over', losses} when it is not open, not the last one, or begun since;
-- {'missing'}.
return update_known(function(number, seen, with_candidate, reason, last_reason)
  local queue, due, losses, jobs_before = read('q', 'u', 'p', 'i')
  if not status then
    return { 'missing' }
  end
  losses = tonumber(losses or 0)
  local start, calls = opened()
  if status == 'failed' and losses >= most_losses and attempts == number then
    return { 'failed', losses }
  end
  if settled[status] or not start or attempts ~= number or start > tonumber(seen) then
    return { 'over', losses }
  end

  -- The last loss counts only when this order is known to have caused it.
  local own = redis.call('GET', other) == id and with_candidate == '0'
  if losses < most_losses - 1 or own then
    losses = losses + 1
  end
  local ends = losses >= most_losses
  local to = ends and 'failed' or 'retrying'
  -- Whatever the worker still writes is stale from here on.
  drop('k')
  move(to)
  local worker = abandon(reason, calls)
  local why = ends and last_reason or reason
  put('p', losses)
  put('e', why)
  if ends then
    conclude(jobs_before, 'failed')
    put('z', now)
    observe('processing', queue, now_us - start)
    observe('end_to_end', queue, now_us - (due or created_us))
  else
    put('x', now)
  end
  event(to, attempts, worker, why)
  save()
  return { ends and 'failed' or 'lost', losses }
end)
