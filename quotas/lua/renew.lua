-- Purpose: renews one lease; its holder may log in straight after a 1.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] account, [3] token
-- Reply: 1 renewed; 0 the lease is gone or told to end.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() then return 0 end
sweep()
local acc = account(ARGV[2])
local ok = is_held(acc, tonumber(ARGV[3])) and acc.ending == 0 and acc.conf >= gate.conf
if ok then
  acc.ends = gate.at + gate.lease
  acc.seen = 1
  touched[ARGV[2]] = true
end
save()
return ok and 1 or 0
