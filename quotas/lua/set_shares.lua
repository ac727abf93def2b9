-- Purpose: writes what the leader decided: the registry's braked rate, and for the parties named their share, burst, sessions and the
--   instant until which they may draw (at most 5 s ahead). Others keep theirs until it runs out.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] epoch, [3] the machine's time in µs when this was asked (a late call opens nothing for longer),
--   [4] rate (units a µs), [5] packed list of {party, rate, cap, open ms, sessions}
-- Reply: {1, epoch}; {0, newest epoch} a newer leader was here, nothing was changed; {-1, 0} no generation has begun.
-- Repeatable: yes; a repeat counts from its own time, never past what the first could open.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() then return {-1, 0} end
local epoch, asked = tonumber(ARGV[2]), tonumber(ARGV[3])
if epoch < gate.epoch then return {0, gate.epoch} end
sweep()
gate.epoch = epoch
gate.braked = tonumber(ARGV[4])
set_limit(gate, math.min(gate.limit, gate.braked), gate.cap)
for _, share in ipairs(cmsgpack.unpack(ARGV[5])) do
  local p = party_or_new(share[1])
  local open = math.min(math.max(share[4], 0), 5000) * MS
  set_limit(p, share[2], share[3])
  p.open, p.wall, p.sessions = gate.at + open, asked + open, share[5]
end
save()
return {1, epoch}
