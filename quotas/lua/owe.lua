-- Purpose: holders tell what their lost leases sent and had no answer to. Of a lease of this generation the gate knows itself; of one of
--   another generation it knew nothing any more: what may still arrive of it is reserved like a dead session's, until it is answered, a
--   fencing log-in was answered, or it cannot arrive any more. Also for an account that is not configured: its party and the registry
--   see it arrive all the same.
-- KEYS[1..5] gate, accounts, parties, ends, busy; KEYS[6] holders (what was told of each account's leases)
-- ARGV[1] now µs, [2] packed flat list, of each lease account, party, token, sent, settled (last totals), ms for which it may still arrive
-- Reply: list, of each in order 1 it may still arrive (tell again), 0 it is settled, spent or over; false when no generation has begun
--   on this run of the server.
-- Repeatable: yes; totals that are not above those already told change nothing.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
if not open_gate() or gate.run ~= run_now() then return false end
sweep()

-- A lease of this generation: is anything of its account's out?
local function is_known(acc, token)
  return acc and (acc.token == token or acc.dead > 0)
end

local function reserve(acc, p, left, ms)
  gate.o, p.o, acc.o = gate.o + left, p.o + left, acc.o + left
  acc.dead, acc.dead_at = acc.dead + left, math.max(acc.dead_at, gate.at + ms * MS)
  p.idle = gate.at
  redis.call('SADD', KEYS[5], acc.party)
end

-- Takes `left` of a lease for the first time. Where the newest session wins, a lease of this generation that has sent was logged in to
-- after it: what was told too late to be reserved has arrived.
local function begin_owing(acc, party_id, left, ms)
  if acc.party == '' then acc.party = party_id end
  local p = party_or_new(acc.party)
  if gate.newest and acc.sent > 0 then
    debit(acc, p, 0, left, gate.at)
    return 0
  end
  reserve(acc, p, left, ms)
  return left
end

local function owe(id, party_id, token, left, ms)
  local acc = account(id)
  if math.floor(token / 4294967296) == gate.generation then return is_known(acc, token) end
  acc = acc or new_account(id)
  local owed = owed_of(acc)
  local before = owed[token]
  if not before and left > 0 then
    owed[token] = begin_owing(acc, party_id, left, ms)
  elseif before and left < before then
    lay_out(acc, before - left)
    owed[token] = left
  else
    return before and before > 0
  end
  touched[id] = true
  keep_owed(acc, owed)
  return owed[token] > 0
end

local told, replies = cmsgpack.unpack(ARGV[2]), {}
for at = 1, #told, 6 do
  local left = math.max(0, told[at + 3] - told[at + 4])
  replies[#replies + 1] = owe(told[at], told[at + 1], told[at + 2], left, told[at + 5]) and 1 or 0
end
save()
return replies
