"""Show what is in Kafka: every topic, and the newest events of one."""

import json
from collections import defaultdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.ids import stamp
from contracts.topics import TOPICS, Topic, topic_named
from streaming.dead_letters import DeadLetters
from streaming.reader import read_range, watermarks
from streaming.records import DeadRecord, Record
from streaming.settings import StreamSettings


class NoSuchTopic(Exception):
    """There is no such topic; the text lists those there are."""


def topic_of_name(name: str) -> Topic:
    """Return a topic by its name.

    Raises:
        NoSuchTopic: there is none.
    """
    try:
        return topic_named(name)
    except KeyError as error:
        raise NoSuchTopic(str(error.args[0])) from None


def print_topics(settings: StreamSettings, console: Console) -> None:
    """Print each topic with its partitions, and what its newest messages say of it."""
    table = Table(title=f"Kafka at {settings.kafka}", title_justify="left")
    for column in ("topic", "partition", "offsets", "last event", "schema id", "newest event at", "key"):
        table.add_column(column, justify="right" if column in ("partition", "offsets", "last event") else "left")
    letters = DeadLetters(settings)
    for topic in TOPICS:
        marks = watermarks(settings, topic)
        newest = {record.partition: record for record in newest_events(settings, topic.name, 1)}
        for partition, (low, high) in marks.items():
            record = newest.get(partition)
            table.add_row(
                topic.name if partition == min(marks) else "",
                str(partition),
                f"{low} to {high - 1}" if high > low else "",
                str(record.offset) if record else "",
                str(record.schema_id) if record else "",
                record.headers.get("ce_time", "") if record else "",
                (record.key or "") if record else "",
            )
        dead = len(letters.of(topic).open)
        table.add_row(topic.dlq, "0", Text(f"{dead} open", "red" if dead else ""), "", "", "", "")
        table.add_section()
    console.print(table)


def print_tail(settings: StreamSettings, name: str, count: int, console: Console) -> None:
    """Print the newest events of a topic, decoded, oldest first. Raises NoSuchTopic."""
    topic = topic_of_name(name)
    dead: list[DeadRecord] = []
    records = newest_events(settings, topic.name, count, dead)
    for record in sorted(records, key=lambda record: (record.timestamp, record.partition, record.offset))[-count:]:
        console.print(
            Text(f"{topic.name}[{record.partition}]@{record.offset}", "bold"),
            f"key={record.key} schema={record.schema_id} {stamp(record.timestamp)} id={record.event_id}",
        )
        console.print_json(json.dumps(record.event.to_record(), default=event_text))
    if not records and not dead:
        console.print(f"There is no event in {topic.name} yet.")
    for each in dead:
        console.print(f"unreadable: partition {each.partition}, offset {each.offset}: {each.error}", style="red")


def newest_events(
    settings: StreamSettings, name: str, count: int, dead: list[DeadRecord] | None = None
) -> list[Record]:
    """Return the newest `count` events of every partition of a topic."""
    found: list[Record] = []
    marks, offsets = watermarks(settings, name), count
    while marks:
        start = {partition: max(low, high - offsets) for partition, (low, high) in marks.items()}
        end = {partition: high for partition, (_, high) in marks.items()}
        by_partition: defaultdict[int, list[Record | DeadRecord]] = defaultdict(list)
        unreadable: list[DeadRecord] = []
        for record in read_range(settings, name, start, end, on_poison="skip", on_dead=unreadable.append):
            by_partition[record.partition].append(record)
        for lost in unreadable:
            by_partition[lost.partition].append(lost)
        for partition, (low, _) in list(marks.items()):
            told = sorted(by_partition[partition], key=lambda each: each.offset)[-count:]
            if len(told) == count or start[partition] == low:
                del marks[partition]
                found += [each for each in told if isinstance(each, Record)]
                if dead is not None:
                    dead += [each for each in told if isinstance(each, DeadRecord)]
        offsets *= 4  # the ends of transactions stand between
    return found


def event_text(value: Any) -> str:
    """Write what JSON has no type for: times as RFC 3339, all else as it prints."""
    return stamp(value) if hasattr(value, "tzinfo") else str(value)
