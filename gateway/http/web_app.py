"""The built web app at `/`: hashed files are for ever, the page itself is asked for each time."""

import re
from pathlib import Path
from secrets import token_urlsafe

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from gateway.access.scopes import OWN_PATHS
from gateway.threads import in_thread
from streaming.policies import by_nonce, csp

FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
# Angular's build writes `main-5X2ABCDE.js`, `media/font-ABCDEFGH.woff2`.
# What the page's root element carries as `ngCspNonce`: the nonce of each answer takes its place.
NONCE = "CSP_NONCE"
_HASHED = re.compile(r"[-.][0-9A-Za-z_]{8,}\.(js|css|woff2?|svg|png|jpe?g|webp|avif|ico|map|json|wasm)$")

NOT_BUILT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Foretick</title></head>
<body><main><h1>Foretick's gateway runs; its web app is not built</h1>
<p>The folder it is served from holds no <code>index.html</code>. <code>make run</code> builds it, and so does
<code>npm run build</code> in <code>web/</code>; FORETICK_WEB names another folder. This page needs no restart.</p>
<p>Meanwhile: <a href="/docs">the API</a>, <a href="/api/symbols">the symbols</a>,
<a href="/health/ready">what is ready</a>.</p></main></body></html>"""


class WebApp(StaticFiles):
    """Serves files, and the page itself for every address that the app routes on its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; a socket is refused."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before accept: a plain 403
            return
        await super().__call__(scope, receive, send)

    async def check_config(self) -> None:
        """Accept a folder that is not there yet: it may be built while we run."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or the app's page, or what to do where there is none."""
        try:
            if path in (".", "index.html"):
                return await self._page(scope)
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or not is_page(path):
                raise
            return await self._page(scope)
        response.headers["Cache-Control"] = FOR_EVER if _HASHED.search(path) else REVALIDATE
        return response

    async def _page(self, scope: Scope) -> Response:
        """Return the page with a nonce of its own: Angular puts its components' styles into <style> elements."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        found, _ = await in_thread(lambda: self.lookup_path("index.html"))
        text = await in_thread(Path(found).read_text) if found else NOT_BUILT
        nonce = token_urlsafe(16)
        headers = {"Cache-Control": REVALIDATE, "Content-Security-Policy": csp(by_nonce(nonce))}
        return HTMLResponse(text.replace(NONCE, nonce), headers=headers)


def is_page(path: str) -> bool:
    first = path.split("/", 1)[0]
    return path == "." or (first not in OWN_PATHS and "." not in path.rsplit("/", 1)[-1])
