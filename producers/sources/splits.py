"""From prices adjusted for splits back to the raw ones that were traded.

Yahoo divides prices and dividends, and multiplies volumes, by every split up to the moment of the request; so the same
session reads differently the day after a split.  Raw values do not: they are what the log keeps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from contracts.files.numbers import parse_number

ONE = Decimal(1)
HALF = Decimal("0.5")
_SINGLE = Decimal("7.5e-8")  # prices pass through single precision: 2**-24, and a quarter more for arithmetic
_SIXTH = Decimal("5e-7")  # adjusted values are rounded to six decimals
_GREATEST = Decimal(1_000_000)  # shares for one: no split was ever that great
_LONGEST = 16  # digits before the point, beyond which nothing is rounded
_FINEST = 8  # decimals kept of prices far below one unit of currency


@dataclass(frozen=True, slots=True)
class AdjustedSplit:
    """`ratio` new shares for one old share from `ex_date` on."""

    ex_date: date
    ratio: Decimal


def share_ratio(new: object, old: object = ONE) -> Decimal | None:
    """Return `new` shares for `old` ones as a vendor writes them; None where that is no ratio of a split."""
    above, below = parse_number(new), parse_number(old)
    if above is None or below is None or not (above.is_finite() and below.is_finite() and above > 0 and below > 0):
        return None
    ratio = above / below
    return ratio if 1 / _GREATEST <= ratio <= _GREATEST else None


def factor_after(splits: Sequence[AdjustedSplit], session: date) -> Decimal:
    """Return how many of today's shares one share of `session` has become."""
    factor = ONE
    for split in splits:
        if split.ex_date > session:
            factor *= split.ratio
    return factor


def raw_price(adjusted: Decimal, factor: Decimal) -> tuple[Decimal, Decimal]:
    """Return a raw price, and how far the vendor's rounding and ours may move it from one request to another.

    It keeps as many decimals as the vendor's rounding leaves certain, so that a price quoted in cents comes back
    exactly, before a split as after it.
    """
    raw = adjusted * factor
    noise = abs(raw) * _SINGLE + (_SIXTH * factor if factor != ONE else 0)
    return _certain(raw, noise)


def raw_volume(adjusted: Decimal, factor: Decimal) -> tuple[Decimal, Decimal]:
    """Return a raw volume in whole units, and how far rounding may move it."""
    if factor == ONE:
        return adjusted, Decimal(0)
    if not adjusted.is_finite() or adjusted.adjusted() > _LONGEST:
        return adjusted, Decimal(0)
    return (adjusted / factor).quantize(ONE, ROUND_HALF_EVEN), HALF / factor + HALF


def raw_amount(adjusted: Decimal, factor: Decimal) -> tuple[Decimal, Decimal]:
    """Return a dividend's raw amount, and how far rounding may move it."""
    return _certain(adjusted * factor, _SIXTH * factor)


def _certain(value: Decimal, noise: Decimal) -> tuple[Decimal, Decimal]:
    """Round to the decimals that the noise leaves certain; tell how far two such values of one price may differ."""
    if not value.is_finite() or value.adjusted() > _LONGEST:
        return value, Decimal(0)
    for decimals in range(_FINEST, -1, -1):
        half_unit = HALF.scaleb(-decimals)
        if half_unit > noise:
            return value.quantize(ONE.scaleb(-decimals), ROUND_HALF_EVEN), 2 * (half_unit + noise)
    return value.quantize(ONE, ROUND_HALF_EVEN), 2 * (HALF + noise)
