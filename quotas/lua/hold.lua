-- Purpose: stops drawing for the registry or one party at once, or lets it go on.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] party, empty = the registry, [3] 1 on, 0 off
-- Reply: 1 done; -1 no generation has begun.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() then return -1 end
sweep()
if ARGV[2] == '' then
  gate.held = ARGV[3] == '1'
else
  party_or_new(ARGV[2]).held = tonumber(ARGV[3])
end
save()
return 1
