"""What every server that is away has in common."""


class ServerAway(Exception):
    """A server does not answer, or cannot do now what was asked; the text says which one, and where it should be."""
