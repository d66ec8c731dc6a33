"""JSON Web Tokens of an identity provider: verified by the keys that it publishes (JWKS)."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.access.scopes import SCOPES, Caller
from gateway.problems import Problem

log = structlog.get_logger()

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
KEYS_SECONDS = 600.0  # seconds that keys are used before they are asked for again
RETRY_KEYS_SECONDS = 30.0  # seconds between two askings because of a key that nobody knows
MOST_OF_SUBJECT = 255  # characters, as OpenID Connect has it
LEEWAY = 30.0  # seconds that two clocks may differ


class ForeignToken(Exception):
    """A token is not to be trusted; the text says why, for the caller."""


class Jwts:
    """Verify tokens of one issuer for one audience; the keys are fetched when they are needed.

    Args:
        url: where the provider publishes its keys (JWKS).
        levels: of sign-in (`acr`), one of which a token must have; empty: any.
        rsa_bits: what the provider's RSA keys must have at least.
    """

    def __init__(self, url: str, *, issuer: str, audience: str, levels: Sequence[str], rsa_bits: int) -> None:
        self._url = url
        self._issuer = issuer
        self._audience = audience
        self._levels = levels
        self._rsa_bits = rsa_bits
        self._http = httpx.AsyncClient(timeout=5.0)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asking: asyncio.Task[None] | None = None
        self._due = -1.0  # when keys are asked for again, and when because of one that nobody knows
        self._again = -1.0
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        if self._asking:
            self._asking.cancel()
        await self._http.aclose()

    async def caller(self, token: str, address: str) -> Caller:
        """Return whom a token names; raises ForeignToken, and the problem 503 while no keys can be had."""
        try:
            head = jwt.get_unverified_header(token)
            if str(head.get("typ", "JWT")).lower().removeprefix("application/") not in ("jwt", "at+jwt"):
                raise ForeignToken("its type is not that of an access token")
            key = await self._key(str(head.get("kid", "")))
            if isinstance(key.key, RSAPublicKey) and key.key.key_size < self._rsa_bits:
                raise ForeignToken(
                    f"the provider's key has {key.key.key_size} bits, and {self._rsa_bits} are asked for"
                )
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
            until, scopes = float(claims["exp"]), _scopes(claims)
        except jwt.PyJWTError as error:
            raise ForeignToken(str(error)) from error
        except (ValueError, TypeError, OverflowError) as error:  # of claims that PyJWT takes for granted
            raise ForeignToken("its claims are not as RFC 7519 has them") from error
        if len(claims["sub"]) > MOST_OF_SUBJECT:  # cut, it could be another's
            raise ForeignToken(f"its subject is over {MOST_OF_SUBJECT} characters")
        if self._levels and claims.get("acr") not in self._levels:
            raise ForeignToken("its subject did not sign in as strongly as is asked for (acr)")
        return Caller(claims["sub"], address, scopes & SCOPES, "jwt", until)

    async def _key(self, kid: str) -> jwt.PyJWK:
        """Return a key. One that is known is at hand, whatever the provider does; it is asked meanwhile if need be."""
        known = self._keys.get(kid)
        if known is None:
            await self._refreshed(lambda now: now >= self._again)
        elif time.monotonic() >= self._due and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._refreshed(lambda now: now >= self._due))
        if found := known or self._keys.get(kid):
            return found
        raise ForeignToken(f"no key {kid[:64]!r} is published for it")

    async def _refreshed(self, wanted: Callable[[float], bool]) -> None:
        async with self._lock:
            now = time.monotonic()
            if wanted(now):
                await self._fetch(now)

    async def _fetch(self, now: float) -> None:
        self._again = self._due = now + RETRY_KEYS_SECONDS
        try:
            answer = (await self._http.get(self._url)).raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (httpx.HTTPError, ValueError, jwt.PyJWTError, AttributeError) as error:
            log.warning("the identity provider's keys cannot be had", url=self._url, error=f"{type(error).__name__}")
            if not self._keys:
                self._again = now + 1.0
                detail = "The identity provider's keys cannot be had now."
                raise Problem(503, "identity-away", detail, retry_after=5) from error
            return  # those that are known stay good
        self._keys = {str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")}
        self._due = now + KEYS_SECONDS


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Return the scopes of a token: `scope` separated by spaces (RFC 8693), or a list `scp`."""
    given = claims.get("scope", claims.get("scp", ""))
    if isinstance(given, str):
        return frozenset(given.split())
    return frozenset(each for each in given if isinstance(each, str)) if isinstance(given, list) else frozenset()
