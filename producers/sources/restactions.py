"""The splits and dividends of a mapped answer, each judged by itself: a bad one costs no bar."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts.files.numbers import excerpt, parse_number
from producers.sources.base import ReportRefusal, VendorAction, VendorDown
from producers.sources.currencies import major_unit
from producers.sources.mappings import DividendFields, Mapping, SplitFields, entries, find
from producers.sources.splits import share_ratio

Read = Callable[[dict[str, Any]], VendorAction | None]


def read_rest_actions(document: Any, mapping: Mapping, symbol: str) -> tuple[list[VendorAction], list[ReportRefusal]]:
    """Return the splits and dividends that can be read, and what cannot."""
    actions: list[VendorAction] = []
    refusals: list[ReportRefusal] = []
    for kind, path, read in _parts(mapping, symbol):
        try:
            listed = entries(document, path)
        except VendorDown as error:
            refusals.append(ReportRefusal(symbol, path, str(error)))
            continue
        for place, entry in enumerate(listed):
            try:
                if not isinstance(entry, dict):
                    raise ValueError("no object")
                action = read(entry)
            except ValueError as error:
                refusals.append(
                    ReportRefusal(symbol, f"{path}.{place}", f"unreadable {kind}: {error}: {excerpt(str(entry))}")
                )
            else:
                actions += [action] if action else []
    return actions, refusals


def _parts(mapping: Mapping, symbol: str) -> list[tuple[str, str, Read]]:
    parts: list[tuple[str, str, Read]] = []
    if splits := mapping.splits:
        parts.append(("split", splits.items, lambda entry: _split(entry, splits.fields, symbol, mapping)))
    if dividends := mapping.dividends:
        parts.append(("dividend", dividends.items, lambda entry: _dividend(entry, dividends.fields, symbol, mapping)))
    return parts


def _split(entry: dict[str, Any], fields: SplitFields, symbol: str, mapping: Mapping) -> VendorAction | None:
    """Read a split; None where a vendor tells of each session that there was none."""
    if fields.ratio:
        told = (find(entry, fields.ratio), 1)
    else:
        told = (find(entry, fields.numerator or ""), find(entry, fields.denominator or ""))
    if told[0] is None and (fields.ratio or told[1] is None):
        return None
    ratio = share_ratio(*told)
    if ratio is None:
        raise ValueError(f"{told[0]} new shares for {told[1]} are no split")
    return VendorAction(symbol=symbol, kind="SPLIT", ex_date=_ex_date(find(entry, fields.date), mapping), value=ratio)


def _dividend(entry: dict[str, Any], fields: DividendFields, symbol: str, mapping: Mapping) -> VendorAction | None:
    """Read a dividend; None where nothing was paid."""
    amount = parse_number(find(entry, fields.amount), mapping.decimal)
    if not amount:
        return None
    currency, units = mapping.currency, 1
    if fields.currency and (own := find(entry, fields.currency)):
        currency, units = major_unit(str(own))
    ex_date = _ex_date(find(entry, fields.date), mapping)
    return VendorAction(symbol=symbol, kind="DIVIDEND", ex_date=ex_date, value=amount / units, currency=currency)


def _ex_date(value: object, mapping: Mapping) -> date:
    """Read an action's day: written like the bars' times, or as a plain ISO date.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str) and len(value) >= len("2012-01-03") and value[4:5] == "-":
        return date.fromisoformat(value[:10])
    moment = mapping.time.read(value, "PT1H")
    return moment.astimezone(ZoneInfo(mapping.time.zone)).date() if isinstance(moment, datetime) else moment
