-- Purpose: gives a lease back with its last totals. Permits not sent are returned. What was sent and not answered may still arrive, also
--   after a log-out (a line may be on its way): it stays reserved like a dead session's. A session that was not logged out counts on.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] account, [3] token, [4] sent, [5] settled (totals), [6] logged out 0/1
-- Reply: 1 given back; 0 the lease was gone, nothing was changed.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() then return 0 end
sweep()
local acc = account(ARGV[2])
local ok = is_held(acc, tonumber(ARGV[3]))
if ok then
  local sent, settled = tonumber(ARGV[4]), tonumber(ARGV[5])
  local left = math.max(0, sent - settled)
  settle(acc, party_or_new(acc.party), sent, settled, left, 0)
  bury(acc, left, gate.at, acc.seen == 1 and ARGV[6] == '0')
  age(acc)
  touched[ARGV[2]] = true
end
save()
return ok and 1 or 0
