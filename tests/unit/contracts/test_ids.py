"""Identities are UUIDv5 as RFC 9562 has them: the standard library makes the same."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import stable_id

NAMESPACE = UUID("6f0b6a0e-6a56-5c0e-9c3d-0c6d0f3f7a11")


@given(st.text(), st.lists(st.text() | st.integers() | st.floats() | st.booleans() | st.none()))
def test_stable_id_is_the_uuid5_of_its_parts(kind, parts):
    assert stable_id(kind, *parts) == str(uuid5(NAMESPACE, "|".join([kind, *map(str, parts)])))


def test_stable_id_of_moments_and_days():
    moment, day = datetime(2012, 1, 3, 21, tzinfo=UTC), date(2012, 1, 3)

    assert stable_id("Bar", moment, day) == str(uuid5(NAMESPACE, "Bar|2012-01-03T21:00:00Z|2012-01-03"))
