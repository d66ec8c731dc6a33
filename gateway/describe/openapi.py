"""`/docs` and `/openapi.json`: one page without any script, so it needs neither a network nor a looser policy."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gateway.access.scopes import needed_scope
from gateway.describe.socket_messages import webhooks
from gateway.problems import problems
from streaming.policies import by_hash, csp

DESCRIPTION = """\
Lists answer `{"items": [...], "next": cursor or null, "position": {topic: {partition: next offset}}}`; the position is
also in the header `X-Stream-Position`. Field names are the events' own, times RFC 3339 in UTC. Errors are problem
details (RFC 9457).

WebSockets: `/live?symbols=AAPL,IBM&interval=P1D` sends bars, `/forecast?symbols=&roles=CHAMPION,SHADOW` forecasts. A
frame is one message or an array of them: `{"type": "bar" or "forecast", "topic", "partition", "offset", "epoch",
"data"}`, after a `hello` with the positions, and with a `heartbeat` every 2 s. A client that comes back sends
`{"type": "resume", "positions": {topic: {partition: last offset seen}}, "epochs": {topic: epoch}}` first and gets
everything since, or `{"type": "gap", "topic", "partition", "from", "to"}` for what it must fetch again. Slow clients
get the newest of each symbol, told as a gap, and are then closed with 3008. On `/forecast`,
`{"id": "x", "symbol": "AAPL", "horizon": 5}` or `{"id": "x", "history": [...], "horizon": 5}` is answered by
`{"type": "prediction", "id": "x", "data"}` or `{"type": "error", "id": "x", "error"}`. There and in `POST /predict`,
`"model": "arima"` asks another model than the champion: an alias, a family or a version that serves.
"""

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f2f4f7;border-radius:4px}code{padding:1px 4px}
pre{padding:.75rem;overflow:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #d5dae1}section{margin:2.5rem 0}
@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14171b}code,pre{background:#22272e}
th,td{border-color:#3a414a}a{color:#8cb8ff}}
"""


def install_docs(app: FastAPI, *schemas: type[BaseModel]) -> None:
    """Add the two addresses; `schemas` are described though no route returns them by itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
            )
            components = made.setdefault("components", {}).setdefault("schemas", {})
            for schema in schemas:
                own = schema.model_json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
                components.update(own.pop("$defs", {}))
                components[schema.__name__] = own
            made["webhooks"] = webhooks()
            _answer_with_problems(made)
            _ask_for_tokens(made)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        """Show what there is."""
        return HTMLResponse(docs_page(openapi()), headers={"Content-Security-Policy": csp(by_hash(_STYLE))})


def _answer_with_problems(spec: dict[str, Any]) -> None:
    """Say that invalid requests are answered with problem details: FastAPI assumes its own form."""
    for operations in spec["paths"].values():
        for operation in operations.values():
            response = operation["responses"].get("422")
            if response and "application/json" in response.get("content", {}):
                reference = {"$ref": "#/components/schemas/ProblemDetails"}
                response["content"] = {"application/problem+json": {"schema": reference}}
    for name in ("HTTPValidationError", "ValidationError"):
        spec["components"]["schemas"].pop(name, None)


def _ask_for_tokens(spec: dict[str, Any]) -> None:
    """Say which scope each route needs where the gateway asks for tokens."""
    spec["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token or a JWT, where the gateway asks for one: not on loopback unless tokens are set.",
        }
    }
    for path, operations in spec["paths"].items():
        scope = needed_scope(path)
        for operation in operations.values():
            operation["security"] = [{"token": [scope]}, {}] if scope else [{}]
            if scope:
                operation["responses"] |= {str(status): answer for status, answer in problems(429).items()}


def docs_page(spec: Mapping[str, Any]) -> str:
    """Write an OpenAPI description as a page."""
    body = "".join(_operations(spec))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(spec["info"]["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(spec['info']['title'])} API</h1><p>{escape(spec['info'].get('summary', ''))} "
        f'For tools: <a href="/openapi.json">openapi.json</a>, and of topics and sockets '
        f'<a href="/asyncapi.json">asyncapi.json</a>.</p>{_prose(spec["info"]["description"])}{body}'
        "</main></body></html>"
    )


def _operations(spec: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            yield f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
            yield _prose(operation.get("description", ""))
            if parameters := operation.get("parameters"):
                rows = [(item["name"], _kind(item["schema"]), item.get("description", "")) for item in parameters]
                yield _table(("Parameter", "Type", ""), rows)
            if content := operation.get("requestBody", {}).get("content", {}).get("application/json"):
                schema = _resolve(spec, content["schema"])
                yield "".join(f"<pre>{escape(json.dumps(each, indent=2))}</pre>" for each in schema.get("examples", []))
            success = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
            fields = _resolve(spec, success.get("schema", {})).get("properties", {})
            if fields:
                rows = [(name, _kind(field), _about(field)) for name, field in fields.items()]
                yield _table(("Answer", "Type", ""), rows)
            yield f"<p>Answers {', '.join(operation['responses'])}.</p></section>"


def _resolve(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        found: Mapping[str, Any] = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return found
    return schema


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    kind = str(schema.get("format") or schema.get("type") or "any")
    default = schema.get("default")
    return kind if default in (None, "") else f"{kind}, default {default}"


def _about(field: Mapping[str, Any]) -> str:
    example = f" For example {json.dumps(field['examples'][0])}." if field.get("examples") else ""
    return f"{field.get('description', '')}{example}".strip()


def _table(head: tuple[str, ...], rows: list[tuple[str, str, str]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>"


def _prose(text: str) -> str:
    paragraphs = [part for part in text.strip().split("\n\n") if part]
    return "".join(f"<p>{_code(escape(part))}</p>" for part in paragraphs)


def _code(text: str) -> str:
    parts = text.split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
