"""Whatever is repeated, split or raced: the documents are those of a plain fold of the log."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.documents import business
from projections.read_models.bars import BARS
from projections.read_models.forecasts import FORECASTS
from projections.read_models.leaderboard import LEADERBOARD
from projections.read_models.symbols import SYMBOLS
from projections.read_models.table import READ_MODELS
from projections.writer import Writer
from streaming.errors import StoreAway, TooSlow
from tests.support.logs import MemoryStore, bar, folded, issued, log_of, record, scored

SYMBOL = st.sampled_from(["AAPL", "IBM", "MSFT"])
BAR = st.builds(bar, SYMBOL, st.integers(0, 3), st.integers(0, 2), st.sampled_from([409.5, 410.25, 412.0]))
FORECAST_ID = st.sampled_from(["f1", "f2", "f3"])
ISSUED = st.builds(issued, FORECAST_ID, st.just("AAPL"), st.integers(0, 3), st.sampled_from(["CHAMPION", "SHADOW"]))
SCORED = st.builds(scored, FORECAST_ID, st.integers(1, 2), st.integers(0, 2), st.sampled_from([0.1, 0.7, 1e9]))
EVENTS = st.lists(st.one_of(BAR, ISSUED, SCORED), max_size=30)
# How the log is read: so many steps back (a restart from an older position), then a batch of so many.
PLAN = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), max_size=12)
MODELS = pytest.mark.parametrize("model", READ_MODELS, ids=lambda model: model.name)


def records_for(model, events):
    return [item for item in log_of(events) if item.topic in model.folds]


@MODELS
@given(events=EVENTS, plan=PLAN)
@settings(max_examples=150, deadline=None)
def test_writer_any_redelivery_and_batch_split_gives_the_documents_of_a_plain_fold(model, events, plan):
    log, store, position = records_for(model, events), MemoryStore(), 0
    writer, read, counted = Writer(store, model, model.name), 0, 0

    for back, size in [*plan, (0, len(log) + 1)]:
        position = max(0, position - back)
        batch = log[position : position + size]
        written = writer.write(batch)
        position += len(batch)
        read += len(batch)
        counted += written.applied.total() + written.fenced.total()

    writer.write(log)  # and all of it once more
    assert store.documents == folded(model, log)
    assert counted == read


@MODELS
@given(events=EVENTS, plan=PLAN)
@settings(max_examples=100, deadline=None)
def test_writer_a_zombie_between_read_and_replace_changes_nothing(model, events, plan):
    log, store = records_for(model, events), MemoryStore()
    batches = iter(plan)

    def zombie() -> None:
        """Write, as another process would, some of what was written before."""
        start, size = next(batches, (0, 0))
        if size:
            Writer(store, model, model.name).write(log[: min(start + size, position)])

    store.before_replace = zombie
    writer = Writer(store, model, model.name)
    for position in range(3, len(log) + 3, 3):
        writer.write(log[position - 3 : position])

    assert store.documents == folded(model, log)


@MODELS
@given(events=EVENTS)
@settings(max_examples=100, deadline=None)
def test_writer_facts_published_twice_change_no_business_field(model, events):
    once, twice = MemoryStore(), MemoryStore()

    Writer(once, model, model.name).write(records_for(model, events))
    Writer(twice, model, model.name).write(records_for(model, [*events, *events]))

    assert {key: business(document) for key, document in once.documents.items()} == {
        key: business(document) for key, document in twice.documents.items()
    }


@given(bars=st.lists(BAR, unique_by=lambda one: one.event_id), order=st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_bars_and_symbols_order_of_facts_does_not_matter(bars, order):
    shuffled = order.sample(bars, len(bars))

    for model in (BARS, SYMBOLS):
        one, other = folded(model, log_of(bars)), folded(model, log_of(shuffled))
        assert {key: business(document) for key, document in one.items()} == {
            key: business(document) for key, document in other.items()
        }


def test_writer_other_writer_wrote_in_between_reads_again_and_folds_on():
    store = MemoryStore()
    log = log_of([bar(revision=0), bar(revision=1, close=410.0), bar(revision=2, close=412.0)])
    Writer(store, BARS, "c").write(log[:1])
    raced = []

    def race() -> None:
        if not raced:
            raced.append(True)
            store.documents |= folded(BARS, log[:2])

    store.before_replace = race

    written = Writer(store, BARS, "c").write(log[1:])

    assert store.documents == folded(BARS, log)
    assert (written.applied.total(), written.fenced.total()) == (1, 1)


def test_writer_document_that_never_holds_still_is_left_for_later():
    store = MemoryStore()
    Writer(store, BARS, "c").write([record(bar(), 0)])
    store.before_replace = lambda: store.documents[bar().bar_id].update(_n=store.documents[bar().bar_id]["_n"] + 1)

    with pytest.raises(StoreAway, match="another writer"):
        Writer(store, BARS, "c").write([record(bar(revision=1), 1)])


def test_writer_scores_over_two_topics_in_any_interleaving_are_one_state():
    events = [issued("f1"), scored("f1", 1), scored("f1", 2)]
    log = log_of(events)

    stores = []
    for order in ([0, 1, 2], [1, 2, 0], [1, 0, 2]):
        store = MemoryStore()
        for index in order:
            Writer(store, FORECASTS, "c").write([log[index]])
        stores.append(store.documents)

    assert stores[0] == stores[1] == stores[2]


def test_writer_batch_of_one_document_writes_it_once():
    store = MemoryStore()

    written = Writer(store, LEADERBOARD, "c").write(log_of([scored(f"f{n}") for n in range(5)]))

    assert written.applied.total() == 5
    assert [document["_n"] for document in store.documents.values()] == [5]


@pytest.mark.parametrize("done", [0, 3, 5], ids=["nothing", "a part", "all"])
def test_writer_write_that_timed_out_is_looked_up_before_it_is_repeated(done):
    """The server wrote a part, or all of it, and its answer never came."""
    log, store = log_of([bar("AAPL", day) for day in range(5)]), MemoryStore()
    insert, tried = store.insert, []

    def slow(collection, documents):
        tried.append([document["_id"] for document in documents])
        if len(tried) == 1:
            insert(collection, documents[:done])
            raise TooSlow("no answer")
        return insert(collection, documents)

    store.insert = slow
    writer = Writer(store, BARS, "c")
    with pytest.raises(TooSlow):
        writer.write(log)
    written = writer.write(log)

    assert store.documents == folded(BARS, log)
    assert (written.applied.total(), written.fenced.total()) == (5 - done, done)
    assert tried[1] == tried[0][done:]
