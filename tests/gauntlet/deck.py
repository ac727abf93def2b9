"""All kinds of faults by name: those that are drawn, and the kills that fall every ten seconds."""

from tests.gauntlet.bad_days import DAYS
from tests.gauntlet.bad_links import LINKS
from tests.gauntlet.deaths import CUT, KILLS
from tests.gauntlet.losses import LOSSES
from tests.gauntlet.stillness import STOPS

KILLED = KILLS
FAULTS = (*STOPS, *LINKS, *LOSSES, *DAYS, CUT)
KINDS = {kind.name: kind for kind in (*KILLS, *FAULTS)}
