import pytest

from contracts.parts import OffsetRange
from forecasting.data.offsets import OffsetVector


def test_vector_written_and_read_is_the_same() -> None:
    vector = OffsetVector({"stock-data": {1: (0, 5), 0: (2, 9)}, "corporate-actions": {0: (0, 0)}})

    assert vector.to_json() == '{"corporate-actions":{"0":[0,0]},"stock-data":{"0":[2,9],"1":[0,5]}}'
    assert OffsetVector.from_json(vector.to_json()) == vector


def test_vector_as_inputs_leaves_out_the_empty_and_ends_inclusive() -> None:
    vector = OffsetVector({"stock-data": {0: (2, 9), 1: (4, 4)}})

    assert vector.inputs() == (OffsetRange(topic="stock-data", partition=0, from_offset=2, to_offset=8),)


@pytest.mark.parametrize("text", ["", "[]", "7", '{"stock-data": {"0": 7}}', '{"stock-data": {"x": [0, 1]}}'])
def test_vector_from_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an offset vector"):
        OffsetVector.from_json(text)


def test_vector_that_runs_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="no range"):
        OffsetVector.from_json('{"stock-data": {"0": [5, 2]}}')
