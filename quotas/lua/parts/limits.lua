-- Purpose: limits as they come from policy and from the registrar's answer at log-in; the lower binds.
-- KEYS: those of parts/state. ARGV of scripts that use it: [2] rate (units a µs), [3] cap (units), [4] sessions,
--   [5] answer time-out ms, [6] settle time ms, [7] newest wins 0/1, [8] lease ms. Reply: none. Repeatable: yes.
local function limit_registry()
  gate.limit = tonumber(ARGV[2])
  gate.sessions = tonumber(ARGV[4])
  gate.answer = tonumber(ARGV[5]) * MS
  gate.settle = tonumber(ARGV[6]) * MS
  gate.newest = ARGV[7] == '1'
  gate.lease = tonumber(ARGV[8]) * MS
  set_limit(gate, math.min(gate.limit, gate.braked or gate.limit), tonumber(ARGV[3]))
end

local function limit_account(acc)
  set_limit(acc, math.min(acc.policy_rate, acc.told_rate), math.min(acc.policy_cap, acc.told_cap))
end
