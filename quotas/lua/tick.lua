-- Purpose: all sessions of one process in one call: settles, renews, takes back and draws, by absolute totals per lease. Account, party
--   and registry are drawn together or not at all, as much as all three allow; the registry has the last word.
-- KEYS[1..5] gate, accounts, parties, ends, busy; KEYS[6] holders (the newest tick number of each)
-- ARGV[1] now µs, [2] holder, [3] tick number (rises), [4] one packed flat list, of each line
--   account, token, granted, lapsed, sent, settled (totals since the lease was taken), ms since the newest answer among them was read
--   (rounded down), want now
-- Reply: one packed flat list, of each line in order alive 0/1, granted, valid ms, lease left ms, word that binds, ms until one more
--   could be drawn, ending 0/1; false when no generation has begun. A refusal drains nothing.
-- Repeatable: yes; a tick number that does not rise changes nothing and grants nothing, and the next tick takes back what an answer
--   that was never read had granted.
-- include: parts/state
-- include: parts/buckets
-- include: parts/sessions
-- include: parts/doors
-- include: parts/turns
-- A permit is good for so long (ms): a leader that missed its ring hears of a hold or a withdrawal within half a second, and no record
-- may leave later than one second after it.
local PERMIT = 400
if not open_gate() then return false end
sweep()
local number = tonumber(ARGV[3])
local is_late = number <= tonumber(redis.call('HGET', KEYS[6], ARGV[2]) or '-1')
local lines = cmsgpack.unpack(ARGV[4])
local count, ids, replies = #lines / 8, {}, {}
for i = 1, count do ids[i] = lines[i * 8 - 7] end
fetch_accounts(ids)

local function reply(i, alive, granted, valid, left, word, wait, ending)
  local at = i * 7 - 7
  replies[at + 1], replies[at + 2], replies[at + 3], replies[at + 4] = alive, granted, valid, left
  replies[at + 5], replies[at + 6], replies[at + 7] = word, wait, ending
end

local function renew_and_settle(acc, granted, lapsed, sent, settled, ago)
  local left = math.max(0, granted - lapsed - settled)
  if sent ~= acc.sent or settled ~= acc.settled or left ~= acc.own then
    settle(acc, party_or_new(acc.party), sent, settled, left, ago * MS)
    touched[acc.id] = true
  end
  -- Written once a second or so; a lease lives on for 5 to 6 s after its last tick.
  if acc.seen == 0 or acc.ends - gate.at < gate.lease * 5 / 6 then
    acc.ends, acc.seen = gate.at + gate.lease, 1
    touched[acc.id] = true
  end
end

local waiting = {}
for i = 1, count do
  local acc, at = accounts[ids[i]], i * 8 - 7
  if not is_held(acc, lines[at + 1]) then
    reply(i, 0, 0, 0, 0, 'lease_lost', 0, 0)
  elseif is_late then
    reply(i, 1, 0, 0, ms_until(acc.ends), 'nothing', 20, 0)
  else
    renew_and_settle(acc, lines[at + 2], lines[at + 3], lines[at + 4], lines[at + 5], lines[at + 6])
    waiting[#waiting + 1] = i
  end
end

local function answer(i, acc, want)
  local p = party(acc.party)
  local ending = acc.ending == 1 or acc.conf < gate.conf
  local word, wait = shut(p, acc)
  local granted, valid = 0, 0
  if not word and not ending then
    valid = math.min(PERMIT, math.floor(math.min(open_us(p), acc.ends - gate.at) / MS))
    if want > 0 and valid > 0 then granted, word, wait = draw(acc, p, want) end
  end
  word = word or 'nothing'
  if want > 0 and p.bound ~= word then party_or_new(acc.party).bound = word end
  reply(i, 1, granted, valid, ms_until(acc.ends), word, wait or 0, ending and 1 or 0)
end

-- Who begins moves on with every tick, so that none is always served from what others leave.
for step = 0, #waiting - 1 do
  local i = waiting[(number + step) % #waiting + 1]
  answer(i, accounts[ids[i]], lines[i * 8])
end
if not is_late then redis.call('HSET', KEYS[6], ARGV[2], number) end
save()
return cmsgpack.pack(replies)
