"""The forecasting service's own app over one model in a folder: `predict_server.py FOLDER PORT`."""

import sys
from pathlib import Path

import uvicorn

from forecasting.app import create_app
from forecasting.lineup import Lineup
from forecasting.pyfunc import opened
from forecasting.registry import LoadedModel
from streaming.serving import Guarded, serving


def loaded(folder: str) -> LoadedModel:
    """Return a saved model as the registry would."""
    estimator = opened(Path(folder))
    return LoadedModel("stock-forecaster", "1", estimator.family, "bench", estimator)


if __name__ == "__main__":
    lineup = Lineup({"champion": loaded(sys.argv[1])})
    app = create_app(lambda: lineup, dict, list)
    uvicorn.Server(serving(Guarded(app), host="127.0.0.1", port=int(sys.argv[2]))).run()
