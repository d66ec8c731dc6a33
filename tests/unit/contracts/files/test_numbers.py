from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.files.numbers import (
    DecimalMark,
    Undecided,
    currency_sign,
    decimal_marks,
    parse_number,
    plain_decimal,
)

HALF = Decimal("10.5")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10,50", HALF),  # once published as 1050
        ("10.50", HALF),
        ("0,123", Decimal("0.123")),
        ("1234,567", Decimal("1234.567")),
        ("1,234.50", Decimal("1234.5")),
        ("1.234,50", Decimal("1234.5")),
        ("1 234,50", Decimal("1234.5")),
        ("1\u00a0234.50", Decimal("1234.5")),
        ("1'234.50", Decimal("1234.5")),
        ("1,234,567", Decimal(1234567)),
        ("1.234.567", Decimal(1234567)),
        ("12,34,567.50", Decimal("1234567.5")),
        ("1.234", Decimal("1.234")),
        ("4.39M", Decimal(4_390_000)),
        ("4,39M", Decimal(4_390_000)),
        ("350K", Decimal(350_000)),
        ("1.2B", Decimal(1_200_000_000)),
        ("$186.20", Decimal("186.2")),
        ("-$37.63", Decimal("-37.63")),
        ("€10,50", HALF),
        ("10.50 USD", HALF),
        ("1.05E+01", HALF),
        (" 10.5 ", HALF),
    ],
)
def test_number_that_can_be_read_in_one_way_is_read(text: str, value: Decimal) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["1,234", "abc", "1,2,3", "1.2.3", "5%", "1_000", "1 23", "NaN", "soon 5", "10,50,1"])
def test_number_that_is_none_or_may_be_one_of_two_is_no_number(text: str) -> None:
    read = parse_number(text)
    assert read is not None
    assert read.is_nan()


@pytest.mark.parametrize("text", ["", " ", "-", "N/A", "null", "None", "\u2014"])
def test_number_that_is_left_out_is_none(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("1,234", ",", "1.234"),
        ("1,234", ".", "1234"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("10,50", ".", "NaN"),  # never a thousand and fifty
        ("10.50", ",", "NaN"),
        ("0,123", ".", "NaN"),
    ],
)
def test_number_is_read_by_the_mark_of_its_column(text: str, mark: DecimalMark, value: str) -> None:
    assert str(parse_number(text, mark)) in (value, f"{value}.0")


@pytest.mark.parametrize(
    ("columns", "marks"),
    [
        ({"close": ["1,234", "10,50"]}, {"close": ","}),
        ({"close": ["1,234", "10.50"]}, {"close": "."}),
        ({"close": ["10.50"], "volume": ["1,234"]}, {"close": ".", "volume": "."}),
        ({"close": ["10,50"], "volume": ["1.234"]}, {"close": ",", "volume": ","}),
        ({"close": ["1.234"], "volume": ["5"]}, {"close": ".", "volume": "."}),
        ({"close": [HALF, 5], "volume": [None]}, {"close": ".", "volume": "."}),
        ({"close": ["10,50"], "volume": ["1,234,567"]}, {"close": ",", "volume": "."}),
        ({"close": ["10.50"] * 10 + ["10,50"]}, {"close": "."}),  # a slip: that one is refused
    ],
)
def test_marks_are_what_the_column_shows_else_what_the_others_do(
    columns: dict[str, list[object]], marks: dict[str, str]
) -> None:
    assert decimal_marks(columns) == marks


@pytest.mark.parametrize(
    ("columns", "named"),
    [({"close": ["1,234", "2,345"]}, "'2,345'"), ({"close": ["10,50", "10.50"]}, "'10,50'.*'10.50'")],
)
def test_marks_that_nothing_decides_are_asked_for_with_the_column_and_the_text(
    columns: dict[str, list[object]], named: str
) -> None:
    with pytest.raises(Undecided, match=f"column close: .*{named}"):
        decimal_marks(columns)
    assert decimal_marks(columns, ",") == {"close": ","}


@pytest.mark.parametrize(
    ("text", "sign"),
    [("$186.20", "$"), ("10,50 €", "€"), ("EUR 10", "EUR"), ("10.5", None), ("4.39M", None), (5, None)],
)
def test_sign_beside_a_number_is_told(text: object, sign: str | None) -> None:
    assert currency_sign(text) == sign


@given(st.decimals(allow_nan=False, allow_infinity=False))
@example(Decimal("1E+5"))
@example(Decimal("-0.00"))
@example(Decimal("123456789012345678901234567890.10"))
def test_plain_decimal_has_no_exponent_and_no_trailing_zeros(value: Decimal) -> None:
    text = plain_decimal(value)

    assert text == (format(value.normalize(), "f") if value else "0")
    assert "." not in text or text[-1] not in "0."
