"""What the registry holds is data: read by our own code, and refused where it is not ours."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from contracts.measures import LEVELS
from forecasting.data.windows import MAX_HORIZON
from forecasting.models.lstm import Lstm
from forecasting.models.naive import Naive
from forecasting.models.transformer import Transformer
from forecasting.modelstore.pyfunc import ARTIFACT, ForeignModel, open_estimator, pyfunc_of, signature
from tests.support.markets import market

_CODE = """
from pathlib import Path
Path({mark!r}).write_text("executed")
from mlflow.models import set_model
from forecasting.modelstore.pyfunc import Forecaster
set_model(Forecaster())
"""


@pytest.fixture(scope="module")
def fitted() -> Naive:
    return Naive().fit(market(symbols=2, bars=200))


@pytest.fixture
def saved(fitted: Naive, tmp_path: Path) -> Path:
    """A version as it is downloaded, beside code of a stranger's."""
    fitted.save(tmp_path / ARTIFACT)
    code = tmp_path / "model_code.py"
    code.write_text(_CODE.format(mark=str(tmp_path / "mark")))
    folder = tmp_path / "saved"
    mlflow.pyfunc.save_model(
        folder,
        python_model=str(code),
        artifacts={ARTIFACT: str(tmp_path / ARTIFACT)},
        signature=signature(),
        pip_requirements=[],
    )
    (tmp_path / "mark").unlink(missing_ok=True)  # saving runs the code to try it
    return folder


def test_opening_a_version_executes_nothing_that_lies_there(saved: Path, fitted: Naive, tmp_path: Path) -> None:
    frame = market(symbols=1, bars=30)
    pd.testing.assert_frame_equal(open_estimator(saved).predict(frame), fitted.predict(frame))
    assert not (tmp_path / "mark").exists()
    mlflow.pyfunc.load_model(str(saved))
    assert (tmp_path / "mark").exists()  # what we do not do


def test_opened_version_answers_as_mlflow_would_have_it_answer(saved: Path) -> None:
    frame, params = market(symbols=2, bars=30), {"horizon": 3, "levels": [0.1, 0.5, 0.9]}
    ours, theirs = pyfunc_of(open_estimator(saved)), mlflow.pyfunc.load_model(str(saved))
    assert ours.metadata.signature == theirs.metadata.signature == signature()
    pd.testing.assert_frame_equal(ours.predict(frame, params), theirs.predict(frame, params))
    with pytest.raises(mlflow.exceptions.MlflowException):
        ours.predict(frame.drop(columns="y"))


def parameters(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "parameters.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return spoil


def bomb(folder: Path) -> None:
    with zipfile.ZipFile(folder / "weights.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(3):
            packed.writestr(f"{number:03d}.npy", bytes(100_000_000))


SPOILED: dict[str, Callable[[Path], object]] = {
    "nothing": lambda folder: (folder / "parameters.json").unlink(),
    "no JSON": lambda folder: (folder / "parameters.json").write_text("{"),
    "a list": lambda folder: (folder / "parameters.json").write_text("[]"),
    "deep": lambda folder: (folder / "parameters.json").write_text("[" * 100_000),
    "no text": lambda folder: (folder / "parameters.json").write_bytes(b"\xff\xfe\x00"),
    "another family": parameters(lambda content: content.update(family="os:system")),
    "no family": parameters(lambda content: content.pop("family")),
    "another parameter": parameters(lambda content: content.update(parameters={"__class__": "x"})),
    "nothing learned": parameters(lambda content: content.update(learned={})),
    "a bomb": bomb,
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_version_that_is_not_ours_or_was_harmed_is_refused(saved: Path, spoil: Callable[[Path], object]) -> None:
    spoil(saved / "artifacts" / ARTIFACT)
    with pytest.raises(ForeignModel):
        open_estimator(saved)


def test_folder_without_an_estimator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignModel):
        open_estimator(tmp_path)


def test_ensemble_whose_members_lie_elsewhere_is_refused(saved: Path) -> None:
    content = {"family": "ensemble", "parameters": {"members": ["../estimator"]}, "learned": {"weights": [1.0]}}
    (saved / "artifacts" / ARTIFACT / "parameters.json").write_text(json.dumps(content))
    with pytest.raises(ForeignModel, match="no model family"):
        open_estimator(saved)


def test_pickle_among_the_weights_is_refused(saved: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "unpickled"),))  # type: ignore[return-value]

    folder = saved / "artifacts" / ARTIFACT
    np.savez(folder / "weights.npz", **{"000": np.array([Evil()], dtype=object)})
    learned = {
        "volatility": {"usual": 0.01, "ranges": [0.0], "closes": [0.0]},
        "base": [[0.0] * len(LEVELS)] * MAX_HORIZON,
        "correction": 1.0,
        "curves": [],
    }
    content = {"family": "lstm", "parameters": {"width": 4}, "learned": learned}
    (folder / "parameters.json").write_text(json.dumps(content))
    with pytest.raises(ForeignModel, match="pickle"):
        open_estimator(saved)
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("made", [lambda: Lstm(width=10**9), lambda: Lstm(width=0), lambda: Transformer(blocks=10**6)])
def test_network_of_any_size_is_not_built_because_a_file_says_so(made: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="takes a"):
        made()
