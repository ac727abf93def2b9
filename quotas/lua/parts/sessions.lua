-- Purpose: leases and what outlives them. A lease that ends without a word leaves its outstanding records reserved (`dead`, until
--   `dead_at`) and its session counted (`linger`), until a fencing log-in was answered, or its end + answer time-out + settle time.
--   Without the newest-wins rule the account is also out of use for so long (`barred`).
-- KEYS, ARGV: those of parts/state. Reply: none, a part of scripts. Repeatable: yes.
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

-- What dead sessions had outstanding is spent: it counts as arrived.
local function spend(acc)
  if acc.dead > 0 then debit(acc, party_or_new(acc.party), acc.dead, acc.dead, gate.at) end
  acc.dead, acc.dead_at = 0, 0
end

-- Brings an account up to the gate's time.
age = function(acc)
  if acc.token > 0 and acc.ends <= gate.at then bury(acc, acc.own, acc.ends, acc.seen == 1) end
  if acc.dead > 0 and acc.dead_at <= gate.at then spend(acc) end
  if acc.linger <= gate.at then acc.linger = 0 end
  if acc.barred <= gate.at then acc.barred = 0 end
end
