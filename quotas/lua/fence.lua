-- Purpose: a log-in under this lease was answered. Where the newest session wins, older ones of the account are closed now: they no
--   longer count, and what they had outstanding is spent.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] account, [3] token
-- Reply: 1 done; 0 the lease is gone, nothing was changed.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() then return 0 end
sweep()
local acc = account(ARGV[2])
local ok = is_held(acc, tonumber(ARGV[3]))
if ok and gate.newest then
  spend(acc)
  acc.linger = 0
  touched[ARGV[2]] = true
end
save()
return ok and 1 or 0
