"""All kinds of faults by name: those that are drawn, and the kills that fall every ten seconds."""

from tests.gauntlet.bad_days import DAYS
from tests.gauntlet.bad_links import LINKS
from tests.gauntlet.copies import COPIES
from tests.gauntlet.deaths import CHECK, CUT, KILLS, LEADER, REDIS, WORKER
from tests.gauntlet.kinds import Kind
from tests.gauntlet.losses import LOSSES
from tests.gauntlet.machine import MACHINE
from tests.gauntlet.one_home import HOMES, Apart
from tests.gauntlet.people import PEOPLE
from tests.gauntlet.stillness import STILL_AND_LOST, STOPS

#: some fall twice as often, so that each kind of process dies as often as another
KILLED = (*KILLS, *(kind for kind in KILLS if kind.name in {WORKER, LEADER, REDIS, CHECK}))
FAULTS = (*STOPS, *LINKS, *LOSSES, *DAYS, *MACHINE, *PEOPLE, *COPIES, CUT, STILL_AND_LOST)
DRAWN = (*KILLS, *FAULTS)
#: each on a home of its own, after the rest
APART = HOMES
KINDS: dict[str, Kind | Apart] = {}
KINDS.update((kind.name, kind) for kind in DRAWN)
KINDS.update((kind.name, kind) for kind in APART)
