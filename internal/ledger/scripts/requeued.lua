-- requeued counts that an unsettled order without a task was given one again.
--
-- token  unique to one repair
--
-- Returns {'counted'}, or {'known'} if it had been before or the order is settled.
return update_known(function(token)
  local last = read('r')
  if not status or settled[status] or last == token then
    return { 'known' }
  end
  put('r', token)
  count('requeued', 1)
  save()
  return { 'counted' }
end)
