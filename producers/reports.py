"""What of a vendor's report is sound, what of that is news, and what is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from contracts.events import BarClosed, CorporateActionAnnounced
from contracts.ids import stamp
from producers import actions, bars
from producers.actions import ActionKey, KnownAction, SoundAction
from producers.bars import KnownBar, SoundBar
from producers.sources.base import Report, ReportRefusal, VendorAction, VendorBar, VendorDown


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound part of a report; bars are in the order of their closes."""

    announced: list[SoundAction]
    closed: list[SoundBar]

    def news(
        self, known_actions: Mapping[ActionKey, KnownAction], known_bars: Mapping[datetime, KnownBar]
    ) -> tuple[list[CorporateActionAnnounced], list[BarClosed]]:
        """Return what a log that holds these does not hold: the events to publish."""
        return (
            [action for each in self.announced if (action := actions.decide(known_actions, each))],
            [bar for each in self.closed if (bar := bars.decide(known_bars, each))],
        )


def judge_report(
    report: Report, source: str, calendar: str, since: datetime | None, now: datetime
) -> tuple[Sound, list[ReportRefusal]]:
    """Return a report's sound actions and bars, and what is refused; bars that are still open are neither.

    A report may tell a bar or an action several times: a live row beside the session's, a page read twice, a row that
    was corrected below.  One of each is returned, the last that is whole.

    Args:
        calendar: name of the calendar for bars whose exchange is not known.
        since: where the question began: earlier bars are left to the next reading of the whole history.
        now: the present; becomes `recorded_at`.
    """
    announced, refused_actions = _announced(report.actions, source, now)
    asked = [bar for bar in report.bars if since is None or _day(bar.stamp) >= since.date()]
    closed, refused_bars = _closed(asked, source, calendar, now)
    return Sound(announced, closed), [*report.refusals, *refused_actions, *refused_bars]


def _announced(
    reported: Iterable[VendorAction], source: str, now: datetime
) -> tuple[list[SoundAction], list[ReportRefusal]]:
    """Return one sound action for each key, the last told, and what is refused."""
    found: dict[ActionKey, SoundAction] = {}
    refused: list[ReportRefusal] = []
    for action in reported:
        verdict = actions.judge(action, source, now)
        if isinstance(verdict, ReportRefusal):
            refused.append(verdict)
        if not isinstance(verdict, SoundAction):
            continue
        key = actions.action_key(verdict.event)
        if (before := found.get(key)) and (reason := actions.displaced(before, verdict)):
            refused.append(ReportRefusal(action.symbol, f"{action.kind.lower()} {action.ex_date}", reason))
        found[key] = verdict
    return list(found.values()), refused


def _closed(
    reported: Iterable[VendorBar], source: str, calendar: str, now: datetime
) -> tuple[list[SoundBar], list[ReportRefusal]]:
    """Return one sound bar for each close, the last that is whole, by their closes, and what is refused.

    A row that leaves something out is refused only where no other row of the report tells its bar.
    """
    found: dict[datetime, tuple[int, SoundBar]] = {}
    refused: list[ReportRefusal] = []
    incomplete: list[ReportRefusal] = []
    for bar in reported:
        verdict = bars.judge(bar, source, calendar, now)
        if isinstance(verdict, ReportRefusal):
            (incomplete if bar.incomplete else refused).append(verdict)
        elif verdict is not None:
            closed_at, whole = verdict.event.closed_at, bar.wholeness
            before = found.get(closed_at)
            if before is None or whole >= before[0]:
                found[closed_at] = whole, verdict
    closed = sorted((bar for _, bar in found.values()), key=lambda bar: bar.event.closed_at)
    told = {bars.closed_stamp(bar.event) for bar in closed}
    return closed, [*refused, *(refusal for refusal in incomplete if refusal.at not in told)]


def refuse_readjustment(symbol: str, known: Mapping[datetime, KnownBar], sound: Sound) -> None:
    """Hold back a report that moves a whole known history by one factor, or goes over to another unit in the middle.

    Raises:
        VendorDown: it does.
    """
    if factor := bars.looks_misadjusted(known, sound.closed):
        raise VendorDown(
            f"the history of {symbol} is reported again, every price times {factor:.4g}: a split that the "
            "vendor adjusts for and does not list, or the reverse. Nothing of it is published. If the log is what "
            "is wrong, set FORETICK_ACCEPT_READJUSTMENT=true once"
        )
    splits = [action.event for action in sound.announced if action.event.kind == "SPLIT"]
    if change := bars.unit_change(known, sound.closed, splits):
        raise VendorDown(
            f"the prices of {symbol} go over to another unit: from {stamp(change.before)} to {stamp(change.after)} "
            f"they change by a factor of {change.factor:.4g} without a split, as pence and pounds do. Nothing of it "
            "is published. If that is how it was traded, set FORETICK_ACCEPT_READJUSTMENT=true once"
        )


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
