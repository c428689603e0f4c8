-- reindex puts an order into the index of its status and that of its customer, and
-- takes it out of the others.
--
-- other  the customer's index
--
-- Returns {'reindexed'} if that changed something, {'right'} if not; {'missing'}.
return update_known(function()
  local expiry = read('j')
  if not status then
    return { 'missing' }
  end
  local changed = redis.call('ZADD', other, created, id)
  for name in pairs(codes) do
    if name == status then
      changed = changed + redis.call('ZADD', index .. name, created, id)
    else
      changed = changed + redis.call('ZREM', index .. name, id)
    end
  end
  if expiry then
    changed = changed + redis.call('ZADD', expiries, expiry, id)
  end
  return { changed > 0 and 'reindexed' or 'right' }
end)
