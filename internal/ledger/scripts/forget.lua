-- forget drops a settled order whose retention is over: record and index
-- entries. The counters keep counting it.
--
-- other   the customer's index
-- before  settled at or before, microseconds
--
-- Returns {'gone'} if the order is gone through this call, else {'kept'}.
return each_known(function(before)
  local at = read('z')
  if not status or not settled[status] or tonumber(at) > tonumber(before) then
    return { 'kept' }
  end
  redis.call('ZREM', other, id) -- first, as it is what could fail
  redis.call('ZREM', index .. status, id)
  redis.call('DEL', record)
  return { 'gone' }
end)
