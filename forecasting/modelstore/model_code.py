"""The script that MLflow runs to make the model ("models from code"); the weights come as artifacts."""

from mlflow.models import set_model

from forecasting.modelstore.pyfunc import Forecaster

set_model(Forecaster())
