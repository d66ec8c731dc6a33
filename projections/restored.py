"""Whether the log is still the one that a read model was made from, or an older state of it that has gone on."""

from collections.abc import Iterable

from projections.checkpoints import lasts
from projections.folds import Document
from streaming.reader import HistoryGone, read_range
from streaming.settings import StreamSettings


def restored(settings: StreamSettings, rows: Iterable[Document]) -> list[str]:
    """Say where the log has not, or not any more, the event that was the last one to be taken in.

    Args:
        rows: checkpoints.

    Raises:
        KafkaAway, RegistryAway: a server does not answer.
        Damaged: it cannot be read there.
    """
    faults = []
    for topic, wanted in lasts(rows).items():
        start = {partition: last["offset"] for partition, last in wanted.items()}
        end = {partition: offset + 1 for partition, offset in start.items()}
        try:
            records = list(read_range(settings, topic, start, end, on_poison="skip"))
        except HistoryGone as error:
            faults.append(str(error))
            continue
        found = {record.partition: record.event_id for record in records}
        faults += [
            f"{topic}[{partition}]@{last['offset']} is another event than the one that was taken in there"
            for partition, last in sorted(wanted.items())
            if found.get(partition) != last["event_id"]
        ]
    return faults
