-- Purpose: takes or keeps the leader's lease. Every change of hands gives a higher epoch, also after Redis was lost (epochs are at
--   least the machine's time in ms).
-- KEYS[1] leader (one packed record)
-- ARGV[1] now µs, [2] holder, [3] for ms, [4] the newest epoch this holder was told of
-- Reply: {the epoch when this holder leads, 0 when another does; the machine's time in µs}.
-- Repeatable: yes.
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local raw = redis.call('GET', KEYS[1])
local led = raw and cmsgpack.unpack(raw) or {holder = '', left = 0, epoch = 0, seen = now}
-- What is left counts down by how far the machine's clock went forward: a step back neither ends nor lengthens a lease.
led.left = led.left - math.max(0, now - led.seen)
led.seen = now
local holder, known = ARGV[2], tonumber(ARGV[4])
if led.holder ~= holder and led.left > 0 then
  redis.call('SET', KEYS[1], cmsgpack.pack(led))
  return {0, now}
end
if led.holder ~= holder or led.left <= 0 or led.epoch < known then
  led.epoch = math.max(led.epoch + 1, known + 1, math.floor(now / 1000))
end
led.holder, led.left = holder, tonumber(ARGV[3]) * 1000
redis.call('SET', KEYS[1], cmsgpack.pack(led))
return {led.epoch, now}
