"""`stock-data` to MongoDB: the live read model against loops without safety and against quixstreams' MongoDB sink.

    .venv/bin/python benchmarks/bench_projections.py [--quick] [--events 200000] [--only live|revisions|replay|all]

A made-up market: 500 symbols by Zipf's law over 6 partitions, 1 % of the bars corrections. Each contender is a process
of its own and begins with the whole topic before it; the rounds are interleaved. `insert_many` and `upsert` consume,
decode with fastavro and write 1,000 documents at a time, with no fence, checkpoint, journal or dead letters;
`insert_many` loses the corrections. `indexed`: into a collection that has the read model's index, as `stock_data` has,
without which nobody can read it; the embedded server pays more for that than for the document. Corrections and
repetitions are measured on documents that are there already, beside an upsert that waits for the journal, too.
Contenders that replace are given a tenth of the events: their cost is flat. CPU is in microseconds for each event: of
the contender, and of the document server.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

import market
from rich.console import Console
from rich.table import Table
from servers import Servers, corner, drop_database, servers
from watch import Took, interleaved, ratio, read, told

from contracts.documents import CHECKPOINTS_COLLECTION
from contracts.topics import STOCK_DATA
from projections.checkpoints import fresh, moved_checkpoint
from projections.mongo import Store, now
from projections.read_models.bars import BARS
from projections.settings import ProjectionSettings
from projections.writer import Writer
from streaming.reader import read_range, topic_epoch, watermarks

HERE = Path(__file__).parent
QUIX = "quixstreams[mongodb,avro]==3.28.1"
SLOW = 10  # contenders that replace are given so much less


def contender(running: Servers, kind: str, count: int, start: Mapping[int, int] | None = None) -> Took:
    """Run one contender to its end."""
    command = [sys.executable, str(HERE / "contender.py"), kind, str(count), str(running.mongodb)]
    return read(_run([*command, json.dumps(start or {})]))


def quix(running: Servers, count: int) -> Took:
    """Run the rival, in an environment that leaves ours alone."""
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "run", "--quiet", "--no-project", "--python", sys.executable, "--with", QUIX]
    command += ["--with", "psutil", "--with", "rich", "python", str(HERE / "quix_sink.py")]
    return read(_run([*command, str(count), str(running.mongodb)]))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def begin(settings: ProjectionSettings, indexed: bool) -> None:
    """Leave nothing in the database but, if wished, the index."""
    drop_database(settings)
    store = Store(settings)
    if indexed:
        store.index(BARS.name, BARS.indexes)
    store.close()


def folded(settings: ProjectionSettings, end: Mapping[int, int], position: Mapping[int, int]) -> None:
    """Leave the documents of the log up to `end`, and checkpoints that stand at `position`."""
    begin(settings, indexed=True)
    store = Store(settings)
    records = list(read_range(settings, STOCK_DATA, {}, end))
    Writer(store, BARS, BARS.name).write(records)
    epoch = topic_epoch(settings, STOCK_DATA)
    rows = [fresh(BARS.name, (STOCK_DATA.name, place), 1, epoch, now()) for place in end]
    rows = [moved_checkpoint(row, position.get(row["partition"], 0), 0, 0, 0, 0, now()) for row in rows]
    store.insert(CHECKPOINTS_COLLECTION, rows)
    store.close()


def live(running: Servers, settings: ProjectionSettings, events: int, rounds: int, with_all: bool) -> Table:
    """Measure from an empty database on."""
    market.publish(settings, events)
    few = max(1000, events // SLOW)

    def fresh_one(kind: str, count: int, indexed: bool, measure: Callable[[], Took] | None = None) -> Took:
        begin(settings, indexed)
        return _each((measure or partial(contender, running, kind, count))(), count)

    ways = {
        "insert_many, no index": partial(fresh_one, "insert", events, False),
        "Foretick, no index": partial(fresh_one, "foretick-plain", events, False),
        "insert_many, indexed": partial(fresh_one, "insert", events, True),
        "Foretick (stock_data)": partial(fresh_one, "foretick", events, True),
        "upsert, indexed": partial(fresh_one, "upsert", few, True),
        "quixstreams, indexed": partial(fresh_one, "", few, True, lambda: quix(running, few)),
    }
    if with_all:
        ways["Foretick, all read models"] = partial(fresh_one, "foretick-all", few, False)
    title = f"Live, {events:,} events ({few:,} where documents are replaced)"
    return table(title, interleaved(ways, rounds), ["insert_many, no index", "insert_many, indexed", "upsert, indexed"])


def again(running: Servers, settings: ProjectionSettings, events: int, rounds: int, kind: str) -> Table:
    """Measure on documents that are there: corrections of each, or the same events once more."""
    market.publish(settings, events, revisions=0)
    middle = {place: high for place, (_, high) in watermarks(settings, STOCK_DATA).items()}
    start = {} if kind == "replay" else middle
    if kind == "revisions":
        market.publish(settings, events, revisions=0, revision=1)

    def one(way: str) -> Took:
        folded(settings, middle, start)
        return _each(contender(running, way, events, start), events)

    kinds = {"Foretick": "foretick", "upsert": "upsert", "upsert, journalled": "upsert-journalled"}
    ways = {name: partial(one, way) for name, way in kinds.items()}
    what = {"revisions": "Only corrections", "replay": "The same events once more"}[kind]
    return table(f"{what}, {events:,}, indexed", interleaved(ways, rounds), ["upsert, journalled", "upsert"])


def _each(took: Took, count: int) -> Took:
    """Return seconds for each event."""
    return Took(took.seconds / count, took.client / count, took.server / count, took.memory)


def table(title: str, found: dict[str, list[Took]], against: list[str]) -> Table:
    """Return what is printed of a case."""
    rounds = len(next(iter(found.values())))
    result = Table(title=f"{title}; median of {rounds} rounds")
    for column in ("", "events/s", *(f"of {name}" for name in against), "CPU us", "of upsert's", "server us", "MB"):
        result.add_column(column, justify="left" if not column else "right")
    upserts = [took.client for took in found[against[-1]]]
    for name, tooks in found.items():
        rates = [1 / took.seconds for took in tooks]
        ratios = [f"{ratio(rates, [1 / took.seconds for took in found[other]]):.2f}" for other in against]
        client, server = [took.client for took in tooks], median(took.server for took in tooks)
        result.add_row(
            name, told(rates), *ratios, f"{median(client) * 1e6:.0f}", f"{ratio(client, upserts):.2f}",
            f"{server * 1e6:.0f}", f"{median(took.memory for took in tooks) / 1e6:.0f}",
        )  # fmt: skip
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3,000 events, one round")
    parser.add_argument("--events", type=int, default=0, help="events (default: 200,000)")
    parser.add_argument("--rounds", type=int, default=0, help="interleaved rounds (default: 5)")
    parser.add_argument(
        "--only", choices=("live", "revisions", "replay", "all"), help="one case; all: all read models too"
    )
    wish = parser.parse_args()
    events = wish.events or (3_000 if wish.quick else 200_000)
    rounds = wish.rounds or (1 if wish.quick else 5)
    console = Console(width=160)
    with servers() as running:
        if wish.only in (None, "live", "all"):
            with corner(running) as settings:
                console.print(live(running, settings, events, rounds, wish.only != "live"))
        for kind in ("revisions", "replay"):
            if wish.only in (None, kind):
                with corner(running) as settings:
                    console.print(again(running, settings, max(1000, events // SLOW), rounds, kind))


if __name__ == "__main__":
    main()
