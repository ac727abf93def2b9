-- Purpose: begins a generation: buckets empty, leases of older ones void, nothing drawn and nothing refilled for the given wait.
--   The gate's clock, the leader's epoch and brake, the registrar's pushback, accounts out of use, and sessions that are not known to be
--   closed go on where they were, if they are still there; of sessions and accounts a copy (another run of the server) tells nothing.
-- KEYS[1..7] all keys of the registry
-- ARGV[1] now µs (0 = server's), [2..8] limits (parts/limits), [9] generation, [10] the server's run id, [11] wait ms, [12] epoch (parts/leaders)
-- Reply: 1 done, 0 a newer generation stands here; -1 - the newest epoch: a newer leader was here, nothing was changed.
-- Repeatable: yes; the same generation again only sets the limits.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/limits
-- include: parts/leaders
local generation = tonumber(ARGV[9])

-- Accounts whose session may be open at the registrar, or that are out of use: all of them stand in KEYS[4].
local function remaining()
  local kept = {}
  if gate.run ~= ARGV[10] then return kept end
  for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
    local acc = account(id)
    if acc and acc.token > 0 then bury(acc, 0, acc.ends, acc.seen == 1) end
    if acc and (acc.linger > gate.at or acc.barred > gate.at) then kept[id] = acc end
  end
  return kept
end

local function keep_on(kept)
  accounts, parties, counted, touched, touched_parties = {}, {}, {}, {}, {}
  for id, old in pairs(kept) do
    local acc = new_account(id)
    acc.party, acc.linger, acc.barred = old.party, old.linger, old.barred
    counted[id], touched[id] = 0, true
  end
end

local found = open_gate()
if found then
  if gate.generation > generation then return 0 end
  local refusal = deposed(tonumber(ARGV[12]))
  if refusal then return refusal end
end
if not found or gate.generation < generation then
  local old, kept = gate or {}, found and remaining() or {}
  local now = machine_us()
  for i = 2, 7 do redis.call('DEL', KEYS[i]) end
  gate = {
    generation = generation, run = ARGV[10], at = old.at or now, seen = now, epoch = old.epoch or 0, blocked = old.blocked or 0, braked = old.braked,
    v = 0, o = 0, rate = 0, cap = 0, limit = 0, live = 0, sessions = 0, sent = 0, counter = 0, held = false, conf = 0, next_conf = 0,
  }
  gate.start = gate.at + tonumber(ARGV[11]) * MS
  gate.filled = gate.start
  keep_on(kept)
end
deposed(tonumber(ARGV[12]))
limit_registry()
save()
return 1
