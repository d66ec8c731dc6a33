"""Dates as files write them: what the whole column allows is read, what it leaves open is asked for."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

from contracts.files.numbers import Undecided

Stamp = date | datetime

_EXCEL = datetime(1899, 12, 30)  # day 0 of Excel's serial numbers, since it takes 1900 for a leap year
_SERIALS = range(10_000, 80_000)  # 1927 to 2119
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp])?\.?[Mm]?\.?")
_NUMBERS = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})")
_NAMED = ("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%b-%d-%Y")
_EPOCHS = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}  # digits, and how many units make a second


def date_reader(texts: Iterable[str], told: str | None = None) -> Callable[[str], Stamp]:
    """Return what reads each text of a column: as a date, or where it tells a time as a moment, with its zone if any.

    ISO 8601, `20261124`, seconds and milliseconds since 1970 and Excel's serial numbers are read as they stand; so are
    day and month in figures where only one order makes dates of the whole column.

    Args:
        told: a strptime format that all texts have.

    Raises:
        Undecided: the column can be read in two orders.
    """
    if told:
        return lambda text: turnable(_by_format(text, told))
    open_ = [text for text in texts if text and _as_it_stands(text) is None]
    form = _form(open_)
    return lambda text: turnable(_as_it_stands(text) or _by_form(text, form))


def turnable(stamp: Stamp) -> Stamp:
    """Return a stamp that can be told in any time zone.

    Raises:
        ValueError: it lies in year 1 or 9999, beyond whose ends some zones are.
    """
    if not date.min.year < stamp.year < date.max.year:
        raise ValueError(f"{stamp.isoformat()} is out of range")
    return stamp


def _form(texts: list[str]) -> str | None:
    """Return the one strptime format that reads most of the texts; None if none reads any."""
    counts: dict[str, int] = {}
    days = [_split(text)[0] for text in texts]
    for form in dict.fromkeys(form for day in dict.fromkeys(map(_shape, days)) for form in _forms(day)):
        counts[form] = sum(_date(day, form) is not None for day in days)
    most = max(counts.values(), default=0)
    best = [form for form, count in counts.items() if count == most and count]
    for day in days:
        if len({read for form in best if (read := _date(day, form))}) > 1:
            raise Undecided(f"{day!r} is a date in {_listed(best)} alike, and so is each other one of the column")
    return best[0] if best else None


def _shape(day: str) -> str:
    """Return one date for all that are written alike: a long column has few shapes."""
    return re.sub(r"\d", "1", day)


def _forms(shape: str) -> Iterable[str]:
    """Return the formats that a shape may have."""
    found = _NUMBERS.fullmatch(shape)
    if found is None:
        return _NAMED
    first, between, _, last = found.groups()
    if len(first) == 4:
        orders = ["%Y/%m/%d"]
    elif len(last) == 4:
        orders = ["%d/%m/%Y"] if between == "." else ["%d/%m/%Y", "%m/%d/%Y"]
    else:
        orders = ["%d/%m/%y"] if between == "." else ["%d/%m/%y", "%m/%d/%y", "%y/%m/%d"]
    return [order.replace("/", between) for order in orders]


def _as_it_stands(text: str) -> Stamp | None:
    """Read what no other text can change; None for the rest."""
    if text[4:5] == "-" or re.fullmatch(r"(19|20)\d{6}", text):
        try:
            return date.fromisoformat(text) if len(text) <= len("2012-01-03") else datetime.fromisoformat(text)
        except ValueError:
            return None
    whole, _, fraction = text.partition(".")
    if not whole.isdecimal() or (fraction and not fraction.isdecimal()):
        return None
    if len(whole) == len("46350") and int(whole) in _SERIALS:
        moment = _EXCEL + timedelta(seconds=round(float(text) * 86_400))
        return moment if fraction.strip("0") else moment.date()
    if units := _EPOCHS.get(len(whole)):
        return datetime.fromtimestamp(float(text) / units, UTC)
    return None


def _by_form(text: str, form: str | None) -> Stamp:
    day_text, time_text = _split(text)
    day = _date(day_text, form) if form else None
    if day is None:
        raise ValueError(f"{text!r} is no date such as 2012-01-03")
    return datetime.combine(day, _clock(time_text)) if time_text else day


def _by_format(text: str, form: str) -> Stamp:
    try:
        moment = datetime.strptime(text, form)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date written as {form}") from error
    return moment if re.search(r"%[HIcXs]", form) else moment.date()


def _split(text: str) -> tuple[str, str]:
    """Return the date and the time of day of a text; the latter empty where it tells none."""
    found = re.search(r"[ T,]+(\d{1,2}:\d{2}.*)$", text)
    return (text[: found.start()], found[1].strip()) if found else (text, "")


def _clock(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day such as 16:00")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if half := found[4]:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    return time(hour, minute, second)


def _date(day: str, form: str) -> date | None:
    try:
        return datetime.strptime(day, form).date()
    except ValueError:
        return None


def _listed(forms: list[str]) -> str:
    return " and ".join(forms)
