"""Errors as problem details (RFC 9457): what was wrong, where, and what to do; never a stack trace."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_URN = "urn:foretick:problem:"
BREACHES = frozenset({403, 413, 429})  # of a permission or a limit: these are logged


class Problem(HTTPException):
    """An error that the caller is told about."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.kind = kind
        self.errors = errors
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """Return the problem as RFC 9457 has it, `errors` naming each fault and where it is."""
        body: dict[str, Any] = {
            "type": _URN + self.kind,
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        return body

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return the problem as a response."""
        headers = {"Cache-Control": "no-store", **(headers or {})}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return Response(orjson.dumps(self.body(), default=str), self.status, headers=headers, media_type=MEDIA_TYPE)


def away(server: str, detail: str, retry_after: int = 2) -> Problem:
    """Return the problem of a server that does not answer now."""
    return Problem(503, f"{server.lower()}-away", detail, retry_after=retry_after)


def invalid(error: RequestValidationError | ValidationError) -> Problem:
    """Turn what pydantic found into a problem; what the caller sent is not repeated to them."""
    errors = [
        {"where": _where(each["loc"]), "what": str(each["msg"]).removeprefix("Value error, ")}
        for each in error.errors()[:20]
    ]
    detail = "; ".join(": ".join(filter(None, (each["where"], each["what"]))) for each in errors[:3])
    if len(error.errors()) > 3:
        detail += f"; and {len(error.errors()) - 3} more"
    return Problem(422, "invalid-request", detail, errors=errors)


def of_status(status: int, detail: str) -> Problem:
    """Return the problem of a plain HTTP error."""
    phrase = HTTPStatus(status).phrase
    kind = phrase.lower().replace(" ", "-")
    return Problem(status, kind, detail if detail != phrase else _ADVICE.get(status, phrase))


_ADVICE = {
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address does not take that method; /docs lists what there is.",
}


def _where(loc: Sequence[Any]) -> str:
    return ".".join(str(part) for part in loc)


def install_problem_handlers(app: FastAPI) -> None:
    """Make the app answer every error with problem details."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        if error.status in BREACHES:
            request.state.refused = error.kind
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return invalid(error).response()

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return of_status(error.status_code, str(error.detail)).response(error.headers)


class FaultItem(BaseModel):
    """One fault."""

    where: str = Field(examples=["history.3.y"])
    what: str = Field(examples=["-1.0 is not a positive price"])


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:foretick:problem:invalid-history"])
    title: str = Field(examples=["Invalid history"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["history.3.y: -1.0 is not a positive price"])
    errors: list[FaultItem] | None = None
    retry_after: int | None = Field(None, description="Seconds after which to ask again.")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors that a route may answer, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    text = {
        304: "What the caller holds is still right.",
        400: "The body is no text that can be read.",
        401: "A token is needed, or the one shown is not taken.",
        403: "The token lacks the scope, or the page's origin is not allowed.",
        404: "Not found.",
        413: "The body is too large.",
        422: "The request is at fault.",
        429: "Too many requests; ask again after `Retry-After`.",
        503: "Something needed is away; ask again after `Retry-After`.",
    }
    return {
        status: {"description": text[status]} | ({"content": {MEDIA_TYPE: {"schema": schema}}} if status >= 400 else {})
        for status in statuses
    }
