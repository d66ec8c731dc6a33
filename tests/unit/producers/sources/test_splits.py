import struct
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from producers.sources.splits import AdjustedSplit, factor_after, raw_amount, raw_price, raw_volume

RATIOS = [Decimal(2), Decimal(3), Decimal(4), Decimal(7), Decimal(10), Decimal(20), Decimal("1.5"), Decimal(1) / 8]


def as_yahoo_sends(raw: Decimal, factor: Decimal) -> Decimal:
    """Adjust, round to six decimals and to single precision."""
    value = float(round(Fraction(raw) / Fraction(factor), 6)) if factor != 1 else float(raw)
    return Decimal(struct.unpack("f", struct.pack("f", value))[0])


cents = st.integers(100, 200_000).map(lambda count: Decimal(count) / 100)
factors = st.lists(st.sampled_from(RATIOS), max_size=2).map(lambda ratios: Decimal(1) * _product(ratios))


def _product(ratios: list[Decimal]) -> Decimal:
    product = Decimal(1)
    for ratio in ratios:
        product *= ratio
    return product


@given(cents, factors)
def test_raw_price_in_cents_comes_back_exactly_through_any_splits(raw: Decimal, factor: Decimal) -> None:
    found, _ = raw_price(as_yahoo_sends(raw, factor), factor)
    assert found == raw


@given(st.integers(1_000_000, 20_000_000).map(lambda count: Decimal(count) / 10_000), factors)
def test_raw_price_finer_than_cents_differs_by_no_more_than_its_noise(raw: Decimal, factor: Decimal) -> None:
    before, _ = raw_price(as_yahoo_sends(raw, Decimal(1)), Decimal(1))
    after, noise = raw_price(as_yahoo_sends(raw, factor), factor)
    assert abs(after - before) <= noise
    assert noise < Decimal("0.01")


@given(st.integers(0, 10**10), factors)
def test_raw_volume_differs_by_no_more_than_its_noise(raw: int, factor: Decimal) -> None:
    found, noise = raw_volume(Decimal(round(Fraction(raw) * Fraction(factor))), factor)
    assert abs(found - raw) <= noise


def test_raw_volume_of_a_whole_split_is_exact() -> None:
    assert raw_volume(Decimal(38478000 * 4), Decimal(4))[0] == 38478000


def test_raw_amount_of_a_dividend_comes_back_from_six_decimals() -> None:
    amount, _ = raw_amount(Decimal("0.094643"), Decimal(28))
    assert amount == Decimal("2.65")


def test_raw_price_that_is_no_number_stays_none() -> None:
    assert raw_price(Decimal("NaN"), Decimal(2))[0].is_nan()


def test_factor_counts_splits_after_the_session_only() -> None:
    splits = [AdjustedSplit(date(2000, 6, 21), Decimal(2)), AdjustedSplit(date(2005, 2, 28), Decimal(2))]
    assert factor_after(splits, date(2000, 6, 20)) == 4
    assert factor_after(splits, date(2000, 6, 21)) == 2
    assert factor_after(splits, date(2005, 2, 28)) == 1
