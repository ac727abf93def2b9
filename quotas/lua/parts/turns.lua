-- Purpose: draws, and divides a party's bucket between its own leases: whoever was served least goes first, also across ticks and
--   processes. `line[account] = {served, last drew at, left wanting at}` is kept while somebody was left wanting in the last 200 ms
--   (`short_at`); only those left wanting have a claim.
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

-- Whether anybody of the party was left wanting lately; without, there is nothing to divide and nothing to remember.
local function is_contended(p)
  return p.live > 1 and p.short_at > gate.at - RECENT
end

-- In a contended party: how much this account was served, and what those were served who were left wanting lately.
local function claims_of(p, acc)
  local mine, recently = p.line[acc.id] or {0, 0, 0}, gate.at - RECENT
  local least, waiting = nil, {}
  for id, other in pairs(p.line) do
    if id ~= acc.id then
      if other[2] > recently and (not least or other[1] < least) then least = other[1] end
      if other[3] > recently then waiting[#waiting + 1] = other[1] end
    end
  end
  -- Who was away does not come back with a claim on what the others were served meanwhile.
  if least and mine[2] <= recently then return math.max(mine[1], least), waiting end
  return mine[1], waiting
end

-- Remembers a draw while the party is contended. Waiting is noted now and then only, so that a tick without news is not written.
local function note_turn(p, acc, served, granted, is_short)
  if not served then
    if not is_short or p.live <= 1 then return end
    p.line = {}
  end
  local mine = p.line[acc.id] or {0, 0, 0}
  local is_due = gate.at - NOTED >= mine[2] or is_short and gate.at - NOTED >= mine[3] or not is_short and mine[3] > 0
  if granted == 0 and not is_due then return end
  if is_short then p.short_at = gate.at end
  p.line[acc.id] = {(served or 0) + granted, gate.at, is_short and gate.at or 0}
  touched_parties[acc.party] = true
end

-- Draws up to `want` from account, party and registry together. Returns how many, what binds, and ms until one more.
local function draw(acc, p, want)
  local mine, part, all = room(acc), room(p), room(gate)
  local served, waiting
  if is_contended(p) then served, waiting = claims_of(p, acc) end
  if served and #waiting > 0 and math.min(mine, part, all) > 0 then
    part = math.max(0, math.min(part, math.ceil(level(part, served, waiting) - served)))
  end
  local granted = math.min(want, mine, part, all)
  if granted > 0 then
    refill(acc, gate.at)
    gate.o, p.o, acc.o, acc.own = gate.o + granted, p.o + granted, acc.o + granted, acc.own + granted
    touched[acc.id], touched_parties[acc.party] = true, true
  end
  local is_short = granted < want and part < mine and part <= all
  note_turn(p, acc, served, granted, is_short)
  if granted == want then return granted, 'nothing', 0 end
  if is_short then return granted, 'party', wait_for(p) end
  if mine <= all then return granted, 'account', wait_for(acc) end
  return granted, 'registry', wait_for(gate)
end
