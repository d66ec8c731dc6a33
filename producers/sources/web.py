"""Ask a vendor over HTTP: within the budget, again after failures that pass, never showing a key."""

import json
import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote, quote_plus

import httpx
import structlog
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from contracts.files.numbers import CUT, excerpt
from producers.metrics import VENDOR_ERRORS, VENDOR_SECONDS
from producers.sources.base import VendorDown, VendorRefused, WrongSetting
from producers.sources.budget import Budget

PATIENCE = 10.0  # seconds that one fetch may wait in place; longer waits are the poller's
LIMITED_FOR = 60.0  # seconds to leave alone a vendor that says our limit is reached, and not for how long
_KEY = re.compile(r"api[ _-]?key|access[ _-]?token", re.IGNORECASE)
_ABOUT_ELSE = re.compile(r"limit|requests? per|per (second|minute|day)|frequency|plan|upgrade|entitle", re.IGNORECASE)
_TELLING = 4  # so many characters of a key tell something
_AGENT = "Mozilla/5.0 (compatible; foretick)"  # Yahoo answers 429 to clients that name no agent

ReadType = TypeVar("ReadType")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class VendorAnswer:
    """An HTTP answer to be judged by its content."""

    status: int
    text: str


class Web:
    """An HTTP client for one vendor.

    Args:
        secrets: texts that must never appear in an error, such as the key that a vendor echoes.
        sleep: waits; an event's `wait` makes a waiting fetch end when the service stops.
        now: seconds from any zero.
    """

    def __init__(
        self,
        vendor: str,
        *,
        budget: Budget | None = None,
        secrets: Sequence[SecretStr] = (),
        attempts: int = 3,
        first_wait: float = 0.5,
        timeout: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._rest: tuple[float, str] = (now(), "")  # until when the vendor is left alone, and why
        self._vendor = vendor
        self._budget = budget or Budget()
        self._secrets = secrets
        self._attempts = attempts
        self._wait = wait_random_exponential(multiplier=first_wait, max=PATIENCE)
        self._sleep = sleep
        self._client = httpx.Client(timeout=timeout, transport=transport, headers={"user-agent": _AGENT})

    def ask(
        self,
        url: str,
        read: Callable[[VendorAnswer], ReadType],
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ReadType:
        """Return what `read` makes of the answer, asking again while it raises VendorDown.

        A vendor that wants to be left alone for longer than `PATIENCE` is not asked meanwhile, whatever for.

        Raises:
            VendorDown: the last attempt's failure.
            VendorRefused: at once.
        """
        for attempt in Retrying(
            retry=retry_if_exception(_passes_soon),
            stop=stop_after_attempt(self._attempts),
            wait=self._how_long,
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                try:
                    return read(self._once(url, params, headers))
                except (VendorDown, VendorRefused) as error:
                    VENDOR_ERRORS.labels(self._vendor, type(error).__name__).inc()
                    error.args = (self._redact(str(error)),)
                    self._note_rest(error)
                    raise
                except Exception as error:  # an answer no reader foresaw: reported like any nonsense, and in full
                    VENDOR_ERRORS.labels(self._vendor, "Unforeseen").inc()
                    log.error("the answer broke the adapter", traceback=self._redact(traceback.format_exc()))
                    what = self._redact(f"{type(error).__name__}: {error}")
                    raise VendorDown(f"{self._vendor}'s answer cannot be read: {what}") from None
        raise AssertionError("unreachable: the last attempt raises")

    def _once(
        self, url: str, params: Mapping[str, str | int] | None, headers: Mapping[str, str] | None
    ) -> VendorAnswer:
        self._keep_rest()
        self._spend()
        try:
            with VENDOR_SECONDS.labels(self._vendor).time():
                response = self._client.get(httpx.URL(url).copy_merge_params(params or {}), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise VendorDown(f"{self._vendor} cannot be reached: {type(error).__name__}: {error}") from error
        if response.status_code == 429 or response.status_code >= 500 or response.is_redirect:
            asked = _retry_after(response.headers.get("retry-after"))
            if asked is None and response.status_code == 429:
                asked = LIMITED_FOR
            raise VendorDown(f"{self._vendor} answered {response.status_code}: {excerpt(response.text)}", asked)
        return VendorAnswer(response.status_code, response.text)

    def _note_rest(self, error: VendorDown | VendorRefused) -> None:
        """Take note of how long the vendor wants to be left alone."""
        if isinstance(error, VendorDown) and (error.retry_after or 0.0) > PATIENCE and not isinstance(error, _Resting):
            self._rest = (self._now() + (error.retry_after or 0.0), str(error))

    def _keep_rest(self) -> None:
        until, why = self._rest
        if (wait := until - self._now()) > 0:
            raise _Resting(f"{why} ({self._vendor} is asked again in {wait:.0f} s)", wait)

    def _spend(self) -> None:
        while wait := self._budget.take():
            if wait > PATIENCE:
                raise VendorDown(f"our budget for {self._vendor} is spent; {wait:.0f} s until the next request", wait)
            self._sleep(wait)

    def _how_long(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, VendorDown) else None
        return max(asked or 0.0, self._wait(state))

    def _redact(self, text: str) -> str:
        return redacted(text, [secret.get_secret_value() for secret in self._secrets])


class _Resting(VendorDown):
    """The vendor is not asked, since it wants to be left alone."""


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return a message without the secrets: not as they are, not as addresses or JSON write them, not cut short.

    Whoever wrote the message may have cut it (`excerpt`): what is left of a key before the cut goes, too.
    """
    forms = {
        form
        for secret in secrets
        if secret
        for form in (secret, quote(secret), quote(secret, ""), quote_plus(secret), json.dumps(secret)[1:-1])
    }
    for form in sorted(forms, key=len, reverse=True):
        text = re.sub(re.escape(form), "***", text, flags=re.IGNORECASE)
        for length in range(len(form) - 1, _TELLING - 1, -1):
            text = text.replace(form[:length] + CUT, "***" + CUT)
    return text


def refuse_client_error(answer: VendorAnswer, setting: str) -> None:
    """Raise VendorRefused for an HTTP status from 400 on: what is worth a retry was sorted out before.

    Args:
        setting: what is to be mended where the answer blames the key.
    """
    if answer.status < 400:
        return
    told = f"HTTP {answer.status}: {excerpt(answer.text)}"
    if answer.status == 401 or blames_key(answer.text):
        raise WrongSetting(f"{told} (is {setting} right?)")
    raise VendorRefused(told)


def blames_key(text: str) -> bool:
    """Tell whether a vendor's words are about a key that is wrong or missing, not about what a right one may do."""
    return bool(_KEY.search(text)) and not _ABOUT_ELSE.search(text)


def _passes_soon(error: BaseException) -> bool:
    return isinstance(error, VendorDown) and (error.retry_after or 0.0) <= PATIENCE


def _retry_after(header: str | None) -> float | None:
    """Read a Retry-After header, in seconds or as a date (RFC 9110, section 10.2.3)."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
