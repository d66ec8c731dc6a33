"""Tasks and shares of them: each done once, whoever does it."""

import pytest

from forecasting.models.tasks import Share, Task, results_kept, results_of, task_key


def doubled(number: int) -> bytes:
    return str(2 * number).encode()


def tasks(*numbers: int) -> list[Task]:
    """Return tasks that double numbers."""
    return [Task(task_key("double", number), doubled, lambda number=number: (number,)) for number in numbers]


def never(number: int) -> bytes:
    raise AssertionError(f"task {number} was done again")


def test_results_come_in_the_order_of_the_tasks_wherever_some_were_made_before() -> None:
    kept = {task.key: b"before" for task in tasks(2, 4)}

    with results_kept(kept):
        found = list(results_of(tasks(1, 2, 3, 4, 5)))

    assert found == [b"2", b"before", b"6", b"before", b"10"]
    assert list(kept.values()) == [b"before", b"before", b"2", b"6", b"10"]


def test_results_are_kept_only_inside() -> None:
    kept: dict[str, bytes] = {}
    with results_kept(kept):
        assert list(results_of(tasks(1))) == [b"2"]
        again = [Task(task.key, never, task.arguments) for task in tasks(1)]
        assert list(results_of(again)) == [b"2"]

    with pytest.raises(AssertionError, match="done again"):
        list(results_of(again))


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_shares_hold_each_task_once_and_the_same_task_in_one_of_them_only(of: int) -> None:
    work = tasks(1, 2, 3, 1, 4, 2, 5)

    shares = [Share(number, of).taken_from(work) for number in range(1, of + 1)]

    keys = [task.key for share in shares for task in share]
    assert sorted(keys) == sorted({task.key for task in work})
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_share_is_read_as_it_is_written() -> None:
    assert Share.from_text("3/20") == Share(3, 20)
    assert str(Share(3, 20)) == "3/20"


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/2/3", "1.5/2", "\u00b2/3"])
def test_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 3/20"):
        Share.from_text(text)


def test_key_tells_apart_what_is_computed_and_of_what() -> None:
    keys = {
        task_key("orders", 2, b"ab", b"c"),
        task_key("orders", 2, b"a", b"bc"),
        task_key("orders", 3, b"ab", b"c"),
        task_key("orders", 2, b"ab"),
        task_key("backtest", 2, b"ab", b"c"),
        task_key("orders", "2", b"ab", b"c"),
    }
    assert len(keys) == 6
    assert task_key("orders", 2, b"ab") == task_key("orders", 2, b"ab")
