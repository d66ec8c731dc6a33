"""Which reports of a vendor become `CorporateActionAnnounced`: sound, in force, and not published before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from contracts.events import BrokenInvariant, CorporateActionAnnounced
from producers.sources.base import ReportRefusal, VendorAction

ActionKey = tuple[str, str, date]  # symbol, kind, ex_date


@dataclass(frozen=True, slots=True)
class KnownAction:
    """What the log holds of an action: its newest revision, and the ratio or amount."""

    revision: int
    value: float

    @classmethod
    def of(cls, event: CorporateActionAnnounced) -> "KnownAction":
        """Return what an event tells of its action."""
        return cls(event.revision, _value(event))


@dataclass(frozen=True, slots=True)
class SoundAction:
    """An action that keeps the invariants, as revision 0, with the vendor's rounding error."""

    event: CorporateActionAnnounced
    noise: float


def judge(action: VendorAction, source: str, now: datetime) -> SoundAction | ReportRefusal | None:
    """Return a sound action, or why it is refused, or None for what is not one (yet): `now` becomes `recorded_at`.

    A split waits until it is in force: whoever reads the log divides the prices before it from then on.  One share for
    one is not a split: some vendors report that of each session.
    """
    value = float(action.value)
    split = action.kind == "SPLIT"
    if split and (value == 1 or action.ex_date > now.date()):
        return None
    try:
        event = CorporateActionAnnounced(
            symbol=action.symbol,
            kind=action.kind,
            ex_date=action.ex_date,
            ratio=value if split else None,
            amount=None if split else value,
            currency=None if split else action.currency,
            source=source,
            revision=0,
            recorded_at=now,
        )
    except BrokenInvariant as error:
        return ReportRefusal(action.symbol, action.ex_date.isoformat(), str(error))
    return SoundAction(event, float(action.noise))


def decide(known: Mapping[ActionKey, KnownAction], action: SoundAction) -> CorporateActionAnnounced | None:
    """Return the event to publish: a new action, the next revision of a changed one, or None for what the log has."""
    before = known.get(action_key(action.event))
    if before is None:
        return action.event
    if abs(before.value - _value(action.event)) <= action.noise + 1e-12:
        return None
    return replace(action.event, revision=before.revision + 1)


def displaced(before: SoundAction, after: SoundAction) -> str | None:
    """Say that a report tells an action of one key twice and differently; None where both are the same."""
    old, new = _value(before.event), _value(after.event)
    if abs(old - new) <= after.noise + 1e-12:
        return None
    return (
        f"{before.event.kind} of {old:g}: the same report tells one of {new:g} for that day below, which is published"
    )


def action_key(event: CorporateActionAnnounced) -> ActionKey:
    """Return the key that an action is known by."""
    return event.symbol, event.kind, event.ex_date


def _value(event: CorporateActionAnnounced) -> float:
    value = event.ratio if event.kind == "SPLIT" else event.amount
    return value if value is not None else 0.0
