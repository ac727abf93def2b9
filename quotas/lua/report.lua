-- Purpose: adds a process's counts of answers, errors, pushbacks and latency, by the growth of its absolute totals; keeps the newest
--   words on load and clock. A holder's first totals are where it begins: what it saw before this generation is not told again.
-- KEYS[1] gate, KEYS[7] signals
-- ARGV[1] now µs, [2] holder, [3] packed {answers, errors, pushbacks, latency ms, load state, offset ms or nil, half width ms or nil}
-- Reply: 1 done; -1 no generation has begun.
-- Repeatable: yes; totals that are not above those already seen add nothing.
-- include: parts/state
if not open_gate() then return -1 end
local told = cmsgpack.unpack(ARGV[3])
local raw = redis.call('HGET', KEYS[7], 'of ' .. ARGV[2])
local before = raw and cmsgpack.unpack(raw) or {told[1], told[2], told[3], told[4]}
local all = redis.call('HGET', KEYS[7], 'all')
all = all and cmsgpack.unpack(all) or {0, 0, 0, 0, '', false, false}
local seen = {}
for i = 1, 4 do
  seen[i] = math.max(told[i], before[i])
  all[i] = all[i] + seen[i] - before[i]
end
if told[5] ~= '' then all[5] = told[5] end
if told[6] then all[6], all[7] = told[6], told[7] end
redis.call('HSET', KEYS[7], 'of ' .. ARGV[2], cmsgpack.pack(seen), 'all', cmsgpack.pack(all))
save()
return 1
