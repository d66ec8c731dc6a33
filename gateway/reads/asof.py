"""What was known at a moment: of several revisions the highest that was recorded by then."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from contracts.documents import EARLIER

ReadDocument = Mapping[str, Any]


def known_action(row: ReadDocument, as_of: datetime) -> dict[str, Any] | None:
    """Return a corporate action as known at `as_of`; None where it was not announced yet.

    Args:
        row: the newest revision, with the others in `_earlier` by number.
    """
    known = _recorded([row, *row.get(EARLIER, {}).values()], as_of)
    return dict(max(known, key=lambda action: action["revision"])) if known else None


def known_scores(row: ReadDocument, as_of: datetime) -> dict[str, Any]:
    """Return a forecast's scores by step as known at `as_of`.

    Args:
        row: a forecast with `scores` by step, and those that they replaced in `_earlier` by step and revision.
    """
    scores = {}
    for step, score in row["scores"].items():
        known = _recorded([score, *row.get(EARLIER, {}).get(step, {}).values()], as_of)
        if known:
            scores[step] = dict(max(known, key=lambda each: each["bar"]["revision"]))
    return scores


def _recorded(revisions: Iterable[ReadDocument], as_of: datetime) -> list[ReadDocument]:
    return [revision for revision in revisions if revision["recorded_at"] <= as_of]
