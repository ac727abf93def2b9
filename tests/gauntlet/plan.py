"""What a gauntlet is made of: parties, accounts, limits, hosts, and how long; and the files that say so to gate and registrar."""

from dataclasses import dataclass

REGISTRY = "party-members"
#: hosts of the gate, each with a loopback address of its own
HOSTS = {"north": "127.0.0.21", "south": "127.0.0.22"}
DESK_ADDRESS = "127.0.0.31"
#: records whose number ends so are refused by the registrar
REJECTED_ENDING = "37"
#: how long the gate waits for an answer (s), and how long the registrar takes for one (ms)
ANSWER_TIMEOUT_S, _SERVICE_MS = 2, 15
ALWAYS = 'days = "daily"\nfrom = "00:00"\nto = "24:00"'


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. Rates in records/s, bursts in records."""

    seed: int
    minutes: float
    shape: str = "stream"
    accounts: tuple[int, ...] = (3, 2, 2, 1)
    rate: int = 60
    burst: int = 20
    account_rate: int = 9
    account_burst: int = 9
    rows_a_file: int = 160
    #: rows that each party has waiting at least, in seconds of its pace
    ahead_s: float = 20.0
    kill_every_s: float = 8.0
    idempotent: bool = True
    #: disks that can be filled (root), a library that steps clocks and fails syncs (a C compiler)
    small_disks: bool = False
    may_preload: bool = False
    #: the hosts run a build without this guard
    without: str = ""

    def party(self, number: int) -> str:
        """Return a party's name."""
        return f"P{number:03d}"

    @property
    def parties(self) -> dict[str, list[str]]:
        """Return each party's accounts."""
        return {
            self.party(number): [f"{self.party(number)}-{each:02d}" for each in range(count)]
            for number, count in enumerate(self.accounts)
        }

    def account_names(self) -> list[str]:
        """Return every account in the order in which the registrar numbers them."""
        return [name for names in self.parties.values() for name in names]

    def pace_of(self, party: str) -> float:
        """Return what a party may have at most (records/s)."""
        return float(min(self.rate, len(self.parties[party]) * self.account_rate))


def registrar_file(plan: Plan, log: str) -> str:
    """Return the registrar's own rules."""
    lines = [
        f'mode = "enforce"\nlog_file = "{log}"\nseed = {plan.seed}',
        f"[registries.{REGISTRY}]",
        f"rate = {plan.rate}\nburst = {plan.burst}\nsessions = {sum(plan.accounts)}",
        f"account_rate = {plan.account_rate}\naccount_burst = {plan.account_burst}",
        f"service_ms = {_SERVICE_MS}\nmax_in_flight = 100000\nidempotent = {str(plan.idempotent).lower()}",
        f'[[registries.{REGISTRY}.rules]]\nfield = "national_id"\nends_with = "{REJECTED_ENDING}"\ncode = "not-eligible"',
        # where keys protect nothing, memberships do not either: a second effect must be seen
        f"[registries.{REGISTRY}.membership]" if plan.idempotent else "",
    ]
    for party, accounts in plan.parties.items():
        each = ", ".join(f'{{ id = "{name}", secret = "s" }}' for name in accounts)
        lines += [f"[registries.{REGISTRY}.parties.{party}]", f"accounts = [{each}]"]
    return "\n".join(lines) + "\n"


def policy_file(plan: Plan, endpoint: str, *, closed: str = "", without: str = "") -> str:
    """Return the policy; `closed`: a party whose window is taken away, `without`: an account that is withdrawn."""
    lines = [
        "format = 1",
        f"[registry.{REGISTRY}]",
        f'profile = "party-members"\nendpoint = "{endpoint}"\nshape = "{plan.shape}"\ntest_ids = true',
        f"rate = {plan.rate}\nburst = {plan.burst}\nsessions = {sum(plan.accounts)}",
        f"account_rate = {plan.account_rate}\naccount_burst = {plan.account_burst}",
        f"answer_timeout_s = {ANSWER_TIMEOUT_S}\nsettle_s = 4\nidempotent = {str(plan.idempotent).lower()}",
        f"[[registry.{REGISTRY}.window]]\n{ALWAYS}",
    ]
    for party, accounts in plan.parties.items():
        lines.append(f"[party.{party}]")
        for place, name in enumerate(accounts):
            if name != without:
                kind = "added" if place and place == len(accounts) - 1 else "base"
                lines.append(f'[[party.{party}.account]]\nid = "{name}"\nkind = "{kind}"\nsecret = "plain:s"')
        if party == closed:
            lines.append(f'[[party.{party}.window]]\ndates = "2001-01-01"\nfrom = "00:00"\nto = "00:01"')
    return "\n".join(lines) + "\n"
