-- Purpose: the records of accounts and parties and how they are kept: numbers as doubles (exact up to 2^53), then texts. Fixed places are
--   read three times faster than named ones. 0 stands for none and for no; `unlimited` for no limit.
-- KEYS, ARGV: none. Reply: none, a part of scripts. Repeatable: yes.
local unlimited = 9007199254740991

local ACCOUNT = '<dddddddddddddddddddddddsss'
local PARTY = '<dddddddddddddds'

-- Bucket: v o rate cap filled. Policy: conf policy_rate policy_cap told_rate told_cap. Shut until: blocked (pushback), barred
-- (quarantine). Lease: token ends own (outstanding) sent settled seen (renewed once) ending. Dead sessions: dead dead_at linger.
-- due: the score under which it stands in `ends`.
local function read_account(raw)
  local v, o, rate, cap, filled, conf, policy_rate, policy_cap, told_rate, told_cap, blocked, barred, token, ends, own, sent, settled,
    seen, ending, dead, dead_at, linger, due, id, party, holder = struct.unpack(ACCOUNT, raw)
  return {
    v = v, o = o, rate = rate, cap = cap, filled = filled, conf = conf, policy_rate = policy_rate, policy_cap = policy_cap,
    told_rate = told_rate, told_cap = told_cap, blocked = blocked, barred = barred, token = token, ends = ends, own = own,
    sent = sent, settled = settled, seen = seen, ending = ending, dead = dead, dead_at = dead_at, linger = linger, due = due,
    id = id, party = party, holder = holder,
  }
end

local function write_account(a)
  return struct.pack(ACCOUNT, a.v, a.o, a.rate, a.cap, a.filled, a.conf, a.policy_rate, a.policy_cap, a.told_rate, a.told_cap, a.blocked,
    a.barred, a.token, a.ends, a.own, a.sent, a.settled, a.seen, a.ending, a.dead, a.dead_at, a.linger, a.due, a.id, a.party, a.holder)
end

-- Bucket: v o rate cap filled. Share: open (gate time) wall (machine's time) sessions. live: sessions that count. idle: since when that
-- last changed. short_at and line: see parts/turns. bound: the word that bound its last draw.
local function read_party(raw)
  local v, o, rate, cap, filled, open, wall, sessions, live, held, blocked, sent, idle, short_at, bound, rest = struct.unpack(PARTY, raw)
  return {
    v = v, o = o, rate = rate, cap = cap, filled = filled, open = open, wall = wall, sessions = sessions, live = live, held = held,
    blocked = blocked, sent = sent, idle = idle, short_at = short_at, bound = bound,
    line = rest <= #raw and cmsgpack.unpack(string.sub(raw, rest)) or {},
  }
end

local function write_party(p)
  local fixed = struct.pack(PARTY, p.v, p.o, p.rate, p.cap, p.filled, p.open, p.wall, p.sessions, p.live, p.held, p.blocked, p.sent,
    p.idle, p.short_at, p.bound)
  return next(p.line) and fixed .. cmsgpack.pack(p.line) or fixed
end
