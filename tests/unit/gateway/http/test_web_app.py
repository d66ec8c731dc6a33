"""The built web app: what is cached for how long, what every address of the app shows, and what is not there."""

from pathlib import Path

import pytest

from gateway.http.web_app import FOR_EVER, REVALIDATE
from tests.support.event_streams import run
from tests.support.gateways import gateway


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<app-root></app-root>")
    (tmp_path / "main-5X2ABCDE.js").write_text("export {};" * 500)
    (tmp_path / "favicon.ico").write_bytes(b"ico")
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "inter-ABCDEF12.woff2").write_bytes(b"font")
    (tmp_path.parent / "secret.txt").write_text("secret")
    return tmp_path


def test_web_file_with_a_hash_is_kept_for_ever_and_compressed(built: Path) -> None:
    async def check() -> None:
        async with gateway(web=built) as running:
            script = await running.http.get("/main-5X2ABCDE.js")
            assert script.headers["Cache-Control"] == FOR_EVER
            assert script.headers["Content-Encoding"] == "gzip"
            assert "javascript" in script.headers["Content-Type"]
            font = await running.http.get("/media/inter-ABCDEF12.woff2")
            assert font.headers["Cache-Control"] == FOR_EVER

    run(check())


@pytest.mark.parametrize("path", ["/", "/index.html", "/market"])
def test_web_page_has_a_nonce_of_its_own_each_time(built: Path, path: str) -> None:
    async def check() -> None:
        (built / "index.html").write_text('<app-root ngCspNonce="CSP_NONCE"></app-root>')
        async with gateway(web=built) as running:
            nonces = set()
            for _ in range(2):
                answer = await running.http.get(path)
                assert answer.headers["Cache-Control"] == REVALIDATE
                nonce = answer.text.split('"')[1]
                assert f"style-src 'self' 'nonce-{nonce}';" in answer.headers["Content-Security-Policy"]
                nonces.add(nonce)
            assert len(nonces) == 2
            assert (await running.http.post(path)).status_code == 405

    run(check())


def test_web_file_without_a_hash_is_asked_for_each_time(built: Path) -> None:
    async def check() -> None:
        async with gateway(web=built) as running:
            answer = await running.http.get("/favicon.ico")
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == REVALIDATE
            again = await running.http.get("/favicon.ico", headers={"If-None-Match": answer.headers["ETag"]})
            assert again.status_code == 304

    run(check())


@pytest.mark.parametrize("path", ["/symbol/AAPL", "/leaderboard", "/about/", "/predictions", "/a/b/c"])
def test_web_address_of_the_apps_own_shows_the_app(built: Path, path: str) -> None:
    async def check() -> None:
        async with gateway(web=built) as running:
            answer = await running.http.get(path)
            assert answer.status_code == 200
            assert answer.text == "<app-root></app-root>"
            assert answer.headers["Cache-Control"] == REVALIDATE

    run(check())


@pytest.mark.parametrize(
    "path", ["/main-00000000.js", "/missing.png", "/api/x", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "//etc/passwd.x"]
)
def test_web_file_that_is_not_there_is_not_the_app(built: Path, path: str) -> None:
    async def check() -> None:
        async with gateway(web=built) as running:
            answer = await running.http.get(path)
            assert answer.status_code == 404
            assert "secret" not in answer.text

    run(check())


@pytest.mark.parametrize("path", ["/media", "/media/", "/.git/config"])
def test_web_folder_is_not_listed(built: Path, path: str) -> None:
    async def check() -> None:
        async with gateway(web=built) as running:
            answer = await running.http.get(path)
            assert answer.text == "<app-root></app-root>"  # an address like any other of the app's

    run(check())


def test_web_not_built_says_what_to_do_and_serves_it_once_it_is(tmp_path: Path) -> None:
    async def check() -> None:
        folder = tmp_path / "dist"
        async with gateway(web=folder) as running:
            before = await running.http.get("/")
            assert before.status_code == 200
            assert "make run" in before.text
            folder.mkdir()
            (folder / "index.html").write_text("<app-root></app-root>")
            assert (await running.http.get("/")).text == "<app-root></app-root>"

    run(check())
