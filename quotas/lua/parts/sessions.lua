-- Purpose: leases and what outlives them. A lease that ends without a word leaves its outstanding records reserved (`dead`, until
--   `dead_at`) and its session counted (`linger`), until a fencing log-in was answered, or its end + answer time-out + settle time.
--   Without the newest-wins rule the account is also out of use for so long (`barred`). Leases of older generations leave only what
--   their holders tell (owe): it stands among `dead`, and by account and token in KEYS[6], so that it counts once.
-- KEYS, ARGV: those of parts/state, KEYS[6] holders. Reply: none, a part of scripts. Repeatable: yes.
local function is_held(acc, token)
  return acc and acc.token == token and acc.ends > gate.at
end

-- Ends a lease at gate time `from`; `left` records may still arrive; `is_open`: its session may still be open at the registrar.
local function bury(acc, left, from, is_open)
  local over = from + gate.answer + gate.settle
  if left > 0 then
    acc.dead = acc.dead + left
    acc.dead_at = math.max(acc.dead_at, over)
  end
  if is_open then
    acc.linger = math.max(acc.linger, over)
    if not gate.newest then acc.barred = math.max(acc.barred, over) end
  end
  local p = party_or_new(acc.party)
  p.line[acc.id] = nil
  acc.token, acc.own = 0, 0
end

-- How many of an account's `dead` were told of which lease, by its token; 0 where they are settled, or spent.
local function owed_of(acc)
  local raw = redis.call('HGET', KEYS[6], 'owed ' .. acc.id)
  return raw and cmsgpack.unpack(raw) or {}
end

local function keep_owed(acc, owed)
  if next(owed) then redis.call('HSET', KEYS[6], 'owed ' .. acc.id, cmsgpack.pack(owed)) end
end

-- Ends the reservation of so many dead records: they count as arrived. What arrived before the start costs nothing: the buckets that
-- begin to fill then are those of a registrar that had already seen it.
local function lay_out(acc, count)
  debit(acc, party_or_new(acc.party), count, gate.at < gate.start and 0 or count, gate.at)
  acc.dead = acc.dead - count
  if acc.dead == 0 then acc.dead_at = 0 end
end

-- What dead sessions had outstanding is spent: it counts as arrived.
local function spend(acc)
  if acc.dead == 0 then return end
  lay_out(acc, acc.dead)
  local owed = owed_of(acc)
  for token in pairs(owed) do owed[token] = 0 end
  keep_owed(acc, owed)
end

-- Brings an account up to the gate's time.
age = function(acc)
  if acc.token > 0 and acc.ends <= gate.at then bury(acc, acc.own, acc.ends, acc.seen == 1) end
  if acc.dead > 0 and acc.dead_at <= gate.at then spend(acc) end
  if acc.linger <= gate.at then acc.linger = 0 end
  if acc.barred <= gate.at then acc.barred = 0 end
end
