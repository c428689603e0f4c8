-- outcome is in front of every script that ends an attempt with an outcome.

-- settle gives the order its outcome; save must follow. See settle.lua for its first
-- arguments; the others are fields of the record.
local function settle(to, reason, note, shop, queue, due, last_reason, unknown, jobs_before)
  if status == 'retrying' then
    drop('x')
  end
  conclude(jobs_before, to)
  move(to)
  local worker, start = '', opened()
  if start then
    -- A rejection is a decision, not a failure of the attempt.
    worker = close(to == 'failed' and reason or '', note)
    observe('processing', queue, now_us - start)
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
  observe('end_to_end', queue, now_us - (due or created_us))
  event(to, attempts or '0', worker, reason)
end

