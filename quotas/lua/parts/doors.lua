-- Purpose: says what shuts the gate for one account of one party now, whatever its buckets hold. Zero rates mean closed.
-- KEYS, ARGV: those of parts/state. Reply: none, a part of scripts. Repeatable: yes.

-- µs for which the party may still draw. The gate's clock may lag (it advances by 300 ms a call at most), windows must not: the
-- machine's clock binds as well, and a step of it can only close the gate sooner.
local function open_us(p)
  return math.min(p.open - gate.at, p.wall - gate.seen)
end

-- The word that binds and ms until it is worth asking again; nil when open.
local function shut(p, acc)
  if gate.at < gate.start then return 'starting', ms_until(gate.start) end
  if gate.held or (p and p.held == 1) then return 'hold', 1000 end
  if not p or open_us(p) <= 0 then return 'window', 250 end
  if gate.rate == 0 then return 'registry', 1000 end
  if p.rate == 0 then return 'party', 250 end
  if acc.rate == 0 then return 'account', 1000 end
  local over = math.max(gate.blocked, p.blocked, acc.blocked)
  if over > gate.at then return 'pushback', ms_until(over) end
end
