"""The forecasting service's own app over one model in a folder: `predict_server.py FOLDER PORT`."""

import sys
from pathlib import Path

import uvicorn

from forecasting.modelstore.pyfunc import open_estimator
from forecasting.modelstore.registry import LoadedModel
from forecasting.serving.app import create_serving_app
from forecasting.serving.loaded_models import LoadedModels
from streaming.serving import Guarded, serving


def loaded(folder: str) -> LoadedModel:
    """Return a saved model as the registry would."""
    estimator = open_estimator(Path(folder))
    return LoadedModel("stock-forecaster", "1", estimator.family, "bench", estimator)


if __name__ == "__main__":
    loaded_models = LoadedModels({"champion": loaded(sys.argv[1])})
    app = create_serving_app(lambda: loaded_models, dict, list)
    uvicorn.Server(serving(Guarded(app), host="127.0.0.1", port=int(sys.argv[2]))).run()
