"""Ask the stack's own services over HTTP."""

import json
from functools import cache
from typing import Any

import httpx

from streaming.errors import ServerAway


class ServiceAway(ServerAway):
    """A service does not answer as it should; the text says which and how.

    Attributes:
        status: its HTTP status, if it answered.
        content: what it answered.
    """

    def __init__(self, text: str, status: int | None = None, content: bytes = b"") -> None:
        super().__init__(text)
        self.status = status
        self.content = content


def get(url: str, method: str = "GET", body: object = None, timeout: float = 10.0, token: str = "") -> httpx.Response:
    """Return a service's answer to a request.

    Raises:
        ServiceAway: there is none, or it is a refusal.
    """
    headers = {"X-Foretick-Command": "yes"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = _client().request(method, url, json=body, headers=headers, timeout=timeout)
    except httpx.HTTPError as error:
        raise ServiceAway(f"{url} does not answer: {error or type(error).__name__}") from error
    if not answer.is_success:
        said = " ".join(answer.text.split())[:200]
        raise ServiceAway(f"{url} answers {answer.status_code} {said}".strip(), answer.status_code, answer.content)
    return answer


def get_json(url: str, method: str = "GET", body: object = None, timeout: float = 10.0, token: str = "") -> Any:
    """Return the JSON that a request is answered with.

    Raises:
        ServiceAway: there is no answer, or none of JSON.
    """
    answer = get(url, method, body, timeout, token)
    try:
        return answer.json()
    except ValueError as error:
        raise ServiceAway(f"{url} answers no JSON: {error}", answer.status_code, answer.content) from error


def status_of(url: str) -> dict[str, Any] | None:
    """Return what a service tells of itself, or None while it does not answer."""
    try:
        answer: dict[str, Any] = get_json(url, timeout=3.0)
    except ServiceAway:
        return None
    return answer


def waiting_reasons(url: str) -> list[str]:
    """Return why a service is not ready, as its /health/ready says; empty when it is."""
    try:
        get_json(url)
    except ServiceAway as away:
        try:
            return [str(reason) for reason in json.loads(away.content)["reasons"]]
        except (ValueError, KeyError, TypeError):
            return [str(away)]
    return []


@cache
def _client() -> httpx.Client:
    """Return the one client: its services are on this machine, so no proxy is asked for."""
    return httpx.Client(trust_env=False)
