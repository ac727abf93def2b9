-- Purpose: keeps an account out of use for a time; a longer one that stands is not shortened. A live lease goes on.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] party, [3] account, [4] for ms
-- Reply: 1 done (also for an account that is not configured); -1 no generation has begun.
-- Repeatable: yes; a repeat counts from its own time.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() then return -1 end
sweep()
local acc = account(ARGV[3])
if acc then
  if acc.party == '' then acc.party = ARGV[2] end
  acc.barred = math.max(acc.barred, gate.at + tonumber(ARGV[4]) * MS)
  touched[ARGV[3]] = true
end
save()
return 1
