"""Withdrawal: an account taken out by `policy apply` while its session sends, one notice a party by mail, a mail server that is down.

The mail server is a real one in this process; it takes mail once it is told to, and refuses connections until then.
"""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.town import Arrival, Town, TownPlan, party, town, write_members
from domain.jobs import Job

ACCOUNTS, ACCOUNT_RATE = (3, 2, 1), 60
#: the account that goes: the last of the first party
GOES = (0, 2)


@dataclass(slots=True)
class MailBox:
    """Takes every mail for addresses of the towns' parties."""

    mails: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as the library calls it
        """Keep recipient and message id."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content)
        self.mails += [(to, str(mail["Message-ID"])) for to in envelope.rcpt_tos]
        return "250 OK"


@dataclass(frozen=True, slots=True)
class WithdrawalRun:
    """What a run showed: when the change had been made (ms), and the notices as listed while the mail server was down and at the end."""

    applied_at: int
    report: dict[str, Any]
    arrivals: list[Arrival]
    jobs: list[Job]
    mails: list[tuple[str, str]]
    listed_down: list[dict[str, Any]]
    listed_up: list[dict[str, Any]]

    @property
    def last_of_account_s(self) -> float:
        """Return when the last record of the withdrawn account came in, after the command had ended (negative: before)."""
        return (
            max(each.at - self.applied_at for each in self.arrivals if (each.party, each.account) == GOES)
            / 1000
        )

    def rates(self, seconds: float) -> dict[int, tuple[float, float]]:
        """Return each party's pace (records/s) so long before and after the change."""
        width = seconds * 1000
        before = Counter(each.party for each in self.arrivals if -width <= each.at - self.applied_at < 0)
        after = Counter(each.party for each in self.arrivals if 0 <= each.at - self.applied_at < width)
        return {
            number: (before[number] / seconds, after[number] / seconds) for number in range(len(ACCOUNTS))
        }


async def play(rows: int, shape: str = "stream", folder: Path | None = None) -> WithdrawalRun:
    """Run three backlogged parties, take one account out, and let the mail server come up afterwards."""
    rate, port = sum(ACCOUNTS) * ACCOUNT_RATE, _free_port()
    plan = TownPlan(
        ACCOUNTS, [rows * count for count in ACCOUNTS], rate, rate // 4, ACCOUNT_RATE, ACCOUNT_RATE // 4,
        shape=shape, keeps_arrivals=True, extra_policy="answer_timeout_s = 5",
        top_policy=f'[notice]\nfolder = "notices"\nsmtp = "smtp://127.0.0.1:{port}"',
        party_policy={k: f'contact = "{address(k)}"' for k in range(len(ACCOUNTS))},
    )  # fmt: skip
    async with town(plan, folder) as place:
        files = {party(k): write_members(place.folder, party(k), n, k) for k, n in enumerate(plan.rows)}
        jobs = await place.submit(files)
        await place.until_arrived(rate)
        applied_at = await _withdraw(place)
        down = await until_tried(place)
        done = await place.until_done(jobs)
        with mail_server(port) as box:
            up = await until_mailed(place)
        return WithdrawalRun(applied_at, await place.report(), place.arrived(), done, box.mails, down, up)


def address(number: int) -> str:
    """Return where a party's mail goes."""
    return f"registry@{party(number).lower()}.example"


async def _withdraw(place: Town) -> int:
    """Apply the policy without one account by the command line; returns when it had ended."""
    accounts = list(place.plan.accounts)
    accounts[GOES[0]] -= 1
    file = place.policy_file(replace(place.plan, accounts=accounts))
    gone = f"{party(GOES[0])}-{GOES[1]:02d}"
    said = await place.gate.command("policy", "apply", str(file), "--reason", "withdrawn", "--remove", gone)
    assert said.code == 0, said.err
    return time.time_ns() // 1_000_000


async def until_tried(place: Town) -> list[dict[str, Any]]:
    """Wait until every party's mail about the change has failed once, and return the list of notices then."""
    return await _until_mail(place, lambda mail: mail.attempts > 0)


async def until_mailed(place: Town) -> list[dict[str, Any]]:
    """Wait until every mail is delivered, and return the list of notices then."""
    return await _until_mail(place, lambda mail: mail.state == "delivered")


async def _until_mail(place: Town, is_so: Any, within_s: float = 90) -> list[dict[str, Any]]:
    async with asyncio.timeout(within_s):
        while True:
            rows = await place.parts.ledger.notices(None)
            mails = [each for row in rows for each in row.deliveries if each.channel == "smtp"]
            if len(mails) >= len(ACCOUNTS) and all(is_so(mail) for mail in mails):
                listed: list[dict[str, Any]] = (await place.gate.command("notices", "--json")).json
                return listed
            await asyncio.sleep(0.2)


@contextmanager
def mail_server(port: int) -> Iterator[MailBox]:
    """Run a mail server on a loopback port until the block ends."""
    box = MailBox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def main(console: Console) -> None:
    """Run both shapes."""
    found = []
    for shape in ("stream", "batch"):
        run = await play(1_200, shape)
        rates = run.rates(2)
        found.append(
            {
                "shape": shape,
                "last_record_after_apply_s": round(run.last_of_account_s, 3),
                "others_before_per_s": rates[1][0] + rates[2][0],
                "others_after_per_s": rates[1][1] + rates[2][1],
                "accepted": sum(job.records.accepted for job in run.jobs),
                "rows": sum(job.rows for job in run.jobs),
                "mails": len(run.mails),
                "mails_of_a_party": max(Counter(to for to, _ in run.mails).values()),
            }
        )
    print_table(console, found)
    write_json("withdrawal", {"rounds": found})
