"""One listener of the live stream: a bounded queue that is drained into frames."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from gateway.stream.messages import Gap, Message, Subscription, frame, gap
from gateway.stream.transport import DirectWrite, encoded

SLOW_CONSUMER = 3008
FRAME_MESSAGES = 256
FRAME_CHARACTERS = 512 * 1024
CONTROL_LIMIT = 64


class Frame:
    """Hold what is sent at once: the text, and the events in it, oldest first; none in control messages."""

    __slots__ = ("_wire", "events", "text")

    def __init__(self, text: str, events: Sequence[Message] = ()) -> None:
        self.text = text
        self.events = events
        self._wire: bytes | None = None

    @property
    def wire(self) -> bytes:
        """Give the frame as it goes over a socket, encoded once."""
        if self._wire is None:
            self._wire = encoded(self.text)
        return self._wire


class Frames:
    """Join messages to frames, shared between clients that are owed the same messages."""

    def __init__(self, kept: int = 32) -> None:
        self._kept = kept
        self._frames: OrderedDict[tuple[Message, ...], Frame] = OrderedDict()
        self._last: tuple[Sequence[Message], Frame] = ((), Frame(""))

    def of(self, messages: Sequence[Message]) -> Frame:
        """Give the frame of messages in this order; the sequence must not change afterwards."""
        if messages is self._last[0]:
            return self._last[1]
        key = tuple(messages)
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = Frame(frame([message.body for message in messages]), messages)
            if len(self._frames) > self._kept:
                self._frames.popitem(last=False)
        self._last = (messages, found)
        return found


class Client:
    """Queue messages for one socket, never more than `limit`.

    Messages go straight to the socket while nothing waits and it takes them, and are queued otherwise.
    A full queue is conflated: of each symbol (and model) the newest stays, and the offsets dropped are told as a
    gap. A queue that is full even so, or a frame that cannot be sent for `patience` seconds, ends with 3008.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        limit: int = 1000,
        patience: float = 5.0,
        frames: Frames | None = None,
        write: DirectWrite | None = None,
        on_sent: Callable[[Frame], None] = lambda sent: None,
        on_conflate: Callable[[int], None] = lambda dropped: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.subscription = subscription
        self.limit = limit
        self.epoch = ""
        self.closing: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._patience = patience
        self._frames = frames or Frames()
        self._write = write
        self._on_sent = on_sent
        self._on_conflate = on_conflate
        self._clock = clock
        self._queue: deque[Message] = deque()
        self._control: deque[str] = deque()
        self._heartbeat: str | None = None
        self._gaps: dict[int, Gap] = {}  # by partition
        self._skip: dict[int, int] = {}  # partition -> offsets below it were seen before
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._sending_since: float | None = None

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def open(self) -> bool:
        """Tell whether nothing has asked for the socket's end."""
        return not self.closing.done()

    @property
    def waiting(self) -> bool:
        """Tell whether there is something to send."""
        return bool(self._queue or self._control or self._gaps or self._heartbeat)

    def skip_until(self, partition: int, offset: int) -> None:
        """Leave out what lies before an offset: the client has seen it elsewhere."""
        self._skip[partition] = offset

    def offer(self, messages: Sequence[Message]) -> None:
        """Send or queue messages that the client wants, oldest first; the sequence must not change afterwards."""
        if self.closing.done():
            return
        if self._skip:
            messages = self._unseen(messages)
        if not messages or self._sent_at_once(messages):
            return
        if len(self._queue) + len(messages) <= self.limit:
            self._queue.extend(messages)
            self._more.set()
            return
        for message in messages:
            if len(self._queue) >= self.limit:
                self._conflate()
                if len(self._queue) > self.limit * 9 // 10:  # else it would be conflated again for each message
                    self.close(SLOW_CONSUMER, "too slow: even the newest of each symbol does not fit")
                    return
            self._queue.append(message)
        self._more.set()

    def tell(self, text: str) -> None:
        """Queue a control message; it is never conflated, and a client that does not read them is closed."""
        if self.closing.done():
            return
        if len(self._control) >= CONTROL_LIMIT:
            self.close(SLOW_CONSUMER, "too slow: answers are not read")
            return
        self._control.append(text)
        self._more.set()

    def beat(self, text: str) -> None:
        """Queue a heartbeat; one that still waits is replaced."""
        self._heartbeat = text
        self._more.set()

    def miss(self, missing: Gap) -> None:
        """Tell the client which offsets it will not get; gaps of a partition that wait are merged."""
        waiting = self._gaps.get(missing.partition)
        if waiting:
            first, last = min(waiting.first, missing.first), max(waiting.last, missing.last)
            missing = Gap(missing.topic, missing.partition, first, last, waiting.reason)
        self._gaps[missing.partition] = missing
        self._more.set()

    def close(self, code: int, reason: str) -> None:
        """Ask for the socket's end and let go of everything queued; the first to ask decides the code."""
        if not self.closing.done():
            self.closing.set_result((code, reason))
        self._queue.clear()
        self._control.clear()
        self._gaps.clear()
        self._room.set()

    async def room(self, count: int) -> None:
        """Wait until `count` more messages fit (or the client is closing)."""
        while len(self._queue) + count > self.limit and self.open:
            self._room.clear()
            await self._room.wait()

    async def take(self) -> Frame:
        """Wait for something to send and give it as one frame: control messages first, then events in order."""
        while not self.waiting:
            self._more.clear()
            await self._more.wait()
        head = [*self._control, *(gap(missing, self.epoch) for missing in self._gaps.values())]
        if self._heartbeat:
            head.append(self._heartbeat)
        if head:  # a frame of its own: what follows stays a frame that others share
            self._gaps.clear()
            self._control.clear()
            self._heartbeat = None
            return Frame(frame(head))
        messages = self._pop()
        self._room.set()
        return self._frames.of(messages)

    def sending(self) -> None:
        """Note that a frame is being handed to the socket."""
        self._sending_since = self._clock()

    def sent(self, frame: Frame) -> None:
        """Note that the socket took it."""
        self._sending_since = None
        self._on_sent(frame)

    def check(self) -> None:
        """Close a client whose socket has taken nothing for too long."""
        since = self._sending_since
        if since is not None and self._clock() - since > self._patience:
            self.close(SLOW_CONSUMER, f"too slow: nothing was taken for {self._patience:g} s")

    def _unseen(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Leave out what was seen before, and forget the places that are passed."""
        kept = [message for message in messages if message.offset >= self._skip.get(message.partition, 0)]
        for message in kept:
            self._skip.pop(message.partition, None)
        return kept if len(kept) < len(messages) else messages

    def _sent_at_once(self, messages: Sequence[Message]) -> bool:
        if self._write is None or self.waiting or self._sending_since is not None or len(messages) > FRAME_MESSAGES:
            return False
        frame = self._frames.of(messages)
        if len(frame.text) > FRAME_CHARACTERS or not self._write(frame.wire):
            return False
        self._on_sent(frame)
        return True

    def _pop(self) -> list[Message]:
        queue = self._queue
        if len(queue) <= FRAME_MESSAGES:
            size = sum([len(message.body) for message in queue])
            if size <= FRAME_CHARACTERS:
                messages = list(queue)
                queue.clear()
                return messages
        messages, size = [], 0
        while queue and len(messages) < FRAME_MESSAGES and (not messages or size < FRAME_CHARACTERS):
            message = queue.popleft()
            messages.append(message)
            size += len(message.body)
        return messages

    def _conflate(self) -> None:
        newest: dict[tuple[str, ...], Message] = {message.key: message for message in self._queue}
        if len(newest) == len(self._queue):
            return
        kept = set(newest.values())
        dropped = [message for message in self._queue if message not in kept]
        self._queue = deque(message for message in self._queue if message in kept)
        for message in dropped:
            self.miss(Gap(message.topic, message.partition, message.offset, message.offset, "conflated"))
        self._on_conflate(len(dropped))
