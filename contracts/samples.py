"""One sample of each event: what the golden bytes, the documentation and the tests are made of."""

from datetime import UTC, date, datetime

from contracts.events import (
    BarClosed,
    CorporateActionAnnounced,
    DriftDetected,
    Event,
    ForecastIssued,
    ForecastScored,
    ModelPromoted,
)
from contracts.ids import forecast_id
from contracts.measures import LEVELS
from contracts.parts import (
    Evaluation,
    ForecastStep,
    Lineage,
    Metrics,
    ModelRef,
    OffsetRange,
    PinballLoss,
    Quantile,
    Refusal,
    SettlingBar,
    TrainingData,
)

_OPENED = datetime(2012, 1, 3, 14, 30, tzinfo=UTC)
_CLOSED = datetime(2012, 1, 3, 21, 0, tzinfo=UTC)
_NEXT = datetime(2012, 1, 4, 21, 0, tzinfo=UTC)
_TRAINED = datetime(1999, 12, 31, 21, 0, tzinfo=UTC)
_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_RUN = "3f2b8c1d5e6f47a8b9c0d1e2f3a4b5c6"
_VALUES = (396.1, 402.7, 407.2, 411.3, 415.4, 420.1, 427.8)
_ID = forecast_id("AAPL", "P1D", _CLOSED, "stock-forecaster", "4", _SHA)

SAMPLES: tuple[Event, ...] = (
    BarClosed(
        symbol="AAPL",
        exchange="XNAS",
        interval="P1D",
        opened_at=_OPENED,
        closed_at=_CLOSED,
        open=409.4,
        high=412.5,
        low=409.0,
        close=411.23,
        volume=10793600.0,
        currency="USD",
        source="yahoo",
        revision=0,
        recorded_at=_CLOSED,
        payload_sha256=_SHA,
        vwap=410.87,
        trades=84211,
    ),
    CorporateActionAnnounced(
        symbol="AAPL",
        kind="SPLIT",
        ex_date=date(2005, 2, 28),
        ratio=2.0,
        source="yahoo",
        revision=0,
        recorded_at=_CLOSED,
    ),
    ForecastIssued(
        forecast_id=_ID,
        symbol="AAPL",
        interval="P1D",
        origin=_CLOSED,
        issued_at=_CLOSED,
        model=ModelRef(name="stock-forecaster", version="4", family="transformer", run_id=_RUN, role="CHAMPION"),
        steps=(
            ForecastStep(
                step=1,
                target_at=_NEXT,
                mean=411.5,
                quantiles=tuple(Quantile(level=a, value=b) for a, b in zip(LEVELS, _VALUES, strict=True)),
            ),
        ),
        price_basis="AS_OF_ORIGIN",
        lineage=Lineage(
            inputs=(OffsetRange(topic="stock-data", partition=3, from_offset=2406, to_offset=2979),),
            input_sha256=_SHA,
            input_bars=64,
            schema_ids=(1,),
            code_version="0.1.0",
        ),
        trained_until=_TRAINED,
    ),
    ForecastScored(
        forecast_id=_ID,
        symbol="AAPL",
        interval="P1D",
        origin=_CLOSED,
        step=1,
        target_at=_NEXT,
        model_name="stock-forecaster",
        model_version="4",
        family="transformer",
        role="CHAMPION",
        bar=SettlingBar(closed_at=_NEXT, revision=0, topic="stock-data", partition=3, offset=2980),
        actual=413.44,
        absolute_error=1.94,
        squared_error=3.7636,
        pinball=tuple(
            PinballLoss(level=a, loss=b)
            for a, b in zip(LEVELS, (0.4335, 1.074, 1.56, 1.07, 0.49, 0.666, 0.359), strict=True)
        ),
        inside_80=True,
        inside_95=True,
        naive_absolute_error=2.21,
        scale=4.02,
        recorded_at=_NEXT,
        trained_until=_TRAINED,
        naive_pinball=0.861,
    ),
    ModelPromoted(
        model_name="stock-forecaster",
        alias="champion",
        version="4",
        family="transformer",
        run_id=_RUN,
        previous_version="1",
        evaluation=Evaluation(
            candidate=Metrics(
                version="4", family="transformer", n=1000, mase=1.09, scrps=0.0119, coverage_80=0.8, coverage_95=0.95
            ),
            champion=None,
            naive=Metrics(
                version="1", family="naive", n=1000, mase=1.1, scrps=0.0121, coverage_80=0.79, coverage_95=0.94
            ),
            test="Diebold-Mariano (HLN)",
            statistic=-2.1,
            p_value=0.036,
        ),
        training=TrainingData(
            inputs=(OffsetRange(topic="stock-data", partition=3, from_offset=0, to_offset=2979),),
            sha256=_SHA,
            bars=2980,
        ),
        decided_by="hold-out comparison",
        reason="lowest sCRPS among the models that are not worse than the random walk",
        decided_at=_CLOSED,
        outcome="MOVED",
        refused=(Refusal(version="3", family="lstm", reasons=("its sCRPS 0.0124 is not the lowest",)),),
        schema_ids=(1, 2),
        calendar="XNYS, exchange_calendars 4.13",
        code_version="3c9d2f6b1a7e8054",
    ),
    DriftDetected(
        model_name="stock-forecaster",
        measure="COVERAGE_95",
        state="RAISED",
        model_version="4",
        family="transformer",
        interval="P1D",
        value=0.905,
        expected=0.95,
        statistic=-3.4,
        sessions=60,
        n=300,
        from_session=datetime(2011, 10, 6, 20, 0, tzinfo=UTC),
        to_session=_CLOSED,
        reason="95 % intervals cover 0.905 over 60 sessions, outside 0.92 to 0.98, 3.4 standard errors off",
        recorded_at=_CLOSED,
    ),
)


def sample(event: type[Event]) -> Event:
    """Return the sample of an event type."""
    return next(item for item in SAMPLES if type(item) is event)
