"""What `bench_chart.py` draws: one symbol's history, then a newest bar that is corrected all the time."""

import random
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.events import BarClosed, Event, ForecastIssued
from contracts.ids import forecast_id
from contracts.parts import ForecastStep, Quantile
from contracts.samples import sample
from streaming.publisher import Publisher
from streaming.settings import StreamSettings

SYMBOL = "BENCH"
_SESSION = timedelta(hours=6.5)
_WIDTHS = {0.025: -0.04, 0.1: -0.025, 0.25: -0.01, 0.5: 0.0, 0.75: 0.01, 0.9: 0.025, 0.975: 0.04}


class Market:
    """Publishes, and remembers when each close was published."""

    def __init__(self, settings: StreamSettings) -> None:
        self._publisher = Publisher(settings, "/bench")
        self._chance = random.Random(7)
        self._price = 100.0
        self._closed_at = datetime(2004, 1, 5, 21, tzinfo=UTC)
        base = sample(BarClosed)
        forecast = sample(ForecastIssued)
        assert isinstance(base, BarClosed)
        assert isinstance(forecast, ForecastIssued)
        self._base, self._forecast = base, forecast
        self._closes: dict[float, int] = {}  # close -> number of its event
        self._times: list[float] = []  # by number

    def publish_history(self, count: int) -> None:
        """Publish the bars of so many sessions, and forecasts from the last."""
        for _ in range(count):
            self._publish(self._next_bar())
        self._forecast_from_here()
        self._publisher.flush()

    def feed(self, rate: int, stop: threading.Event) -> None:
        """Publish so many bars a second until told to stop: each second a new one, and its corrections."""
        begun, done = time.monotonic(), 0
        bar = self._next_bar()
        while not stop.wait(max(0.0, begun + done / rate - time.monotonic())):
            bar = self._corrected(bar) if done % rate else self._next_bar()
            self._publish(bar)
            if done % rate == 0:
                self._forecast_from_here()
            self._publisher.flush()
            done += 1

    def delays(self, painted: Sequence[tuple[float, float]]) -> list[float]:
        """Return the seconds from each event's time until it, or a newer one, was painted, of all that came to be.

        A page that is far behind paints events of long ago: their delays count as well.

        Args:
            painted: closes and when each was on the screen (epoch seconds), in order.
        """
        known = [(self._closes[close], at) for close, at in painted if close in self._closes]
        if not known:
            raise RuntimeError("nothing that was published has been painted")
        numbers = [number for number, _ in known]
        return [
            known[bisect_left(numbers, number)][1] - self._times[number]
            for number in range(numbers[0], numbers[-1] + 1)
        ]

    def _next_bar(self) -> BarClosed:
        self._closed_at += timedelta(days=3 if self._closed_at.weekday() == 4 else 1)
        before = self._price
        self._price *= 1 + self._chance.gauss(0, 0.012)
        return self._bar(before, 0)

    def _corrected(self, bar: BarClosed) -> BarClosed:
        self._price *= 1 + self._chance.gauss(0, 0.002)
        return self._bar(bar.open, bar.revision + 1)

    def _bar(self, opened: float, revision: int) -> BarClosed:
        low, high = sorted((opened, self._price))
        return replace(
            self._base, symbol=SYMBOL, opened_at=self._closed_at - _SESSION, closed_at=self._closed_at, open=opened,
            high=high * 1.004, low=low * 0.996, close=self._price, volume=1e6 * self._chance.uniform(1, 3),
            revision=revision, recorded_at=datetime.now(UTC),
        )  # fmt: skip

    def _forecast_from_here(self) -> None:
        for family, version, role in (("arima", "2", "CHAMPION"), ("naive", "1", "SHADOW")):
            model = replace(self._forecast.model, family=family, version=version, role=role)
            name = forecast_id(SYMBOL, "P1D", self._closed_at, model.name, version, f"{self._price}")
            self._publish(
                replace(
                    self._forecast, forecast_id=name, symbol=SYMBOL, origin=self._closed_at, steps=tuple(self._steps()),
                    model=model, issued_at=datetime.now(UTC),
                )
            )  # fmt: skip

    def _steps(self) -> Iterator[ForecastStep]:
        for step in range(1, 6):
            spread = step**0.5
            values = tuple(Quantile(level=q, value=self._price * (1 + w * spread)) for q, w in _WIDTHS.items())
            yield ForecastStep(
                step=step, target_at=self._closed_at + timedelta(days=step), mean=self._price, quantiles=values
            )

    def _publish(self, event: Event) -> None:
        now = time.time()
        if isinstance(event, BarClosed):
            self._closes[event.close] = len(self._times)
            self._times.append(now)
        self._publisher.publish(event, time=datetime.fromtimestamp(now, UTC))
