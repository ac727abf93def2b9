-- Purpose: takes one account for one holder, if it is free and the gate is open for its party.
-- KEYS[1..5] gate, accounts, parties, ends, busy
-- ARGV[1] now µs, [2] party, [3] account, [4] holder
-- Reply: {token, generation}, or {word that binds, ms until it is worth asking again}. A refusal drains nothing.
-- Repeatable: yes; a repeat finds the account taken (an unused lease ends by itself, its session never began).
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/limits
-- include: parts/doors
if not open_gate() then return {'starting', 1000} end
sweep()
local id = ARGV[3]
local p, acc = party(ARGV[2]), account(id)

local function refusal()
  if gate.at < gate.start then return {'starting', ms_until(gate.start)} end
  if not acc or acc.conf < gate.conf then return {'account', 1000} end
  if acc.token > 0 then return {'account', ms_until(acc.ends)} end
  if acc.barred > gate.at then return {'quarantine', ms_until(acc.barred)} end
  local word, wait = shut(p, acc)
  if word then return {word, wait} end
  -- A session of this very account that is not known to be closed is closed by this one's log-in: the account counts once.
  local own = acc.linger > 0 and 1 or 0
  if gate.live - own >= gate.sessions then return {'sessions', 250} end
  if p.sessions > 0 and p.live - own >= p.sessions then return {'sessions', 250} end
end

local refused = refusal()
if not refused then
  gate.counter = gate.counter + 1
  acc.token = gate.generation * 4294967296 + gate.counter
  acc.party, acc.holder, acc.ends = ARGV[2], ARGV[4], gate.at + gate.lease
  acc.own, acc.sent, acc.settled, acc.seen, acc.ending = 0, 0, 0, 0, 0
  acc.told_rate, acc.told_cap = unlimited, unlimited
  limit_account(acc)
  touched[id] = true
end
save()
return refused or {acc.token, gate.generation}
