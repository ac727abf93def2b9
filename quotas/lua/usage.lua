-- Purpose: reads one registry's use: its bucket, its sessions (live, and not known to be closed), the parties that have or lately had
--   sessions, and the signals. It looks at these only, never at all parties.
-- KEYS[1..5] gate, accounts, parties, ends, busy; KEYS[7] signals
-- ARGV[1] now µs
-- Reply: one packed list {generation, run id, gate µs, level in units, what stands beside what is out in units, outstanding, sent, held,
--   closed ms, sessions, parties, signals, rate, the server's run id now};
--   false when no generation has begun.
-- Repeatable: yes.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
local QUIET = 10000 * MS
if not open_gate() then return false end
sweep()

local function fetch_in_parts(ids, fetch)
  for first = 1, #ids, 1000 do
    local part = {}
    for i = first, math.min(first + 999, #ids) do part[#part + 1] = ids[i] end
    fetch(part)
  end
end

local sessions = {}
local ids = redis.call('ZRANGE', KEYS[4], 0, -1)
fetch_in_parts(ids, fetch_accounts)
for _, id in ipairs(ids) do
  local acc = accounts[id]
  if acc and acc.token > 0 then
    sessions[#sessions + 1] = {acc.party, id, acc.holder, acc.token, ms_until(acc.ends), acc.own, acc.sent, acc.settled, false}
  elseif acc and (acc.linger > 0 or acc.barred > 0 or acc.dead > 0) then
    local over = math.max(acc.linger, acc.barred, acc.dead_at)
    sessions[#sessions + 1] = {acc.party, id, '', 0, ms_until(over), acc.dead, 0, 0, true}
  end
end

local uses = {}
fetch_in_parts(redis.call('SMEMBERS', KEYS[5]), function(part)
  for i, raw in ipairs(redis.call('HMGET', KEYS[3], unpack(part))) do
    local id = part[i]
    if parties[id] == nil then parties[id] = read_party(raw) end
    local p = parties[id]
    if p.live == 0 and p.o == 0 and p.idle < gate.at - QUIET then
      redis.call('SREM', KEYS[5], id)
    else
      uses[#uses + 1] = {id, level_now(p), p.o, p.sent, p.bound, p.rate}
    end
  end
end)

local signals = redis.call('HGET', KEYS[7], 'all')
save()
return cmsgpack.pack({
  gate.generation, gate.run, gate.at, level_now(gate), standing(gate), gate.o, gate.sent, gate.held, ms_until(gate.blocked), sessions, uses,
  signals and cmsgpack.unpack(signals) or false, gate.rate, run_now(),
})
