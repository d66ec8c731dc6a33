"""A rebuild into an empty generation: against insert_many without safety, and its memory as the log grows.

    .venv/bin/python benchmarks/bench_rebuild.py [--quick] [--only curve] [--events 100000] [--curve 100000,500000]

Measured is the way from offset 0 to the end of the log (read, decode, fold, write); the index, the comparison and the
rename that follow are not. The rivals write to a collection without index, too. The curve rebuilds once for each size,
from a log that grows, and tells the peak of memory and the CPU for each event: both should stay as they are.
"""

import argparse
from functools import partial

import market
from bench_projections import contender
from rich.console import Console
from rich.table import Table
from servers import Servers, corner, drop_database, servers
from watch import Took, interleaved, ratio, told

from projections.settings import ProjectionSettings

COLUMNS = ("events/s", "of insert_many", "CPU us", "server us", "peak MB")
OURS, RIVAL, UPSERT = "Foretick, rebuild", "insert_many", "upsert"


def once(running: Servers, settings: ProjectionSettings, kind: str, count: int) -> Took:
    """Run one contender over an empty database."""
    drop_database(settings)
    took = contender(running, kind, count)
    return Took(took.seconds / count, took.client / count, took.server / count, took.memory)


def row(name: str, tooks: list[Took], limit: list[Took]) -> tuple[str, ...]:
    """Return a line of a table."""
    rates, limits = ([1 / took.seconds for took in each] for each in (tooks, limit))
    cpu = (told([getattr(took, kind) * 1e6 for took in tooks]) for kind in ("client", "server"))
    return name, told(rates), f"{ratio(rates, limits):.2f}", *cpu, f"{max(took.memory for took in tooks) / 1e6:.0f}"


def beside_rivals(running: Servers, events: int, rounds: int) -> Table:
    """Rebuild a log of one size, in turns with the rivals."""
    with corner(running) as settings:
        market.publish(settings, events)
        kinds = {RIVAL: ("insert", events), OURS: ("rebuild", events), UPSERT: ("upsert", max(1000, events // 10))}
        found = interleaved({name: partial(once, running, settings, *how) for name, how in kinds.items()}, rounds)
    table = Table("", *COLUMNS, title=f"Rebuild of {events:,} events; median of {rounds} rounds")
    for name, tooks in found.items():
        table.add_row(*row(name, tooks, found[RIVAL]))
    return table


def as_the_log_grows(running: Servers, sizes: list[int]) -> Table:
    """Rebuild once at each size of one log."""
    table, there = Table("events", COLUMNS[0], *COLUMNS[2:], title="As the log grows; once each"), 0
    with corner(running) as settings:
        for size in sizes:
            market.publish(settings, size - there, seed=size, after=there)
            there = size
            took = once(running, settings, "rebuild", size)
            cells = row(f"{size:,}", [took], [took])
            table.add_row(*cells[:2], *cells[3:])
            print(" | ".join((*cells[:2], *cells[3:])), flush=True)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3,000 events, one round; the curve up to 12,000")
    parser.add_argument("--events", type=int, default=0, help="events (default: 100,000)")
    parser.add_argument("--rounds", type=int, default=0, help="interleaved rounds (default: 5)")
    parser.add_argument("--only", choices=("rivals", "curve"), help="one of the two tables")
    parser.add_argument("--curve", help="sizes of the log (default: 50000,100000,200000)")
    wish = parser.parse_args()
    events = wish.events or (3_000 if wish.quick else 100_000)
    rounds = wish.rounds or (1 if wish.quick else 5)
    sizes = wish.curve or ("3000,6000,12000" if wish.quick else "50000,100000,200000")
    console = Console(width=140)
    with servers() as running:
        if wish.only != "curve":
            console.print(beside_rivals(running, events, rounds))
        if wish.only != "rivals":
            console.print(as_the_log_grows(running, [int(size) for size in sizes.split(",")]))


if __name__ == "__main__":
    main()
