"""A proxy for the way out is none for the way to ourselves."""

import os
from collections.abc import MutableMapping

_OURS = ("127.0.0.1", "localhost", "::1")


def go_direct(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let this process, and what it starts, reach this machine's own servers without the proxy of HTTP_PROXY."""
    told = (environment.get(name, "").split(",") for name in ("no_proxy", "NO_PROXY"))
    names = dict.fromkeys(name.strip() for names in told for name in names if name.strip())
    direct = ",".join(dict.fromkeys((*names, *_OURS)))
    environment["no_proxy"] = environment["NO_PROXY"] = direct
