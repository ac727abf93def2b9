-- Purpose: the fence between leaders: a scheduler that slept through its lease must not undo what a newer one wrote.
-- KEYS: those of parts/state, opened. ARGV of scripts that use it: the epoch where they say; 0 = asked by nobody who leads (tools, tests).
-- Reply: none, a part of scripts. Repeatable: yes.

-- Notes the epoch; returns what to reply to a deposed leader (-1 - the newest epoch), nil to go on.
local function deposed(epoch)
  if epoch > 0 and epoch < gate.epoch then return -1 - gate.epoch end
  gate.epoch = math.max(gate.epoch, epoch)
end
