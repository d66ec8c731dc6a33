"""What of a vendor's report is sound, what of that is news, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from contracts.events import BarClosed, CorporateActionAnnounced
from producers import actions, bars
from producers.actions import ActionKey, KnownAction, SoundAction
from producers.bars import KnownBar, SoundBar
from producers.sources.base import Refusal, Report, VendorDown


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound part of a report; bars are in the order of their closes."""

    announced: list[SoundAction]
    closed: list[SoundBar]

    def news(
        self, known_actions: Mapping[ActionKey, KnownAction], known_bars: Mapping[str, KnownBar]
    ) -> tuple[list[CorporateActionAnnounced], list[BarClosed]]:
        """Return what a log that holds these does not hold: the events to publish."""
        return (
            [action for each in self.announced if (action := actions.decide(known_actions, each))],
            [bar for each in self.closed if (bar := bars.decide(known_bars, each))],
        )


def judged(
    report: Report, source: str, calendar: str, since: datetime | None, now: datetime
) -> tuple[Sound, list[Refusal]]:
    """Return a report's sound actions and bars, and what is refused; bars that are still open are neither.

    Args:
        calendar: name of the calendar for bars whose exchange is not known.
        since: where the question began: earlier bars are left to the next reading of the whole history.
        now: the present; becomes `recorded_at`.
    """
    announced: list[SoundAction] = []
    closed: list[SoundBar] = []
    refused = list(report.refusals)
    for action in report.actions:
        verdict = actions.judge(action, source, now)
        if isinstance(verdict, Refusal):
            refused.append(verdict)
        else:
            announced.append(verdict)
    for bar in report.bars:
        if since is not None and _day(bar.stamp) < since.date():
            continue
        told = bars.judge(bar, source, calendar, now)
        if isinstance(told, Refusal):
            refused.append(told)
        elif told is not None:
            closed.append(told)
    closed.sort(key=lambda bar: bar.event.closed_at)
    return Sound(announced, closed), refused


def refuse_readjustment(symbol: str, known: Mapping[str, KnownBar], sound: Sound) -> None:
    """Hold back a report that moves a whole known history by one factor.

    Raises:
        VendorDown: it does.
    """
    if factor := bars.looks_misadjusted(known, sound.closed):
        raise VendorDown(
            f"the history of {symbol} is reported anew, every price times {factor:.4g}: a split that the "
            "vendor adjusts for and does not list, or the reverse. Nothing of it is published. If the log is what "
            "is wrong, set FORETICK_ACCEPT_READJUSTMENT=true once"
        )


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
