-- Purpose: tells the sessions of these accounts to end after what they have sent; unknown accounts and free ones are passed over.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] packed list of accounts, [3] epoch (parts/leaders)
-- Reply: how many leases were told; -1 no generation has begun; -1 - the newest epoch: a newer leader was here, nothing was changed.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/leaders
if not open_gate() then return -1 end
local refusal = deposed(tonumber(ARGV[3]))
if refusal then return refusal end
sweep()
local ids, told = cmsgpack.unpack(ARGV[2]), 0
fetch_accounts(ids)
for _, id in ipairs(ids) do
  if accounts[id] and accounts[id].token > 0 then
    accounts[id].ending = 1
    touched[id] = true
    told = told + 1
  end
end
save()
return told
