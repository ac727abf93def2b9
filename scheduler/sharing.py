"""Weighted max-min sharing by water-filling; pure arithmetic that knows nothing of parties, sessions or clocks.

Picture a vessel for each claim, as wide as its weight, with a bottom raised to what it gets in any case (`low`) and a lid at
what it can use (`high`). Water poured in stands at one level λ in all that are neither dry nor full:
`x = clamp(λ · weight, low, high)`, and the sum of all x is what was poured. Exact, O(n log n).
"""

from collections.abc import Sequence


def share_out(
    capacity: float, weights: Sequence[float], lows: Sequence[float], highs: Sequence[float]
) -> list[float]:
    """Return what each claim gets of `capacity`: never above its high, all of it given while anyone can use more.

    `lows` come first: where they exceed the capacity, each gets the same part of its own. A claim without weight gets
    its low, and more only when all that have weight are full.
    """
    if sum(highs) <= capacity:
        return list(highs)
    fixed = sum(lows)
    if fixed >= capacity:
        part = max(0.0, capacity) / fixed if fixed > 0 else 0.0
        return [low * part for low in lows]
    level = _water_level(capacity, weights, lows, highs)
    if level is not None:
        return [
            (high if level * weight > high else max(level * weight, low))
            for weight, low, high in zip(weights, lows, highs, strict=True)
        ]
    left = capacity - sum(high if w > 0 else 0.0 for w, high in zip(weights, highs, strict=True))
    rest = [index for index, weight in enumerate(weights) if weight <= 0]
    given = share_out(left, [1.0] * len(rest), [lows[i] for i in rest], [highs[i] for i in rest])
    result = list(highs)
    for index, amount in zip(rest, given, strict=True):
        result[index] = amount
    return result


def _water_level(
    capacity: float, weights: Sequence[float], lows: Sequence[float], highs: Sequence[float]
) -> float | None:
    """The level at which the vessels hold `capacity`; None when all that have weight are full below it."""
    bends: list[tuple[float, float, float]] = []  # (level, change of slope, change of constant)
    slope = constant = 0.0
    for weight, low, high in zip(weights, lows, highs, strict=True):
        if weight <= 0 or high <= low:
            constant += low
            continue
        if low > 0:
            constant += low
            bends.append((low / weight, weight, -low))
        else:
            slope += weight
        bends.append((high / weight, -weight, high))
    bends.sort()
    for level, more_slope, more_constant in bends:
        if slope > 0 and constant + slope * level >= capacity:
            return (capacity - constant) / slope
        slope += more_slope
        constant += more_constant
    return None


def lows_with_deadlines(
    capacity: float, floors: Sequence[float], needs: Sequence[float], highs: Sequence[float]
) -> list[float]:
    """Return what each claim gets before weights count: its floor, then what a deadline needs, as far as all can have it.

    Where floors and needs together exceed the capacity, every need beyond a floor is met to the same part.
    """
    if not any(floors) and not any(needs):
        return [0.0] * len(highs)
    first = [min(floor, high) for floor, high in zip(floors, highs, strict=True)]
    wanted = [max(low, min(need, high)) for low, need, high in zip(first, needs, highs, strict=True)]
    spare, more = capacity - sum(first), sum(wanted) - sum(first)
    if more <= 0 or spare >= more:
        return wanted
    part = max(0.0, spare) / more
    return [low + (want - low) * part for low, want in zip(first, wanted, strict=True)]
