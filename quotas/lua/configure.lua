-- Purpose: sets the limits of the registry and of its accounts. An account that is not named by any part of the newest whole
--   configuration is withdrawn: not leasable, its session told to end. A new account's bucket begins empty.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2..8] limits (parts/limits), [9] stamp of this configuration, 0 for its first part, [10] 1 = last part,
--   [11] packed list of {account, rate units a µs, cap in units}, [12] epoch (parts/leaders)
-- Reply: the stamp for the next part; -1 no generation has begun; -1 - the newest epoch: a newer leader was here, nothing was changed.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/leaders
-- include: parts/limits
if not open_gate() then return -1 end
local refusal = deposed(tonumber(ARGV[12]))
if refusal then return refusal end
sweep()
limit_registry()
local stamp = tonumber(ARGV[9])
if stamp == 0 then
  stamp = gate.next_conf + 1
  gate.next_conf = stamp
end
local lines, ids = cmsgpack.unpack(ARGV[11]), {}
for i, line in ipairs(lines) do ids[i] = line[1] end
fetch_accounts(ids)
for _, line in ipairs(lines) do
  local id = line[1]
  local acc = accounts[id] or new_account(id)
  if acc.conf <= stamp then
    acc.conf, acc.policy_rate, acc.policy_cap = stamp, line[2], line[3]
    limit_account(acc)
    touched[id] = true
  end
end
if ARGV[10] == '1' then gate.conf = math.max(gate.conf, stamp) end
save()
return stamp
