"""Prometheus metrics of serving and scoring."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

ISSUED = Counter("foretick_forecasts_issued_total", "Forecasts in the log.", ["family", "role"])
PREDICTING = Histogram(
    "foretick_predict_seconds", "One call of a model, all symbols that closed together.", ["family"], buckets=_SECONDS
)
ISSUING = Histogram(
    "foretick_issue_seconds", "From bars folded to their forecasts acknowledged, all models.", buckets=_SECONDS
)
INVOCATIONS = Counter("foretick_invocations_total", "Predictions asked for over HTTP.", ["family", "status"])

SCORED = Counter("foretick_forecast_steps_scored_total", "Scores in the log.", ["family", "step"])
OPEN = Gauge("foretick_forecast_steps_open", "Forecast steps whose bar has not come.")
OVERDUE = Gauge("foretick_forecast_steps_overdue", "Open steps though a later bar of the symbol has come.")
DRIFTING = Gauge("foretick_drift_alarms", "Alarms raised and not cleared.", ["measure"])
