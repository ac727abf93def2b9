"""Reads national ID numbers in whole columns, check digit included. Knows nobody's number and keeps none.

Source of the check digit: the Ministry of Interior's rule, as in `stdnum.th.pin` (a test holds the two against each other);
it is blind to the third digit, whose weight is 11.
"""

import polars as pl

#: A number that a spreadsheet has taken for an amount: `1.10E+12`, too many or too few digits, a fraction.
_NUMBERLIKE = r"^\d+$|^\d+[.,]\d*$|^\d+(?:[.,]\d+)?[eE]\+?\d+$"


def bare_id(text: pl.Expr) -> pl.Expr:
    """Return an ID without spaces and dashes."""
    return text.str.replace_all(r"[ \-–‑]", "")


def digits_of(bare: pl.Expr) -> pl.Expr:
    """Return 13 digits as a number, null for anything else."""
    return pl.when(bare.str.contains(r"^[0-9]{13}$")).then(bare).cast(pl.Int64, strict=False)


def check_digit(twelve: pl.Expr) -> pl.Expr:
    """Return the check digit of the first twelve digits, given as a number."""
    total = pl.lit(0, dtype=pl.Int64)
    for place in range(12):  # place 0 is the twelfth digit, of weight 2; the first digit's weight is 13
        total = total + (twelve // 10**place % 10) * (place + 2)
    return (11 - total % 11) % 10


def id_problem(bare: pl.Expr, number: pl.Expr, test_ids: bool) -> pl.Expr:
    """Return the message's code for an ID that cannot be taken, null for a good or an absent one."""
    first = number // 10**12
    problem = (
        pl.when(number.is_null())
        .then(
            pl.when(bare.str.contains(_NUMBERLIKE))
            .then(pl.lit("id-spreadsheet"))
            .otherwise(pl.lit("id-format"))
        )
        .when(first.is_in([0, 9]) & (not test_ids))
        .then(pl.lit("id-first-digit"))
        .when(check_digit(number // 10) != number % 10)
        .then(pl.lit("id-check-digit"))
    )
    return pl.when(bare.is_not_null()).then(problem)
