"""Clients of a whole system that write down all they do and see: senders, readers of lists, listeners at sockets."""

import hashlib
import json
import random
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from contracts.events import BarClosed
from contracts.ids import bar_id
from contracts.samples import sample
from contracts.topics import FORECAST_SCORES, STOCK_DATA, Topic
from gateway.schemas.responses import Bar
from gateway.stream.messages import OPTIONS
from stack.layout import Layout
from streaming.codec import Codec
from streaming.errors import ServerAway
from streaming.headers import headers_for
from streaming.publisher import Publisher, PublishFailed
from streaming.settings import StreamSettings
from tests.faults.truths import raw, records
from tests.support.histories import Entry, Heard, History, Joined, Log, Missed, Place, Read, Sent

OURS = "SOAK"  # what our senders' symbols begin with
_SHOWN = frozenset(Bar.model_fields)


def entry(topic: str, told: Mapping[str, Any]) -> Entry:
    """Return the event that a record of the log, a message of a socket or an item of a list tells of."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(told, option=OPTIONS, default=str))
    if topic == STOCK_DATA.name:
        plain = {name: value for name, value in plain.items() if name in _SHOWN}
        key, revision = f"{plain['symbol']}|{plain['interval']}|{plain['closed_at']}", plain["revision"]
    elif topic == FORECAST_SCORES.name:
        key, revision = f"{plain['symbol']}|{plain['forecast_id']}|{plain['step']}", plain["bar"]["revision"]
    else:
        key, revision = f"{plain['symbol']}|{plain['forecast_id']}", 0
    digest = hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return _same(Entry(key, revision, digest[:16]))


@cache
def _same(found: Entry) -> Entry:
    """Return the one object of all that are equal: an hour's history names each event a hundred times."""
    return found


def read_log(settings: StreamSettings, topics: Sequence[Topic]) -> Log:
    """Return the events of topics, read and decoded without any code of the product."""
    found: dict[Place, dict[int, Entry]] = defaultdict(dict)
    for topic in topics:
        for partition, offset, told in records(settings, raw(settings, topic.name), topic.event.__name__):
            found[topic.name, partition][offset] = entry(topic.name, told)
    return found


class Shared:
    """What clients know of each other: what was acknowledged and shown, and what is to be counted."""

    def __init__(self, layout: Layout, seed: int) -> None:
        self.layout = layout
        self.history = History()
        self.counts: Counter[str] = Counter()
        self.delays: list[float] = []  # seconds from an acknowledgement to a socket's message
        self.failures: list[BaseException] = []
        self.dice = random.Random(seed)
        self.known: dict[str, dict[Place, int]] = defaultdict(dict)  # by symbol: next offsets that exist for certain
        self.newest: dict[str, datetime] = {}  # by symbol of ours: the last bar that was sent
        self._acknowledged: dict[tuple[Place, int], float] = {}
        self._lock = threading.Lock()

    def note(self, operation: Sent | Joined | Heard | Missed | Read) -> None:
        """Write down an operation, and what all may know from now on."""
        with self._lock:
            self.history.operations.append(operation)
            if isinstance(operation, Sent | Heard) and operation.place:
                place, symbol = operation.place, operation.entry.key.partition("|")[0]
                known = self.known[symbol]
                known[place] = max(known.get(place, 0), operation.offset + 1)
                if isinstance(operation, Sent):
                    self._acknowledged[place, operation.offset] = operation.ended
                elif at := self._acknowledged.pop((place, operation.offset), None):
                    self.delays.append(operation.at - at)

    def now(self) -> datetime:
        """Return the market's time."""
        answer = httpx.get(self.layout.url("exchange", "/clock"), timeout=5)
        return datetime.fromisoformat(answer.raise_for_status().json()["now"])


class Client(threading.Thread, ABC):
    """One client; what it does not expect ends the test."""

    def __init__(self, shared: Shared, number: int) -> None:
        super().__init__(name=f"{type(self).__name__.lower()}-{number}", daemon=True)
        self.shared = shared
        self.stop = threading.Event()
        self.dice = random.Random(shared.dice.random())

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.shared.failures.append(error)
            raise

    @abstractmethod
    def work(self) -> None:
        """Do one's work until `stop` is set."""


class Sender(Client):
    """Publishes bars of a symbol of its own, one after the other; some correct one of the last twenty."""

    def __init__(self, shared: Shared, number: int) -> None:
        super().__init__(shared, number)
        self.symbol = f"{OURS}{number}"
        self._sent: deque[BarClosed] = deque(maxlen=20)
        self._moment = datetime(2000, 1, 1, tzinfo=UTC)
        self._now = datetime(2010, 1, 1, tzinfo=UTC)

    def work(self) -> None:
        settings = self.shared.layout.stream()
        codec = Codec(settings)
        with Publisher(settings, "/soak", self.stop, receipts=True) as publisher:
            while not self.stop.wait(self.dice.choice((0.01, 0.05, 0.4))):
                self._send(publisher, codec, self._next())
                if self.dice.random() < 0.05:
                    try:
                        self._now = max(self._now, self.shared.now())
                    except httpx.HTTPError:
                        self.shared.counts["clock away"] += 1

    def _next(self) -> BarClosed:
        close = 410.0 + self.dice.randrange(8) / 4
        if self._sent and self.dice.random() < 0.15:
            place = self.dice.randrange(len(self._sent))
            event = replace(
                self._sent[place], close=close, revision=self._sent[place].revision + 1, recorded_at=self._now
            )
            self._sent[place] = event
            return event
        self._moment += timedelta(minutes=1)
        event = replace(
            sample(BarClosed),
            symbol=self.symbol,
            interval="PT1M",
            opened_at=self._moment - timedelta(minutes=1),
            closed_at=self._moment,
            close=close,
            recorded_at=self._now,
        )
        self._sent.append(event)
        return event

    def _send(self, publisher: Publisher, codec: Codec, event: BarClosed) -> None:
        began = time.monotonic()
        sent = Sent(self.name, began, began, entry(STOCK_DATA.name, event.to_record()))
        try:
            partition, offset = publisher.deliver(
                STOCK_DATA.name,
                codec.encode(event),
                event.key.encode(),
                headers_for(event, "/soak", event.recorded_at),
                timeout=10,
            )
            sent = replace(sent, place=(STOCK_DATA.name, partition), offset=offset)
            self.shared.newest[self.symbol] = event.closed_at
            self.shared.counts["acknowledged"] += 1
        except (ServerAway, PublishFailed):
            self.shared.counts["unknown"] += 1
        self.shared.note(replace(sent, ended=time.monotonic()))


class Reader(Client):
    """Asks for bars, now and then for an answer that includes what is known to be there."""

    def __init__(self, shared: Shared, number: int, symbols: Sequence[str]) -> None:
        super().__init__(shared, number)
        self._symbols = symbols

    def work(self) -> None:
        with httpx.Client(base_url=self.shared.layout.url("gateway"), timeout=20) as http:
            while not self.stop.wait(self.dice.choice((0.05, 0.2, 0.5))):
                self.read(http, self.dice.choice(self._symbols), certain=self.dice.random() < 0.7)

    def read(self, http: httpx.Client, symbol: str, *, certain: bool) -> bool:
        """Ask once; tell whether there was an answer."""
        interval = "PT1M" if symbol.startswith(OURS) else "P1D"
        parameters: dict[str, str | int] = {"interval": interval, "limit": 5000}
        first = ""
        if newest := self.shared.newest.get(symbol):
            start = newest - timedelta(minutes=self.dice.choice((30, 120)))
            parameters["start"] = start.isoformat()
            first = bar_id(symbol, interval, start)
        asked = dict(self.shared.known.get(symbol, {})) if certain else {}
        asked = {place: offset for place, offset in asked.items() if place[0] == STOCK_DATA.name}
        if asked:
            parameters["min_position"] = json.dumps(_nested(asked))
        began = time.monotonic()
        try:
            answer = http.get(f"/api/bars/{symbol}", params=parameters)
        except httpx.HTTPError:
            self.shared.counts["not answered"] += 1
            return False
        if answer.status_code == 404 and asked:  # the read models are said to be there, and the symbol is not
            told: dict[str, Any] = {"items": [], "position": _nested(asked)}
        elif answer.status_code in {404, 503}:
            self.shared.counts["refused"] += 1
            return False
        else:
            told = answer.raise_for_status().json()
        position = {(topic, int(p)): at for topic, places in told["position"].items() for p, at in places.items()}
        found = {each.key: each for each in (entry(STOCK_DATA.name, item) for item in told["items"])}
        prefix = f"{symbol}|{interval}|"
        self.shared.note(Read(self.name, began, time.monotonic(), prefix, first, asked, position, found))
        self.shared.counts["read"] += 1
        return True


class Listener(Client):
    """Listens at a socket, and comes back from where it stopped; now and then it cuts the line itself."""

    def __init__(self, shared: Shared, number: int, path: str, topic: Topic, only: tuple[str, ...] = ("",)) -> None:
        super().__init__(shared, number)
        self._path = path
        self.only = only
        self._topic = topic.name
        self._epochs: dict[str, str] = {}
        self.nexts: dict[int, int] = {}
        self.calm = threading.Event()  # set when it is to stay until the end

    def work(self) -> None:
        url = self.shared.layout.url("gateway", self._path).replace("http", "ws", 1)
        while not self.stop.is_set():
            try:
                with connect(url, open_timeout=5, close_timeout=1, max_queue=None) as socket:
                    self._listen(socket)
            except (OSError, TimeoutError, WebSocketException):
                self.shared.counts["cut"] += 1
            self.stop.wait(self.dice.uniform(0.1, 1))

    def heard_all(self, log: Log) -> bool:
        """Tell whether it has come to the end of all that it wants."""
        return all(
            self.nexts.get(partition, 0) > max(wanted)
            for (topic, partition), entries in log.items()
            if topic == self._topic
            and (wanted := [offset for offset, each in entries.items() if each.key.startswith(self.only)])
        )

    def _listen(self, socket: ClientConnection) -> None:
        if self.nexts:
            positions = {str(partition): offset - 1 for partition, offset in self.nexts.items()}
            told = {"type": "resume", "positions": {self._topic: positions}, "epochs": self._epochs}
            socket.send(json.dumps(told))
        leave = time.monotonic() + self.dice.uniform(5, 90)
        while not self.stop.is_set():
            if time.monotonic() > leave and not self.calm.is_set():
                socket.socket.close()
                return
            try:
                found = orjson.loads(socket.recv(timeout=1))
            except TimeoutError:
                continue
            for message in found if isinstance(found, list) else [found]:
                self._take(message)

    def _take(self, message: Mapping[str, Any]) -> None:
        at = time.monotonic()
        match message:
            case {"type": "hello", "epochs": epochs, "positions": positions} if not self.nexts and positions:
                self._epochs = epochs
                self.nexts = {int(partition): last + 1 for partition, last in positions[self._topic].items()}
                places = {(self._topic, partition): offset for partition, offset in self.nexts.items()}
                self.shared.note(Joined(self.name, at, places, self.only))
            case {"type": "bar" | "forecast", "partition": partition, "offset": offset, "data": data}:
                place = self._topic, partition
                self.shared.note(Heard(self.name, at, place, offset, entry(self._topic, data)))
                self.nexts[partition] = max(self.nexts.get(partition, 0), offset + 1)
                self.shared.counts["heard"] += 1
            case {"type": "gap", "partition": partition, "from": first, "to": last}:
                self.shared.note(Missed(self.name, at, (self._topic, partition), first, last))
                self.nexts[partition] = max(self.nexts.get(partition, 0), last + 1)
                self.shared.counts["told missing"] += 1


def _nested(positions: Mapping[Place, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (topic, partition), offset in positions.items():
        found[topic][str(partition)] = offset
    return dict(found)
