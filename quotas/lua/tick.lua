-- Purpose: all sessions of one process in one call: settles, renews, takes back and draws, by absolute totals per lease. Account, party
--   and registry are drawn together or not at all, as much as all three allow; the registry has the last word.
-- KEYS[1..5] gate, accounts, parties, ends, busy; KEYS[6] holders (the newest tick number of each)
-- ARGV[1] now µs, [2] holder, [3] tick number (rises), [4] packed list of
--   {account, token, granted, lapsed, sent, settled, want} (totals since the lease was taken; want now)
-- Reply: one packed list of {alive 0/1, granted, valid ms, lease left ms, word that binds, ms until one more could be drawn, ending 0/1}
--   in the order of the lines; false when no generation has begun. A refusal drains nothing.
-- Repeatable: yes; a tick number that does not rise changes nothing and grants nothing, and the next tick takes back what an answer
--   that was never read had granted.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/doors
-- include: parts/turns
if not open_gate() then return false end
sweep()
local number = tonumber(ARGV[3])
local is_late = number <= tonumber(redis.call('HGET', KEYS[6], ARGV[2]) or '-1')
local lines, ids, replies = cmsgpack.unpack(ARGV[4]), {}, {}
for i, line in ipairs(lines) do ids[i] = line[1] end
fetch_accounts(ids)

local function renew_and_settle(line, acc)
  local left = math.max(0, line[3] - line[4] - line[6])
  if line[5] ~= acc.sent or line[6] ~= acc.settled or left ~= acc.own then
    settle(acc, party_or_new(acc.party), line[5], line[6], left)
    touched[line[1]] = true
  end
  -- Written once a second or so; a lease lives on for 5 to 6 s after its last tick.
  if not acc.seen or acc.ends - gate.at < gate.lease * 5 / 6 then
    acc.ends, acc.seen = gate.at + gate.lease, true
    touched[line[1]] = true
  end
end

for i, line in ipairs(lines) do
  local acc = accounts[line[1]]
  if not is_held(acc, line[2]) then
    replies[i] = {0, 0, 0, 0, 'lease_lost', 0, 0}
  elseif is_late then
    replies[i] = {1, 0, 0, ms_until(acc.ends), 'nothing', 20, 0}
  else
    renew_and_settle(line, acc)
  end
end

local function answer(line)
  local acc = accounts[line[1]]
  local p = party(acc.party)
  local ending = acc.ending or acc.conf < gate.conf
  local word, wait = shut(p, acc)
  local granted, valid = 0, 0
  if not word and not ending then
    valid = math.min(1000, math.floor(math.min(open_us(p), acc.ends - gate.at) / MS))
    word, wait = 'nothing', 0
    if line[7] > 0 and valid > 0 then granted, word, wait = draw(acc, p, line[7]) end
  end
  if line[7] > 0 and p.bound ~= (word or 'nothing') then party_or_new(acc.party).bound = word or 'nothing' end
  return {1, granted, valid, ms_until(acc.ends), word or 'nothing', wait or 0, ending and 1 or 0}
end

-- Who begins moves on with every tick, so that none is always served from what others leave.
for step = 0, #lines - 1 do
  local i = (number + step) % #lines + 1
  replies[i] = replies[i] or answer(lines[i])
end
if not is_late then redis.call('HSET', KEYS[6], ARGV[2], number) end
save()
return cmsgpack.pack(replies)
