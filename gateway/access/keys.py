"""Who calls, by what they show; and whether who was let in may stay."""

import time
from dataclasses import replace

from gateway.access.jwts import ForeignToken, Jwts
from gateway.access.scopes import Caller, Credential
from gateway.access.sessions import Sessions
from gateway.access.tickets import Tickets
from gateway.access.tokens import Grant, Register
from gateway.problems import Problem


class Keys:
    """Know the callers by what they show; without tokens and identity provider everybody may do everything."""

    def __init__(self, register: Register, sessions: Sessions, jwts: Jwts | None) -> None:
        self.tickets = Tickets()
        self.sessions = sessions
        self._register = register
        self._jwts = jwts
        self.required = bool(self._register.grants.tokens or self._jwts)

    async def close(self) -> None:
        """Close the connections."""
        if self._jwts:
            await self._jwts.close()

    async def caller(self, credential: Credential | None, address: str) -> Caller | None:
        """Return who calls, None if nothing was shown; raises the problem 401, or 503 while keys cannot be had."""
        if not self.required:
            return Caller(address, address)
        if credential is None:
            return None
        found = await self._named(credential, address)
        if fault := self.fault(found):
            raise _unknown(f"{fault[0].upper()}{fault[1:]}; show another, or sign in again at /sign-in.")
        return replace(found, address=address)

    def fault(self, caller: Caller) -> str:
        """Say why a caller who was let in may not stay; empty: they may."""
        grants = self._register.grants
        if caller.session and not self.sessions.lives(caller.session):
            return "the session has ended"
        if caller.until is not None and time.time() >= caller.until:
            return "the token has ended"
        if caller.kind == "token" and _of(grants.tokens.get(caller.grant)) != _of(caller):
            return "the token was taken back or changed"
        if caller.kind == "jwt" and caller.name in grants.denied:
            return "its subject is denied here"
        return ""

    async def _named(self, credential: Credential, address: str) -> Caller:
        if credential.ticket:
            if owner := self.tickets.take(credential.ticket):
                return owner
            raise _unknown("The ticket is unknown, used or too old: ask for another at POST /api/ticket.")
        if credential.session:
            if person := self.sessions.use(credential.session):
                return person
            raise _unknown("The session has ended: sign in again at /sign-in.")
        if known := self._register.grants.of(credential.token):
            name, grant = known
            return Caller(grant.name, address, grant.scopes, "token", grant.until, grant=name)
        if self._jwts is None or credential.token.count(".") != 2:
            raise _unknown("The token is not known here.")
        try:
            return await self._jwts.caller(credential.token, address)
        except ForeignToken as error:
            raise _unknown(f"The token is not taken: {error}.") from error


def _of(holder: Grant | Caller | None) -> tuple[object, ...]:
    return (holder.name, holder.scopes, holder.until) if holder else ()


def _unknown(detail: str) -> Problem:
    return Problem(401, "token-unknown", detail)
