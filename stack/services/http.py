"""Ask the stack's own services over HTTP."""

import json
import urllib.error
import urllib.request
from typing import Any


def get_json(url: str, method: str = "GET", body: object = None, timeout: float = 10.0) -> Any:
    """Return the JSON that a request is answered with. Raises OSError (HTTPError for a refusal), ValueError."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Foretick-Command": "yes"}
    request = urllib.request.Request(url, method=method, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.load(response)


def status_of(url: str) -> dict[str, Any] | None:
    """Return what a service tells of itself, or None while it does not answer."""
    try:
        answer: dict[str, Any] = get_json(url, timeout=3.0)
    except (OSError, ValueError):
        return None
    return answer


def waiting_reasons(url: str) -> list[str]:
    """Return why a service is not ready, as its /health/ready says; empty when it is."""
    try:
        get_json(url)
    except urllib.error.HTTPError as refusal:
        try:
            return [str(reason) for reason in json.load(refusal)["reasons"]]
        except (ValueError, KeyError, TypeError):
            return [f"{url} answers {refusal.code}"]
    except (OSError, ValueError) as failure:
        return [f"{url}: {failure}"]
    return []
