-- Purpose: stops drawing for the registry or one party at once, or lets it go on. People who let it go on after a
--   hold mean now: a pause that the registrar asked that scope for is over too. Where nothing was held, it stands.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] party, empty = the registry, [3] 1 on, 0 off, [4] epoch (parts/leaders)
-- Reply: 1 done; -1 no generation has begun; -1 - the newest epoch: a newer leader was here, nothing was changed.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/leaders
if not open_gate() then return -1 end
local refusal = deposed(tonumber(ARGV[4]))
if refusal then return refusal end
sweep()
local on = ARGV[3] == '1'
if ARGV[2] == '' then
  if gate.held and not on then gate.blocked = 0 end
  gate.held = on
else
  local p = party_or_new(ARGV[2])
  if p.held == 1 and not on then p.blocked = 0 end
  p.held = on and 1 or 0
end
save()
return 1
