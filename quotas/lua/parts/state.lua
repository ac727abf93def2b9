-- Purpose: one registry's state inside one script: opens it, advances its clock, loads accounts and parties once each,
--   writes back what changed. Clock and ages: gate time (µs) goes forward with every call by at most 300 ms, never back.
-- KEYS[1] gate (one packed record), KEYS[2] accounts, KEYS[3] parties (hashes of packed records by id),
-- KEYS[4] ends (accounts by the gate time at which something of theirs is over; early scores are re-scored), KEYS[5] busy parties
-- ARGV[1] the machine's time in µs; 0 = ask the server
-- Reply: none, a part of scripts. Repeatable: yes.
-- include: parts/records
local UNIT = 10000000000 -- units in a record
local MS = 1000
local LONGEST_STEP = 300 * MS
local SWEEP = 64

local gate
local accounts, parties, counted, touched, touched_parties = {}, {}, {}, {}, {}
local age

local function machine_us()
  local given = tonumber(ARGV[1])
  if given > 0 then return given end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- The server's run id now: another one than the gate's means that its keys came from a copy.
local function run_now()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

local function open_gate()
  local raw = redis.call('GET', KEYS[1])
  if not raw then return false end
  gate = cmsgpack.unpack(raw)
  local now = machine_us()
  gate.at = gate.at + math.min(math.max(now - gate.seen, 0), LONGEST_STEP)
  gate.seen = now
  return true
end

-- Milliseconds of gate time until `at`, rounded up.
local function ms_until(at)
  return math.max(0, math.ceil((at - gate.at) / MS))
end

-- A session counts while its lease lives, and until it is known to be closed.
local function counts(acc)
  return acc and (acc.token > 0 or acc.linger > 0) and 1 or 0
end

local function keep_account(id, raw)
  local acc = raw and read_account(raw) or false
  accounts[id] = acc
  counted[id] = counts(acc)
  if acc and acc.due > 0 and acc.due <= gate.at then
    touched[id] = true
    age(acc)
  end
  return acc
end

local function account(id)
  if accounts[id] == nil then return keep_account(id, redis.call('HGET', KEYS[2], id)) end
  return accounts[id]
end

local function fetch_accounts(ids)
  if #ids == 0 then return end
  local raws = redis.call('HMGET', KEYS[2], unpack(ids))
  for i, id in ipairs(ids) do
    if accounts[id] == nil then keep_account(id, raws[i]) end
  end
end

-- An account's record before its limits are known: nobody can take it.
local function new_account(id)
  accounts[id] = {
    v = 0, o = 0, rate = 0, cap = 0, filled = math.max(gate.at, gate.start), conf = -1, policy_rate = 0, policy_cap = 0,
    told_rate = unlimited, told_cap = unlimited, blocked = 0, barred = 0, token = 0, ends = 0, own = 0, sent = 0, settled = 0,
    seen = 0, ending = 0, dead = 0, dead_at = 0, linger = 0, due = 0, id = id, party = '', holder = '',
  }
  return accounts[id]
end

local function party(id)
  if parties[id] == nil then
    local raw = redis.call('HGET', KEYS[3], id)
    parties[id] = raw and read_party(raw) or false
  end
  return parties[id]
end

local function party_or_new(id)
  touched_parties[id] = true
  if not party(id) then
    parties[id] = {
      v = 0, o = 0, rate = 0, cap = 0, filled = math.max(gate.at, gate.start), open = 0, wall = 0, sessions = 0,
      live = 0, held = 0, blocked = 0, sent = 0, idle = gate.at, short_at = 0, bound = 'nothing', line = {},
    }
  end
  return parties[id]
end

local function next_due(acc)
  local due = 0
  local function sooner(at)
    if at > 0 and (due == 0 or at < due) then due = at end
  end
  if acc.token > 0 then sooner(acc.ends) end
  if acc.dead > 0 then sooner(acc.dead_at) end
  sooner(acc.linger)
  sooner(acc.barred)
  return due
end

local function recount(id, acc)
  local change = counts(acc) - counted[id]
  if change == 0 then return end
  counted[id] = counts(acc)
  local p = party_or_new(acc.party)
  gate.live = gate.live + change
  p.live = p.live + change
  p.idle = gate.at
  if p.live > 0 then redis.call('SADD', KEYS[5], acc.party) end
end

-- Ends whatever is over by now, a bounded number at a time (the rest counts on: the safe side).
local function sweep()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', gate.at, 'LIMIT', 0, SWEEP)) do account(id) end
  for id in pairs(touched) do recount(id, accounts[id]) end
end

local function schedule(id, acc)
  local due = next_due(acc)
  if due == 0 and acc.due > 0 then
    redis.call('ZREM', KEYS[4], id)
    acc.due = 0
  elseif due > 0 and (acc.due == 0 or due < acc.due or acc.due <= gate.at) then
    redis.call('ZADD', KEYS[4], due, id)
    acc.due = due
  end
end

local function write_all(key, records, ids, write)
  local pairs_out = {}
  for id in pairs(ids) do
    pairs_out[#pairs_out + 1] = id
    pairs_out[#pairs_out + 1] = write(records[id])
  end
  if #pairs_out > 0 then redis.call('HSET', key, unpack(pairs_out)) end
end

local function save()
  for id in pairs(touched) do
    recount(id, accounts[id])
    schedule(id, accounts[id])
  end
  write_all(KEYS[2], accounts, touched, write_account)
  write_all(KEYS[3], parties, touched_parties, write_party)
  redis.call('SET', KEYS[1], cmsgpack.pack(gate))
end
