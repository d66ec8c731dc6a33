"""Training on real servers: from the log to versions, aliases and promotions, whole or not at all."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import mlflow
import pandas as pd
import pytest
import structlog
from confluent_kafka import Producer
from mlflow import MlflowClient

from contracts.events import ModelPromoted
from contracts.topics import MODEL_PROMOTIONS, STOCK_DATA
from forecasting.backtest.command import BacktestOptions, backtest
from forecasting.data import history
from forecasting.data.code_version import code_version
from forecasting.data.frames import canonical_bytes
from forecasting.models.families import FAMILIES
from forecasting.models.tasks import Share
from forecasting.modelstore.pyfunc import signature
from forecasting.modelstore.registry import ModelRegistry, ModelsAway, NoModel, Unloadable
from forecasting.settings import ForecastingSettings
from forecasting.training import run as training_run
from forecasting.training.command import as_of_named, families_named, run_training
from forecasting.training.gate import Candidate, Choice
from forecasting.training.progress import PlainProgress
from forecasting.training.run import NothingToLearn, Outcome, train
from streaming.publisher import Publisher, PublishFailed
from streaming.reader import read_all
from tests.conftest import Isolated
from tests.support.markets import bar, market, split

pytestmark = pytest.mark.mlflow

SMALL = {
    "lstm": {"width": 8, "epochs": 2},
    "transformer": {"width": 8, "epochs": 2, "heads": 2, "blocks": 1},
    "arima": {"max_order": 1},
    "ensemble": {"members": ["naive", "arima", "lstm"]},
}
QUICK = ("naive", "arima")
DAYS = 370


@pytest.fixture(scope="module")
def settings(isolated_module: Isolated) -> ForecastingSettings:
    """Settings of a model of this module's own, with three symbols of bars in the log."""
    found = named("all", isolated_module)
    publish_market(found)
    return found


def named(name: str, corner: Isolated) -> ForecastingSettings:
    return ForecastingSettings(
        model_name=f"{corner.topic_prefix}{name}",
        experiment=f"{corner.topic_prefix}{name}",
        holdout_sessions=60,
        family_parameters=SMALL,
    )


def publish_market(settings: ForecastingSettings, bars: int = DAYS) -> None:
    with Publisher(settings, "/test") as publisher:
        for symbol, rows in market(3, bars).groupby("unique_id"):
            for closed_at, y, high, low in rows[["ds", "y", "high", "low"]].itertuples(index=False):
                moment = pd.Timestamp(closed_at, tz="UTC").to_pydatetime()
                event = bar(str(symbol), 0, y, closed_at=moment, high=high, low=low, recorded_at=moment)
                publisher.publish(event, time=moment)


@pytest.fixture(scope="module")
def outcome(settings: ForecastingSettings) -> Outcome:
    with PlainProgress() as progress:
        found = train(settings, progress=progress)
    assert found is not None
    return found


@pytest.fixture
def other(
    isolated_module: Isolated, settings: ForecastingSettings, request: pytest.FixtureRequest
) -> ForecastingSettings:
    """Settings of a model of one test's own, on the module's log."""
    return named(request.node.name.replace("[", "-").replace("]", ""), isolated_module)


def promoted(settings: ForecastingSettings) -> Iterator[ModelPromoted]:
    for record in read_all(settings, MODEL_PROMOTIONS):
        if isinstance(record.event, ModelPromoted) and record.event.model_name == settings.model_name:
            yield record.event


def chosen(outcome: Outcome) -> Choice:
    assert outcome.decision is not None
    return outcome.decision.choice


def champion_of(outcome: Outcome) -> Candidate:
    return chosen(outcome).champion


def quick(settings: ForecastingSettings, families: Sequence[str] = QUICK, **options: bool) -> Outcome | None:
    """Train families that learn in no time, and draw no pictures: those take most of the rest."""
    with mock.patch("forecasting.training.tracking.log_pictures"):
        return train(settings, progress=PlainProgress(), families=families, **options)


def test_training_of_all_families_registers_a_version_of_each(settings: ForecastingSettings, outcome: Outcome) -> None:
    aliases = ModelRegistry(settings).aliases()

    assert sorted(outcome.trained) == sorted(FAMILIES)
    assert outcome.skipped == {}
    assert set(aliases) == {*FAMILIES, "champion"}
    assert {aliases[name] for name in FAMILIES} == {str(1 + number) for number in range(len(FAMILIES))}
    assert aliases["champion"] == champion_of(outcome).version


def test_training_publishes_a_promotion_for_each_alias(settings: ForecastingSettings, outcome: Outcome) -> None:
    events = {event.alias: event for event in promoted(settings)}
    aliases = ModelRegistry(settings).aliases()

    assert {alias: event.version for alias, event in events.items()} == aliases
    for event in events.values():
        assert event.training.sha256 == outcome.history.sha256
        assert event.training.bars == 3 * DAYS
        assert event.evaluation.naive.version == aliases["naive"]
        assert event.evaluation.candidate.version == event.version
        assert event.previous_version is None
        assert event.evaluation.candidate.n == 3 * 56 * 5
    assert events["champion"].reason == chosen(outcome).reason
    assert events["champion"].outcome == "MOVED"
    assert {found.version for found in events["champion"].refused or ()} == set(aliases.values()) - {
        aliases["champion"],
        aliases["naive"],
    }
    assert events["lstm"].code_version == code_version()
    assert events["lstm"].calendar == outcome.history.name.calendar
    assert events["lstm"].schema_ids == outcome.history.name.schema_ids != ()
    assert list(promoted(settings))[-1].alias == "champion"


def test_versions_carry_what_they_learned_from(settings: ForecastingSettings, outcome: Outcome) -> None:
    tags = ModelRegistry(settings).version("1").tags

    assert tags["training_sha256"] == outcome.history.sha256
    assert tags["training_offsets"] == outcome.history.vector.to_json()
    assert {"family", "code_version", "recipe", "scrps", "learned_until"} <= set(tags)


def test_runs_hold_parameters_metrics_curves_and_pictures(settings: ForecastingSettings, outcome: Outcome) -> None:
    client = MlflowClient(settings.mlflow)
    run = client.get_run(outcome.candidates["lstm"].run_id)

    assert run.info.status == "FINISHED"
    assert run.data.params["width"] == "8"
    assert run.data.params["training_sha256"] == outcome.history.sha256
    assert {"mase", "scrps", "coverage_80", "coverage_95", "skill", "relative_mae"} <= set(run.data.metrics)
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "val_loss")] == [1, 2]
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "scrps_by_step")] == [1, 2, 3, 4, 5]
    pictures = {Path(item.path).name for item in client.list_artifacts(run.info.run_id, "pictures")}
    assert pictures == {"fan.png", "calibration.png", "skill_by_step.png", "curves.png"}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_version_loaded_forecasts_under_the_one_signature(
    settings: ForecastingSettings, outcome: Outcome, family: str
) -> None:
    model = ModelRegistry(settings).load(family)
    frame = outcome.history.frame.groupby("unique_id").tail(64).reset_index(drop=True)

    forecast = model.predict(frame, horizon=3, levels=[0.1, 0.5, 0.9])

    assert (model.family, model.version) == (family, outcome.candidates[family].version)
    assert model.pyfunc.metadata.signature == signature()
    assert list(forecast.columns) == ["unique_id", "ds", "step", "mean", "q0.1", "q0.5", "q0.9"]
    assert len(forecast) == 9
    pd.testing.assert_frame_equal(forecast, model.estimator.predict(frame, 3, [0.1, 0.5, 0.9]))
    assert model.lacking(frame.head(1)).keys() == ({"S0"} if model.min_history > 1 else set())


def test_version_in_the_registry_holds_no_pickle(
    settings: ForecastingSettings, outcome: Outcome, tmp_path: Path
) -> None:
    folder = mlflow.artifacts.download_artifacts(f"models:/{settings.model_name}@lstm", dst_path=str(tmp_path))

    files = {path.name for path in Path(folder).rglob("*") if path.is_file()}
    assert {"parameters.json", "weights.npz", "model_code.py", "MLmodel", "requirements.txt"} <= files
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".joblib")) or "lock" in name]
    requirements = next(Path(folder).rglob("requirements.txt")).read_text()
    assert "tensorflow" in requirements
    assert "==" in requirements


def test_model_that_is_not_there_is_named(settings: ForecastingSettings, outcome: Outcome) -> None:
    registry = ModelRegistry(settings)

    with pytest.raises(NoModel, match="has no alias 'best'"):
        registry.load("best")
    with pytest.raises(NoModel):
        registry.load("99")


def test_strangers_version_is_refused_and_its_code_never_runs(
    settings: ForecastingSettings, outcome: Outcome, tmp_path: Path
) -> None:
    registry, mark = ModelRegistry(settings), tmp_path / "executed"
    code = tmp_path / "code.py"
    code.write_text(
        f"from pathlib import Path\nPath({str(mark)!r}).touch()\n"
        "from mlflow.models import set_model\nfrom mlflow.pyfunc import PythonModel\n"
        "class Evil(PythonModel):\n    def predict(self, context, model_input, params=None): return model_input\n"
        "set_model(Evil())\n"
    )
    with registry.run("stranger", {}) as run_id:
        logged = mlflow.pyfunc.log_model(name="evil", python_model=str(code), pip_requirements=[])
    evil = registry.register(logged.model_id, run_id, {"family": "naive"})
    mark.unlink()  # MLflow ran it to log it

    with pytest.raises(Unloadable, match=f"version {evil.version} of"):
        registry.load(evil.version)
    assert not mark.exists()
    champion = registry.version(registry.aliases()["arima"])
    source = MlflowClient(settings.mlflow).get_model_version(settings.model_name, champion.version).source
    other = registry.register(str(source).removeprefix("models:/"), champion.run_id, {"family": "naive"})
    with pytest.raises(Unloadable, match="tagged as 'naive' and holds a model of arima"):
        registry.load(other.version)


def test_vector_names_the_same_bytes_after_more_events(isolated: Isolated) -> None:
    settings = named("vector", isolated)
    publish_market(settings, 70)
    vector = history.freeze(settings)
    before = history.load_history(settings, vector)

    with Publisher(settings, "/test") as publisher:
        late = bar("S0", 3, 1000.0, revision=1)
        publisher.publish(late, time=late.recorded_at)
        halving = split("S0", datetime(2006, 1, 20, tzinfo=UTC), 2.0)
        publisher.publish(halving, time=halving.recorded_at)
    again, now = history.load_history(settings, vector), history.load_history(settings, history.freeze(settings))

    assert canonical_bytes(again.frame) == canonical_bytes(before.frame)
    assert again.sha256 == before.sha256 != now.sha256
    assert len(now.frame) == len(before.frame)
    assert now.name.bars == 210


def test_history_with_poison_in_it_is_read_all_the_same(isolated: Isolated) -> None:
    settings = named("poison", isolated)
    publish_market(settings, 70)
    clean = history.load_history(settings, history.freeze(settings))
    producer = Producer(settings.kafka_config())
    producer.produce(settings.physical(STOCK_DATA.name), b"\x07nonsense", b"S0")
    producer.flush(10)

    poisoned = history.load_history(settings, history.freeze(settings))

    assert poisoned.sha256 == clean.sha256
    assert poisoned.vector != clean.vector


def test_training_again_if_needed_does_nothing(settings: ForecastingSettings, outcome: Outcome) -> None:
    before = list(promoted(settings))

    assert train(settings, progress=PlainProgress(), if_needed=True) is None
    assert list(promoted(settings)) == before


def test_training_again_because_asked_promotes_new_versions(other: ForecastingSettings) -> None:
    first, second = quick(other), quick(other)

    assert first is not None
    assert second is not None
    assert ModelRegistry(other).aliases()["arima"] == second.candidates["arima"].version == "4"
    newest = {event.alias: event for event in promoted(other)}
    assert newest["arima"].previous_version == first.candidates["arima"].version
    assert newest["champion"].evaluation.champion is not None
    assert newest["champion"].evaluation.champion.version == champion_of(first).version
    # The same data, seed and code: the same numbers.
    assert second.candidates["arima"].metrics.scrps == first.candidates["arima"].metrics.scrps


def test_training_cut_off_before_the_end_promotes_nothing(
    other: ForecastingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(Exception):
        pass

    def cut(*_: object, **__: object) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(training_run, "decide_and_promote", cut)
        with pytest.raises(Cut):
            quick(other)
    assert ModelRegistry(other).aliases() == {}
    assert list(promoted(other)) == []

    resumed = quick(other, if_needed=True)

    assert resumed is not None
    assert resumed.trained == []
    assert set(ModelRegistry(other).aliases()) == {"naive", "arima", "champion"}
    assert {event.version for event in promoted(other)} == {"1", "2"}


def test_training_whose_events_were_lost_publishes_them_when_run_again(
    other: ForecastingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> None:
        raise PublishFailed("the broker refused")

    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "publish", lose)
        with pytest.raises(PublishFailed):
            quick(other)

    resumed = quick(other, if_needed=True)

    assert resumed is not None
    assert resumed.trained == []
    assert {event.alias: event.version for event in promoted(other)} == ModelRegistry(other).aliases()
    assert quick(other, if_needed=True) is None


def test_training_beside_a_champion_that_this_code_cannot_load_goes_on(
    other: ForecastingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = quick(other, ["naive"])
    assert first is not None
    monkeypatch.setattr("forecasting.modelstore.pyfunc.load_estimator", lambda folder: int("a file of other code"))
    with pytest.raises(Unloadable, match="was made by code"):
        ModelRegistry(other).load("champion")

    second = quick(other, ["naive"])

    assert second is not None
    newest = {event.alias: event for event in promoted(other)}
    assert newest["champion"].evaluation.champion is None
    assert newest["champion"].previous_version == champion_of(first).version


def test_training_on_too_little_says_what_there_is(isolated: Isolated) -> None:
    settings = named("little", isolated)
    with pytest.raises(NothingToLearn, match="the log holds bars: none"):
        quick(settings)
    publish_market(settings, 30)
    with pytest.raises(NothingToLearn, match="'S0': 30"):
        quick(settings)


def test_family_that_cannot_learn_yet_is_skipped_and_the_others_promoted(isolated: Isolated) -> None:
    settings = named("young", isolated)
    publish_market(settings, 120)

    found = train(settings, progress=PlainProgress(), families=["lstm"])

    assert found is not None
    assert "needs 500 windows" in found.skipped["lstm"]
    assert set(ModelRegistry(settings).aliases()) == {"naive", "champion"}


def test_registry_that_is_away_is_said_to_be_away(settings: ForecastingSettings) -> None:
    with pytest.raises(ModelsAway, match=r"127\.0\.0\.1:9"):
        ModelRegistry(settings.model_copy(update={"mlflow": "http://127.0.0.1:9"})).aliases()


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def given(settings: ForecastingSettings) -> dict[str, str]:
    """Return the settings as a process is given them."""
    return {
        "FORETICK_MODEL_NAME": settings.model_name,
        "FORETICK_EXPERIMENT": settings.experiment,
        "FORETICK_HOLDOUT_SESSIONS": "60",
    }


def command(settings: ForecastingSettings, work: Callable[[], int]) -> Done:
    """Run a command in this process, which has imported already what takes long to import."""
    with (
        mock.patch.dict(os.environ, given(settings)),
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as err,
    ):
        code = work()
    structlog.reset_defaults()
    return Done(code, out.getvalue(), err.getvalue())


def training(settings: ForecastingSettings, families: str = "naive", **options: Any) -> Done:
    return command(settings, lambda: run_training(families_named(families), **options))


def backtested(settings: ForecastingSettings, **options: Any) -> Done:
    return command(settings, lambda: backtest(BacktestOptions(**options)))


def test_training_begins_only_where_somebody_can_date_its_decision(
    other: ForecastingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_CLOCK_URL", "http://127.0.0.1:9/clock")

    refused = training(other)
    registered = training(other, register_only=True)

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(
        "training ended without a result: the clock at http://127.0.0.1:9"
    )
    assert "training naive" not in refused.stderr, "no work was done for nothing"
    assert registered.returncode == 0, registered.stderr


def test_command_freezes_then_trains_on_what_it_froze(other: ForecastingSettings) -> None:
    frozen = training(other, freeze=True)
    vector = as_of_named(frozen.stdout.splitlines()[-1])

    trained = training(other, as_of=vector, if_needed=True)
    again = training(other, as_of=vector, if_needed=True)

    assert (trained.returncode, again.returncode) == (0, 0), trained.stderr + again.stderr
    assert "champion: no family passed the gate" in trained.stdout
    assert "training naive" in trained.stderr
    assert "nothing to do" in again.stdout
    assert len(list(promoted(other))) == 2


def test_backtest_of_registered_versions_logs_its_figures_and_report(
    other: ForecastingSettings, tmp_path: Path
) -> None:
    untrained = backtested(other, registered=True)
    trained = training(other, register_only=True)

    asked = {"registered": True, "if_needed": True, "sessions": 40, "out": tmp_path / "report.html"}
    done, again = backtested(other, **asked), backtested(other, **asked)

    assert untrained.returncode == 1
    assert "train first" in untrained.stderr
    assert (trained.returncode, done.returncode) == (0, 0), trained.stderr + done.stderr
    client = MlflowClient(other.mlflow)
    run = client.get_run(done.stdout.split()[-1])
    assert f"nothing to do: MLflow run {run.info.run_id}" in again.stdout
    assert run.data.tags["kind"] == "backtest"
    assert {"naive.mase", "naive.msis", "naive_raw.coverage_95", "rolling-252.skill"} <= set(run.data.metrics)
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "naive.scrps")] == [1, 2, 3, 4, 5]
    artifacts = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"report.html", "quality.json", "scores_by_symbol.csv", "verdicts.csv"}


def test_shares_of_the_work_are_taken_up_by_the_training_and_the_backtest_of_the_same_data(
    other: ForecastingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worth, before = training(other, shares=True), backtested(other, registered=True, share=Share(1, 1))
    asked = {"registered": True, "sessions": 40, "out": tmp_path / "report.html"}
    first, none, again = (training(other, "naive,arima", share=Share(*share)) for share in ((1, 2), (2, 2), (1, 2)))
    with monkeypatch.context() as patch:
        patch.setattr("forecasting.models.arima.search_all", None)
        trained = training(other, "naive,arima", register_only=True)
    judged = backtested(other, **asked, share=Share(1, 1))
    with monkeypatch.context() as patch:
        patch.setattr("forecasting.backtest.run.judge", None)
        done = backtested(other, **asked)
        with pytest.raises(TypeError):  # what is asked otherwise is not taken from there
            backtested(other, **asked | {"sessions": 39})

    assert worth.stdout.splitlines()[-1] == "[]", "three symbols are not worth a process each"
    assert before.returncode == 1
    assert "train first" in before.stderr
    assert [each.stdout.splitlines()[-1] for each in (first, none, again)] == [
        "share 1/2: 1 tasks done",
        "share 2/2: 0 tasks done",
        "share 1/2: done before",
    ]
    assert trained.returncode == 0, trained.stderr
    assert judged.stdout.splitlines()[-1] == "share 1/1: 1 tasks done"
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--families", "prophet"], 2, "no family prophet"),
        (["--share", "3"], 2, "such as 3/20"),
        (["--offsets", "{"], 2, "not an offset vector"),
        (["--offsets", '{"stock-data": {"0": [0, 99999999]}}'], 1, "the log ends before"),
    ],
)
def test_command_that_cannot_do_what_is_asked_says_why(
    other: ForecastingSettings, arguments: list[str], code: int, words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stack", "train", *arguments],
        env=os.environ | given(other),
        capture_output=True,
        text=True,
    )

    assert done.returncode == code
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
