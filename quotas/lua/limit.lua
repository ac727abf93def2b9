-- Purpose: the registrar told limits at log-in: the lower of them and of policy binds while this lease lives.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] account, [3] token, [4] rate (units a µs), [5] cap (units)
-- Reply: 1 done; 0 the lease is gone.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/limits
if not open_gate() then return 0 end
sweep()
local acc = account(ARGV[2])
local ok = is_held(acc, tonumber(ARGV[3]))
if ok then
  acc.told_rate, acc.told_cap = tonumber(ARGV[4]), tonumber(ARGV[5])
  limit_account(acc)
  touched[ARGV[2]] = true
end
save()
return ok and 1 or 0
