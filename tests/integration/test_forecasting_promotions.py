"""Decisions in the log: what the gate kept and refused, what a person moved, and back again."""

from collections.abc import Iterator

import pytest

from contracts.events import ModelPromoted
from forecasting.data import history
from forecasting.modelstore.registry import ModelRegistry, NoModel
from forecasting.training.progress import PlainProgress
from forecasting.training.promote import promote
from forecasting.training.promotions import NoEvidence
from forecasting.training.run import Outcome, train
from streaming.errors import ServerAway
from streaming.publisher import Publisher, PublishFailed
from tests.conftest import Isolated
from tests.integration.serving import ClockServer, Desk

pytestmark = pytest.mark.mlflow


@pytest.fixture(scope="module")
def desk(isolated_module: Isolated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with ClockServer().running() as clock:
        desk = Desk(tmp_path_factory.mktemp("desk"), clock)
        desk.settings = desk.settings.model_copy(
            update={"family_parameters": {"arima": {"max_order": 1}}, "holdout_sessions": 60}
        )
        desk.close_sessions(range(340))
        yield desk
        desk.close()


def trained(desk: Desk, **options: bool) -> Outcome:
    found = train(desk.settings, progress=PlainProgress(), families=["naive", "arima"], **options)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def first(desk: Desk) -> Outcome:
    return trained(desk)


def newest(desk: Desk) -> ModelPromoted:
    return history.decisions(desk.settings)[-1]


def test_person_moves_the_champion_and_back_and_the_log_says_who_and_why(desk: Desk, first: Outcome) -> None:
    before = ModelRegistry(desk.settings).aliases()
    assert first.decision is not None
    sat = first.decision.choice.champion.version
    other = next(version for version in ("1", "2") if version != sat)

    promote(desk.settings, other, person="ada", because="earnings are near")
    moved = newest(desk)
    assert ModelRegistry(desk.settings).aliases() == before | {"champion": other}
    assert (moved.alias, moved.version, moved.previous_version) == ("champion", other, sat)
    assert (moved.decided_by, moved.reason, moved.outcome) == ("person: ada", "earnings are near", "MOVED")
    assert moved.training.sha256 == first.history.sha256
    assert moved.schema_ids == first.history.name.schema_ids
    assert moved.evaluation.candidate == first.candidates[moved.family].metrics
    assert moved.evaluation.naive == first.candidates["naive"].metrics

    promote(desk.settings, sat, person="ada", because="they are over")
    back = newest(desk)
    assert ModelRegistry(desk.settings).aliases() == before
    assert (back.version, back.previous_version, back.reason) == (sat, other, "they are over")
    count = len(history.decisions(desk.settings))
    assert "already: person: ada, they are over" in promote(desk.settings, sat, person="bob", because="again")
    assert len(history.decisions(desk.settings)) == count


def test_persons_decision_is_left_alone_by_the_same_training_run_again(desk: Desk, first: Outcome) -> None:
    assert first.decision is not None
    sat = first.decision.choice.champion.version
    other = next(version for version in ("1", "2") if version != sat)
    promote(desk.settings, other, person="ada", because="a test of will")
    try:
        count = len(history.decisions(desk.settings))
        assert train(desk.settings, progress=PlainProgress(), families=["naive", "arima"], if_needed=True) is None
        assert ModelRegistry(desk.settings).aliases()["champion"] == other
        assert len(history.decisions(desk.settings)) == count
    finally:
        promote(desk.settings, sat, person="ada", because="the test is over")


def test_promotion_that_lost_its_event_is_told_when_asked_for_again(
    desk: Desk, first: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first.decision is not None
    sat = first.decision.choice.champion.version
    other = next(version for version in ("1", "2") if version != sat)

    def lose(*_: object, **__: object) -> None:
        raise PublishFailed("the broker refused")

    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "publish", lose)
        with pytest.raises(PublishFailed):
            promote(desk.settings, other, person="ada", because="once more")
    promote(desk.settings, other, person="ada", because="once more")

    assert (newest(desk).version, newest(desk).previous_version) == (other, sat)
    promote(desk.settings, sat, person="ada", because="done")


def test_nobody_promotes_while_the_exchange_is_silent(desk: Desk, first: Outcome) -> None:
    silent = desk.settings.model_copy(update={"clock_url": "http://127.0.0.1:9/clock"})
    before = ModelRegistry(desk.settings).aliases()

    with pytest.raises(ServerAway, match="the clock at"):
        promote(silent, before["arima"], person="ada", because="x")
    assert ModelRegistry(desk.settings).aliases() == before


def test_version_that_no_training_made_or_of_another_family_is_not_promoted(desk: Desk, first: Outcome) -> None:
    stranger = desk.register("naive")
    before = ModelRegistry(desk.settings).aliases()

    with pytest.raises(NoEvidence, match="no random walk was trained on the data"):
        promote(desk.settings, stranger, person="ada", because="x")
    with pytest.raises(NoEvidence, match="alias 'lstm' is for versions of that family"):
        promote(desk.settings, "1", alias="lstm", person="ada", because="x")
    with pytest.raises(NoModel):
        promote(desk.settings, "99", person="ada", because="x")
    assert ModelRegistry(desk.settings).aliases() == before


def test_training_whose_versions_are_refused_keeps_the_champion_and_says_why(desk: Desk, first: Outcome) -> None:
    promote(desk.settings, "2", person="ada", because="an ARIMA sits")
    desk.close_sessions([340])
    second = trained(desk)

    assert second.decision is not None
    event, arima = newest(desk), second.candidates["arima"]
    assert ModelRegistry(desk.settings).aliases()["arima"] == arima.version
    refused = {found.version: "; ".join(found.reasons) for found in event.refused or ()}
    assert "not better than the sitting champion (arima 2)" in refused[arima.version] or event.family == "naive"
    if event.family == "arima":
        assert (event.version, event.previous_version, event.outcome) == ("2", "2", "KEPT")
        assert event.training.sha256 == first.history.sha256  # what the version learned from, not the newest data
        assert second.decision.moved == ["naive", "arima"]
    else:  # on this market an ARIMA may be worse than the random walk beyond noise: then none sits
        assert "2" in refused
    assert train(desk.settings, progress=PlainProgress(), families=["naive", "arima"], if_needed=True) is None
