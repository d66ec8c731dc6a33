"""What the forecasting services and the training read from the environment (`FORETICK_*`)."""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from contracts.files.settings import CsvSettings
from streaming.settings import StreamSettings


class ForecastingSettings(StreamSettings, CsvSettings):
    """Settings of training, serving and scoring."""

    home: Path = Field(Path(".foretick"), description="Where this system keeps its data.")
    mlflow: str = Field("http://127.0.0.1:5000", description="MLflow tracking and model registry URI.")
    model_name: str = Field("stock-forecaster", description="Registered model name.")
    experiment: str = Field("foretick", description="MLflow experiment that trainings are logged to.")
    exchange_calendar: str = Field("XNYS", description="ISO 10383 MIC whose sessions forecasts speak of.")
    interval: str = Field("P1D", description="ISO 8601 duration of the bars forecast.")
    horizon: int = Field(5, ge=1, le=20, description="Sessions ahead that are forecast and compared.")
    holdout_sessions: int = Field(252, ge=20, description="Last sessions kept out of training for the comparison.")
    family_parameters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description='Model parameters to override, as JSON: {"lstm": {"width": 64}}.'
    )
    seed: int = Field(20120103, description="Seed of every random number in training.")
    threads: int = Field(2, ge=1, description="Threads a training may use.")
    training_workers: int = Field(
        -1, ge=-1, description="Processes that fit many symbols side by side; -1: one for each core."
    )
    dask_scheduler: str = Field(
        "", description="Address of a Dask scheduler whose workers do that instead, such as tcp://127.0.0.1:8786."
    )
    forecasting_port: int = Field(8001, description="Port of the forecasting service.")

    @field_validator("dask_scheduler")
    @classmethod
    def _with_its_scheme(cls, address: str) -> str:
        return address if "://" in address or not address else f"tcp://{address}"  # as Dask reads it


class ServeSettings(ForecastingSettings):
    """Settings of the serving service."""

    forecasting_host: str = Field("127.0.0.1", description="Address that the forecasting service listens on.")
    alias_seconds: float = Field(1.0, gt=0, description="Seconds between two looks at the registry's aliases.")
    tick_seconds: float = Field(0.2, gt=0, description="Seconds between two looks at what waits to begin.")
    flush_seconds: float = Field(20.0, gt=0, description="Seconds to wait for acknowledgements before pausing.")

    @model_validator(mode="after")
    def _predicts_for_nobody_else(self) -> Self:
        self.refuse_strangers("FORETICK_FORECASTING_HOST", self.forecasting_host)
        return self


class ScoreSettings(ForecastingSettings):
    """Settings of the scoring service."""

    flush_seconds: float = Field(20.0, gt=0, description="Seconds to wait for acknowledgements before pausing.")
