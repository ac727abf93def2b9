-- Purpose: the registrar said slow down: nothing is drawn in that scope until it is over; a later end that stands is not shortened.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] scope: account, party or registry, [3] id of the account or party, [4] for ms
-- Reply: 1 done; -1 no generation has begun.
-- Repeatable: yes; a repeat counts from its own time.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() then return -1 end
sweep()
local whom = gate
if ARGV[2] == 'party' then
  whom = party_or_new(ARGV[3])
elseif ARGV[2] == 'account' then
  whom = account(ARGV[3])
  if whom then touched[ARGV[3]] = true end
end
if whom then whom.blocked = math.max(whom.blocked, gate.at + tonumber(ARGV[4]) * MS) end
save()
return 1
