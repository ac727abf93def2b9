-- Purpose: the buckets. A bucket has a level v (units, at most cap), records outstanding o, a rate (units a µs, already 0.9999 of the
--   real one) and the gate time to which it was filled; all integers, so that it does not matter how often it is refilled. A record is reserved when its permit is drawn (o + 1) and debited
--   when its answer was read (o - 1, v - 1 after the refill), so that a draw of n needs v - o >= n; a refusal drains nothing.
-- KEYS, ARGV: those of parts/state. Reply: none, a part of scripts. Repeatable: by absolute totals.

-- The level now. It is written down where something is taken from it, or its limit becomes another: no answer counts from before that.
-- Whoever looks changes nothing of what an answer told later is worth, nor does another account's draw.
local function level_now(b)
  return gate.at > b.filled and math.min(b.cap, b.v + b.rate * (gate.at - b.filled)) or b.v
end

-- What will stand in it beside what is out, if all of that was answered long since: the leader counts on it, nobody draws by it.
local function standing(b)
  return math.min(b.cap, b.v + b.rate * math.max(0, gate.at - b.filled) - b.o * UNIT)
end

local function refill(b, to)
  if to > b.filled then
    b.v = math.min(b.cap, b.v + b.rate * (to - b.filled))
    b.filled = to
  end
end

-- Shares are written anew several times a second, and mostly as they were.
local function set_limit(b, rate, cap)
  if b.rate == rate and b.cap == cap then return end
  refill(b, gate.at)
  b.rate = rate
  b.cap = cap
  b.v = math.min(b.v, cap)
end

local function room(b)
  return math.max(0, math.floor((level_now(b) - b.o * UNIT) / UNIT))
end

-- Milliseconds until one more could be drawn; where only an answer can make room, one tick.
local function wait_for(b)
  local missing = (b.o + 1) * UNIT - level_now(b)
  if missing <= 0 or (b.o + 1) * UNIT > b.cap or b.rate == 0 then return 20 end
  return math.min(1000, math.max(1, math.ceil(missing / (b.rate * MS))))
end

local function free(b, freed, answered, at)
  b.o = b.o - freed
  if answered > 0 then
    refill(b, at)
    b.v = b.v - answered * UNIT
  end
end

-- Frees `freed` reservations in all three buckets, of which `answered` are spent for good: since gate time `at`, or since the level
-- was last written down where that was later. What it refills after that is not lost to a full bucket.
local function debit(acc, p, freed, answered, at)
  free(gate, freed, answered, at)
  free(p, freed, answered, at)
  free(acc, freed, answered, at)
end

-- Brings a live lease to its holder's totals, the newest answer among which was read `ago` µs ago; `left` of them stay reserved. Permits
-- that the holder never learnt of are not among `left`, and are thereby returned. No answer is older than the account's last draw.
local function settle(acc, p, sent, settled, left, ago)
  local newly_sent = math.max(0, sent - acc.sent)
  local answered = math.max(0, settled - acc.settled)
  debit(acc, p, acc.own - left, answered, math.max(acc.filled, gate.at - ago))
  acc.own = left
  acc.sent = acc.sent + newly_sent
  acc.settled = acc.settled + answered
  p.sent = p.sent + newly_sent
  gate.sent = gate.sent + newly_sent
end
