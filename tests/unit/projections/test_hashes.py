"""Hashes that do not depend on order, and differences in words."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projections import hashes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=4)


@given(st.lists(DOCUMENTS, max_size=6), st.randoms(use_true_random=False))
def test_hash_of_a_collection_does_not_depend_on_the_order(documents, order):
    def total(items):
        found = 0
        for item in items:
            found = hashes.add(found, hashes.document_digest(item))
        return found

    assert total(documents) == total(order.sample(documents, len(documents)))


@given(DOCUMENTS, DOCUMENTS)
@example({"a": 0.0}, {"a": -0.0})
@example({"a": 1}, {"a": True})
@example({"a": [1]}, {"a": [1.0]})
def test_digest_is_equal_exactly_where_there_is_no_difference(one, other):
    assert (hashes.document_digest(one) == hashes.document_digest(other)) == (hashes.differences(one, other) == [])


@given(DOCUMENTS)
def test_digest_does_not_depend_on_the_order_of_fields(document):
    turned = dict(reversed(document.items()))

    assert hashes.document_digest(turned) == hashes.document_digest(document)


def test_differences_are_told_field_by_field():
    live = {"close": 411.0, "model": {"family": "lstm"}, "steps": [{"mean": 1.0}], "n": 1, "extra": None}
    rebuilt = {"close": 412.0, "model": {"family": "arima"}, "steps": [{"mean": 2.0}], "n": 1.0}

    assert hashes.differences(live, rebuilt) == [
        "close: live 411.0, rebuilt 412.0",
        "extra: live None, rebuilt nothing",
        "model.family: live 'lstm', rebuilt 'arima'",
        "n: live 1, rebuilt 1.0",
        "steps[0].mean: live 1.0, rebuilt 2.0",
    ]


def test_canonical_writes_times_and_bytes_and_refuses_what_no_fold_writes():
    document = {"at": datetime(2012, 1, 3, 21, tzinfo=UTC), "mask": b"\x01\xff"}

    assert json.loads(hashes.canonical(document)) == {"at": {"$date": 1325624400000}, "mask": {"$binary": "01ff"}}
    with pytest.raises(TypeError, match="complex"):
        hashes.canonical({"z": 1j})


def test_subtract_takes_back_what_add_put_in():
    assert hashes.subtract(hashes.add(5, 2**256 - 1), 2**256 - 1) == 5
