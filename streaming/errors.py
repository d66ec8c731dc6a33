"""Servers that are away: one family, so that whoever waits for a server catches one error."""


class ServerAway(Exception):
    """A server does not answer, or cannot do now what was asked; the text says which one, and where it should be."""


class KafkaAway(ServerAway):
    """No broker answers."""


class RegistryAway(ServerAway):
    """The schema registry does not answer."""


class ClockAway(ServerAway):
    """The replay exchange, whose clock is the time here, has not answered once."""


class StoreAway(ServerAway):
    """A server that a sink keeps its state in is away: the batch is tried again, nothing is skipped."""


class TooSlow(StoreAway):
    """A server did not answer in time; perhaps it does for a smaller batch."""
