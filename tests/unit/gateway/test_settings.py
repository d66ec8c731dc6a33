"""Settings: loopback only, unless callers must show who they are."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.access import tokens
from gateway.settings import GatewaySettings
from tests.support.certificates import certified

LINE = tokens.token_entry("alice", {"read"}, "ftk_secret")
PROVIDER = {"jwks_url": "https://id.example/keys", "jwt_issuer": "https://id.example", "jwt_audience": "foretick"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_settings_with_a_loopback_address_are_taken(host: str) -> None:
    assert GatewaySettings(bind=host).bind == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_settings_with_another_address_are_refused_without_tokens(host: str) -> None:
    for given in ({"bind": host, "private_network": True}, {"gateway_host": host, "trusted_proxies": ["10.0.0.2"]}):
        with pytest.raises(ValidationError, match="foretick token new"):
            GatewaySettings(**given)
        assert GatewaySettings(**given, tokens=[LINE]).address == host
        assert GatewaySettings(**given, **PROVIDER).address == host


def test_settings_with_another_address_are_refused_without_tls_unless_somebody_else_sees_to_it(tmp_path: Path) -> None:
    outside: dict[str, Any] = {"gateway_host": "0.0.0.0", "tokens": [LINE]}
    with pytest.raises(ValidationError, match="FORETICK_TLS_CERTIFICATE"):
        GatewaySettings(**outside)
    assert not GatewaySettings(**outside, private_network=True).tls_only
    assert GatewaySettings(**outside, trusted_proxies=["10.0.0.2"]).tls_only
    assert GatewaySettings(**outside, tls_certificate=certified(tmp_path, "charts.example")).tls_only
    (tmp_path / "none.pem").write_text("no certificate")
    with pytest.raises(ValidationError, match=r"none\.pem"):
        GatewaySettings(**outside, tls_certificate=tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"tokens": ["alice"]}, "token 1 is not name:scopes:hash"),
        ({"tokens": [LINE.replace("read", "write")]}, "the scopes are predict and read"),
        ({"tokens": [LINE.replace("sha256", "md5")]}, "the hashes known here are sha256"),
        ({"tokens_file": "/nowhere/tokens"}, "cannot be read"),
        ({"jwks_url": PROVIDER["jwks_url"]}, "FORETICK_JWT_ISSUER"),
        ({**PROVIDER, "jwks_url": "http://id.example/keys"}, "must be https"),
    ],
)
def test_settings_of_access_at_fault_are_refused_with_what_is_wrong(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        GatewaySettings(**given)


def test_settings_take_tokens_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# who may call\n\n{LINE}\n")
    (grant,) = tokens.Register([], GatewaySettings(tokens_file=file).tokens_file).grants.tokens.values()
    assert (grant.name, grant.scopes) == ("alice", {"read"})


@pytest.mark.parametrize("kind", ["sha256", "sha3_256"])
def test_line_names_the_hash_of_its_token(kind: str) -> None:
    hexadecimal = hashlib.new(kind, b"ftk_secret").hexdigest()
    found = tokens.parse_entry([f"alice:read:{kind}-{hexadecimal}"]).of("ftk_secret")
    assert found
    assert found[1].name == "alice"
    assert bool(tokens.parse_entry([f"alice:read:{hexadecimal}"]).of("ftk_secret")) == (kind == "sha256")
    assert LINE.startswith("alice:read:sha256-")


def test_tokens_module_makes_a_file_once_whose_token_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tokens"
    assert tokens.main([str(file)]) == 0
    token = next(word for word in capsys.readouterr().out.split() if word.startswith(tokens.PREFIX))
    assert token not in file.read_text()
    (_, grant) = tokens.read_grants([], file).of(token) or pytest.fail("it opens nothing")
    assert grant.scopes == {"read", "predict"}
    before = file.read_text()
    assert tokens.main([str(file)]) == 0
    assert file.read_text() == before
    assert tokens.PREFIX not in capsys.readouterr().out


def test_gateway_with_a_remote_address_does_not_start_and_says_why() -> None:
    environment = os.environ | {"FORETICK_GATEWAY_HOST": "0.0.0.0", "FORETICK_GATEWAY_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "gateway.main"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "FORETICK_TOKENS" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_watch_services_on_moved_ports() -> None:
    watched = GatewaySettings(port_offset=100, services={"extra": "http://127.0.0.1:1"}).watched_services
    assert watched["projections"] == "http://127.0.0.1:8112"
    assert watched["extra"] == "http://127.0.0.1:1"


def test_settings_shown_hide_mongodbs_password() -> None:
    settings = GatewaySettings(mongodb="mongodb://user:hunter2@host/?tls=true")  # type: ignore[arg-type]
    assert "hunter2" not in repr(settings)
