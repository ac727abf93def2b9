-- Purpose: draws, and divides a party's bucket between its own leases: whoever was served least goes first, also across ticks and
--   processes. `line[account] = {served, last drew at, last left wanting at}`; only those left wanting in the last 200 ms have a claim.
-- KEYS, ARGV: those of parts/state. Reply: none, a part of scripts. Repeatable: as the script that uses it.
local RECENT, NOTED = 200 * MS, 50 * MS

-- The level to which `have` records lift `mine` and those of `others` who stand below it.
local function level(have, mine, others)
  local sum, n = have + mine, 1
  for _, served in ipairs(others) do sum, n = sum + served, n + 1 end
  local is_settled
  repeat
    is_settled = true
    for i = #others, 1, -1 do
      if others[i] * n > sum then
        sum, n, is_settled = sum - others[i], n - 1, false
        table.remove(others, i)
      end
    end
  until is_settled
  return sum / n
end

-- How many of the party's records this account may draw now.
local function part_of(p, acc)
  local have = room(p)
  if p.live <= 1 then return have end
  local mine = p.line[acc.id] or {0, 0, 0}
  p.line[acc.id] = mine
  local least, waiting = nil, {}
  for id, other in pairs(p.line) do
    if id ~= acc.id then
      if other[2] > gate.at - RECENT and (not least or other[1] < least) then least = other[1] end
      if other[3] > gate.at - RECENT then waiting[#waiting + 1] = other[1] end
    end
  end
  -- Who was away does not come back with a claim on what the others were served meanwhile.
  if least and mine[2] <= gate.at - RECENT then mine[1] = math.max(mine[1], least) end
  if #waiting == 0 then return have end
  return math.max(0, math.min(have, math.ceil(level(have, mine[1], waiting) - mine[1])))
end

local function note_turn(p, acc, granted, is_left_wanting)
  local mine = p.line[acc.id]
  if not mine then return end
  -- Waiting is noted now and then only, so that a tick without news need not be written.
  local wanted_at = 0
  if is_left_wanting then wanted_at = gate.at - mine[3] < NOTED and mine[3] or gate.at end
  if granted > 0 or wanted_at ~= mine[3] or gate.at - NOTED >= mine[2] then
    mine[1], mine[2], mine[3] = mine[1] + granted, gate.at, wanted_at
    touched_parties[acc.party] = true
  end
end

-- Draws up to `want` from account, party and registry together. Returns how many, what binds, and ms until one more.
local function draw(acc, p, want)
  refill(gate)
  refill(p)
  refill(acc)
  local mine, part, all = room(acc), part_of(p, acc), room(gate)
  local granted = math.min(want, mine, part, all)
  if granted > 0 then
    gate.o, p.o, acc.o, acc.own = gate.o + granted, p.o + granted, acc.o + granted, acc.own + granted
    touched[acc.id], touched_parties[acc.party] = true, true
  end
  local is_party = granted < want and part < mine and part <= all
  note_turn(p, acc, granted, is_party)
  if granted == want then return granted, 'nothing', 0 end
  if is_party then return granted, 'party', wait_for(p) end
  if mine <= all then return granted, 'account', wait_for(acc) end
  return granted, 'registry', wait_for(gate)
end
