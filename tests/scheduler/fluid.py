"""The fluid optimum of weighted max-min: what records would do were they water. Written apart from the scheduler's own sharing."""

from collections.abc import Sequence


def fluid_sent(
    records: Sequence[float],
    accounts: Sequence[int],
    seconds: float,
    *,
    rate: float,
    burst: float,
    each: float,
    each_burst: float,
) -> list[list[float]]:
    """Return how many records each party has sent by every 5 ms, starting from full buckets."""
    step_s = 0.005
    left, pool = list(records), burst
    levels = [count * each_burst for count in accounts]
    history = []
    for _ in range(round(seconds / step_s)):
        pool = min(burst, pool)
        can = [min(amount, level) for amount, level in zip(left, levels, strict=True)]
        sent = [0.0] * len(left)
        thirsty = {i for i, amount in enumerate(can) if amount > 1e-12}
        while thirsty and pool > 1e-9:
            part = pool / sum(accounts[i] for i in thirsty)
            full = {i for i in thirsty if can[i] - sent[i] <= part * accounts[i] + 1e-12}
            for i in full or thirsty:
                more = min(can[i] - sent[i], part * accounts[i])
                sent[i] += more
                pool -= more
            if not full:
                break
            thirsty -= full
        left = [amount - s for amount, s in zip(left, sent, strict=True)]
        levels = [
            min(n * each_burst, v - s) + n * each * step_s
            for n, v, s in zip(accounts, levels, sent, strict=True)
        ]
        pool += rate * step_s
        history.append([r - amount for r, amount in zip(records, left, strict=True)])
    return history
