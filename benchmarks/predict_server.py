"""The forecasting service's own app over one model in a folder: `predict_server.py FOLDER PORT`."""

import sys

import mlflow
import uvicorn

from forecasting.app import create_app
from forecasting.lineup import Lineup
from forecasting.pyfunc import Forecaster
from forecasting.registry import LoadedModel


def loaded(folder: str) -> LoadedModel:
    """Return a saved model as the registry would."""
    pyfunc = mlflow.pyfunc.load_model(folder)
    forecaster = pyfunc.unwrap_python_model()
    assert isinstance(forecaster, Forecaster)
    estimator = forecaster.estimator
    return LoadedModel(
        name="stock-forecaster",
        version="1",
        family=estimator.family,
        run_id="bench",
        min_history=estimator.min_history,
        pyfunc=pyfunc,
        estimator=estimator,
        signature=pyfunc.metadata.signature,
    )


if __name__ == "__main__":
    lineup = Lineup({"champion": loaded(sys.argv[1])})
    app = create_app(lambda: lineup, dict, list)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
