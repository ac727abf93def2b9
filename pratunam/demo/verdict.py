"""Holds the registrar's own report against the gate's counts: the demo passes only when both agree and nothing was broken."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.jobs import Job
from domain.states import JobState
from pratunam.demo.cast import REGISTRY


def differences(report: Mapping[str, Any], jobs: Sequence[Job]) -> list[str]:
    """Return a sentence for each promise that was broken and each count that disagrees; empty when all is well."""
    seen = report["registries"][REGISTRY]
    found = list(report["verdict"]["faults"])
    for job in jobs:
        found += _of_job(job, seen["parties"].get(job.party, {}))
    accepted = sum(job.records.accepted for job in jobs)
    effects = seen["effects"]
    if effects["exactly_one"] != accepted or effects["more"]:
        found.append(
            f"{accepted} records were accepted, and {effects['exactly_one']} are in effect once, {effects['more']} more often"
        )
    return found


def _of_job(job: Job, party: Mapping[str, Any]) -> list[str]:
    counts, found = job.records, []
    if job.state is not JobState.FINISHED:
        found.append(f"{job.party}: its job is {job.state.value}, not finished")
    if job.rows != job.invalid + counts.total:
        found.append(f"{job.party}: {job.rows} rows, but {job.invalid} invalid and {counts.total} records")
    outcomes = party.get("outcomes", {})
    for word, number in (("accepted", counts.accepted), ("rejected", counts.rejected)):
        if outcomes.get(word, 0) != number:
            found.append(f"{job.party}: {number} {word} here, {outcomes.get(word, 0)} at the registrar")
    if counts.unknown or counts.doubtful or counts.unprocessed or counts.pending:
        found.append(f"{job.party}: some records have no answer")
    return found
