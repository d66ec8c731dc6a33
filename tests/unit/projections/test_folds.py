"""The fence: an event enters a document once, whatever comes again."""

import pytest

from projections.folds import fold, reached, within
from projections.read_models.bars import BARS
from projections.read_models.forecasts import FORECASTS
from projections.read_models.table import READ_MODELS, read_model
from tests.support.logs import bar, issued, record, scored


def test_fold_first_event_makes_a_document_with_fence_and_count():
    result = fold(BARS, "k", None, [record(bar(), offset=7, partition=3)])

    assert result.document["_at"] == {"stock-data": {"3": 7}}
    assert result.document["_n"] == 1
    assert result.applied == {("stock-data", 3): 1}


@pytest.mark.parametrize("offset", [0, 6, 7])
def test_fold_event_at_or_below_the_fence_changes_nothing(offset):
    document = fold(BARS, "k", None, [record(bar(), offset=7)]).document

    again = fold(BARS, "k", document, [record(bar(revision=5, close=410.0), offset=offset)])

    assert again.document is document
    assert again.fenced == {("stock-data", 0): 1}
    assert again.applied == {}


def test_fold_another_topic_has_a_fence_of_its_own():
    document = fold(FORECASTS, "f1", None, [record(issued(), offset=100)]).document

    result = fold(FORECASTS, "f1", document, [record(scored(), offset=2)])

    assert result.document["_at"] == {"stock-forecasts": {"0": 100}, "forecast-scores": {"0": 2}}
    assert result.document["_n"] == 2


def test_fold_leaves_its_argument_as_it_was():
    document = fold(FORECASTS, "f1", None, [record(issued(), offset=0)]).document
    before = repr(document)

    fold(FORECASTS, "f1", document, [record(scored(), offset=0), record(scored(step=2), offset=1)])

    assert repr(document) == before


def test_reached_unknown_partition_is_before_every_offset():
    document = fold(BARS, "k", None, [record(bar(), offset=7, partition=3)]).document

    assert reached(document, "stock-data", 3) == 7
    assert reached(document, "stock-data", 4) == -1
    assert reached(None, "stock-data", 3) == -1


def test_within_document_ahead_of_the_position_is_told():
    document = fold(BARS, "k", None, [record(bar(), offset=7, partition=3)]).document

    assert within(document, {"stock-data": {3: 8}})
    assert not within(document, {"stock-data": {3: 7}})


def test_read_models_have_names_and_topics_of_their_own():
    assert len({model.name for model in READ_MODELS}) == len(READ_MODELS)
    assert all(model.topics for model in READ_MODELS)


def test_read_model_unknown_name_lists_those_there_are():
    with pytest.raises(KeyError, match="stock_data"):
        read_model("stocks")
