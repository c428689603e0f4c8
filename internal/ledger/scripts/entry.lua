-- entry is in front of every script that writes into the audit.
--
-- The ledger puts audit_entries in front of it: how many entries the audit keeps, roughly.

-- write_entry adds an entry to the audit, a stream: what was done, by whom, to what, why,
-- in which request, and the token of a call that could be repeated otherwise.
local function write_entry(audit, action, actor, target, reason, request, token)
  redis.call('XADD', audit, 'MAXLEN', '~', audit_entries, '*',
    'a', action, 'w', actor, 't', target, 'r', reason, 'q', request, 'k', token or '')
end
