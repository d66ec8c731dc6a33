"""Fan one stream out to every client: all of it on the event loop, nothing here knows Kafka or sockets.

Messages go out at once while the loop is idle. Under load they are gathered while a round of sending lasts and as
long again, so that each client gets one frame instead of many, and half of the loop's time is left to all else: the
cost is by frame, not by message. A burst goes out in rounds smaller than a queue, with the loop's turn in between:
only a client that does not keep up is conflated.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from gateway.stream.clients import Client, Frames
from gateway.stream.delivery_spans import DeliverySpans
from gateway.stream.messages import Gap, Message, Subscription, heartbeat, hello
from gateway.stream.ring import Ring

GATHERING = 1.0  # of the time that the last round of sending took
LONGEST_GATHERING = 0.1  # seconds

STARTING, LIVE, AWAY = "starting", "live", "away"


class Hub:
    """Keep the recent messages of every partition and hand new ones to the clients that want them."""

    def __init__(self, *, ring_messages: int = 4096, heartbeat_every: float = 2.0, round_messages: int = 200) -> None:
        self.on_taken: Callable[[int], None] = lambda count: None  # told how many messages went out
        self.source = STARTING
        self.epochs: dict[str, str] = {}
        self.breaks: dict[str, int] = defaultdict(int)  # by topic: how often its log did not go on where it was
        self.frames = Frames()
        self.deliveries = DeliverySpans()
        self.clients: dict[Subscription, set[Client]] = defaultdict(set)
        self._everyone: set[Client] = set()
        self._rings: dict[str, dict[int, Ring]] = {}
        self._ring_messages = ring_messages
        self._heartbeat_every = heartbeat_every
        self._opened: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._round = round_messages
        self._pending: deque[Message] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._measuring = False

    # --- the reader's side -------------------------------------------------------------------------------

    def open(
        self,
        topic: str,
        epoch: str,
        nexts: Mapping[int, int],
        *,
        floors: Mapping[int, int] | None = None,
        past: Iterable[Message] = (),
    ) -> None:
        """Begin a topic, or go on with it: `nexts` is the next offset to come, by partition.

        `past` holds what memory is to know already, all of it from `floors` on. A topic made again (another epoch),
        or one whose log went on without us, begins again, and every client that listens to it is told the gap.
        """
        while self._pending:
            self._flush()
        rings = self._rings.setdefault(topic, {})
        anew = self.epochs.get(topic, epoch) != epoch
        lost: list[Gap] = []
        for partition, begin in nexts.items():
            known = rings.get(partition)
            if known is not None and known.next == begin and not anew:
                continue
            rings[partition] = Ring((floors or nexts)[partition], messages=self._ring_messages)
            if known is not None:
                lost.append(_lost(topic, partition, known.next, begin, anew))
        for message in past:
            rings[message.partition].append(message)
        for partition, begin in nexts.items():
            rings[partition].pass_over(begin)
        self.epochs[topic] = epoch
        self._opened[topic].set()
        if lost:
            self.breaks[topic] += 1
            self._tell_lost(topic, lost)

    def publish(self, messages: Iterable[Message]) -> None:
        """Take new messages, in order within a partition."""
        self._pending.extend(messages)
        if self._timer is None and self._pending and not self._measuring:
            wait = self._not_before - time.monotonic()
            if wait <= 0:
                self._flush()
            else:
                self._flush_after(wait)

    # --- the clients' side -------------------------------------------------------------------------------

    def greet(self, client: Client) -> None:
        """Tell a client where its topic stands."""
        topic = client.subscription.topic
        client.epoch = self.epochs.get(topic, "")
        client.tell(hello(topic, client.epoch, self.next_offsets(topic), self.source))

    def admit(self, client: Client) -> None:
        """Count a client in: it gets heartbeats from now on, and messages once it joins."""
        self._everyone.add(client)

    def join(self, client: Client, offsets: Mapping[int, int] | None = None) -> bool:
        """Give a client what memory holds from `offsets` on, and all that comes after: no hole and no double.

        Answers False, and does nothing, if memory does not reach back that far or the client's queue has not the
        room. Partitions not named begin with what comes next.
        """
        rings = self.rings(client.subscription.topic)
        owed: list[Message] = []
        for partition, offset in (offsets or {}).items():
            if offset < rings[partition].floor:
                return False
            owed += [message for message in rings[partition].since(offset) if client.subscription.wants(message)]
        if len(client) + len(owed) > client.limit:
            return False
        client.epoch = self.epochs.get(client.subscription.topic, "")
        for partition, offset in (offsets or {}).items():
            if offset > rings[partition].next:
                client.skip_until(partition, offset)
        if owed:
            client.offer(owed)
        self.clients[client.subscription].add(client)
        return True

    def leave(self, client: Client) -> None:
        """Forget a client."""
        self._everyone.discard(client)
        group = self.clients.get(client.subscription)
        if group is not None:
            group.discard(client)
            if not group:
                del self.clients[client.subscription]

    async def opened(self, topic: str) -> None:
        """Wait until the topic's positions are known."""
        await self._opened[topic].wait()

    def rings(self, topic: str) -> dict[int, Ring]:
        """Give the topic's rings by partition; none before it is opened."""
        return self._rings.get(topic, {})

    def next_offsets(self, topic: str) -> dict[int, int]:
        """Give the next offset of each partition that clients have not been handed yet."""
        return {partition: ring.next for partition, ring in self.rings(topic).items()}

    # --- housekeeping ------------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Send heartbeats and look for stalled clients, until cancelled."""
        while True:
            text = heartbeat(datetime.now(UTC), self.source)
            for client in list(self._everyone):
                client.beat(text)
            for _ in range(5):
                await asyncio.sleep(self._heartbeat_every / 5)
                for client in list(self._everyone):
                    client.check()

    def everyone(self) -> list[Client]:
        """Give every client that is connected."""
        return list(self._everyone)

    @property
    def idle(self) -> bool:
        """Tell whether all that was published has gone out to the queues."""
        return not self._pending

    @property
    def size(self) -> int:
        """Tell how many clients are connected."""
        return len(self._everyone)

    @property
    def queued(self) -> int:
        """Tell how many messages wait in all queues."""
        return sum(len(client) for client in self._everyone)

    @property
    def deepest(self) -> int:
        """Tell the length of the longest queue."""
        return max((len(client) for client in self._everyone), default=0)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        begun = time.monotonic()  # not the loop's, which stands still within a turn
        pending = [self._pending.popleft() for _ in range(min(self._round, len(self._pending)))]
        # What memory has passed already (a reader that began again a little earlier) is nobody's twice.
        news = [message for message in pending if self._rings[message.topic][message.partition].append(message)]
        for subscription, group in self.clients.items():
            wanted = [message for message in news if subscription.wants(message)]
            if wanted:
                for client in group:
                    client.offer(wanted)
        self.on_taken(len(pending))
        self._measuring = True
        asyncio.get_running_loop().call_soon(self._measure, begun)  # after what was written and whom it woke

    def _measure(self, begun: float) -> None:
        self._measuring = False
        now = time.monotonic()
        wait = min((now - begun) * GATHERING, LONGEST_GATHERING)
        self._not_before = now + wait
        if self._pending:
            self._flush_after(wait)

    def _flush_after(self, wait: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait, self._flush)

    def _tell_lost(self, topic: str, lost: Iterable[Gap]) -> None:
        for subscription, group in self.clients.items():
            if subscription.topic == topic:
                for client in group:
                    self.greet(client)
                    for missing in lost:
                        client.skip_until(missing.partition, 0)
                        client.miss(missing)


def _lost(topic: str, partition: int, expected: int, begin: int, anew: bool) -> Gap:
    if anew:  # offsets of the old topic mean nothing in the new one
        return Gap(topic, partition, 0, begin - 1, "epoch")
    return Gap(topic, partition, min(expected, begin), max(expected, begin) - 1, "lost")
