"""The producers while the broker and the registry die: on a stack of their own, which brings both back."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.layout import PROJECT, Layout
from stack.services.supervisor import Supervisor
from streaming.admin import prepare_servers
from streaming.settings import StreamSettings
from tests.integration.producing import Market, bars
from tests.support.supervised import kill
from tests.support.waiting import until

SERVERS = "kafka,registry"


@pytest.fixture
def own_servers(
    tmp_path: Path, free_offset: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Supervisor]:
    layout = Layout(home=tmp_path / "stack", cache=Path.home() / ".cache" / "foretick", port_offset=free_offset())
    environment = layout.environment() | {"FORETICK_TOPIC_PREFIX": ""}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    foretick("up", "--detach", "--only", SERVERS)
    prepare_servers(StreamSettings())
    yield Supervisor(layout)
    foretick("down")


def foretick(*arguments: str) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "stack", *arguments), cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_outage_of_kafka_and_registry_delays_bars_and_loses_none(own_servers: Supervisor, tmp_path: Path) -> None:
    with Market(tmp_path, "AAPL,IBM") as market:
        market.producers.start()
        until(lambda: market.producers.answers("/health/ready"), "the producers were ready")
        market.clock(running=True, seconds_per_session=0.2)
        until(lambda: market.symbol("IBM")["published"] > 25, "bars streamed")
        kill(own_servers, "kafka")
        seen = market.visible("IBM")
        until(lambda: market.visible("IBM") > seen + 20, "sessions closed without a broker")
        until(lambda: market.symbol("IBM")["published"] > seen + 20, "they were published after all", 120)

        kill(own_servers, "registry")
        kill(own_servers, "kafka")
        assert market.producers.end(signal.SIGKILL) == -signal.SIGKILL
        market.producers.start()
        until(lambda: market.producers.answers("/health/ready"), "the producers folded their state", 180)

        market.clock(running=False)
        now = market.exchange.get("/clock")["now"]
        until(lambda: all(market.symbol(symbol)["last_bar"] == now for symbol in ("AAPL", "IBM")), "all was read")
        for symbol in ("AAPL", "IBM"):
            read = bars(symbol)
            assert len(read) == market.visible(symbol) == len({bar.closed_at for bar in read})
            assert {bar.revision for bar in read} == {0}
