"""What leaves this machine is encrypted and shows who it is, for every address of every service."""

from typing import Any, get_args

import pytest
from pydantic import SecretStr, ValidationError

from forecasting.settings import ForecastingSettings, ScoreSettings, ServeSettings
from gateway.settings import GatewaySettings
from producers.catalogue import source_from
from producers.settings import ExchangeSettings, ProducerSettings
from producers.sources.base import VendorRefused
from projections.settings import ProjectionSettings
from stack.run.validation import settings_faults
from streaming.settings import StreamSettings

CLASSES = (
    StreamSettings, ProducerSettings, ExchangeSettings, ProjectionSettings, ForecastingSettings, ServeSettings,
    ScoreSettings, GatewaySettings,
)  # fmt: skip
CALLED = ("_url", "_endpoint", "_scheduler")  # how the names of addresses end, if their default is none
FOLLOWED = {"mlflow_link", "airflow_link"}  # by the browser
JWKS = {"jwt_issuer": "https://id.example", "jwt_audience": "foretick"}
SASL = {"security.protocol": "SASL_SSL"}
CERTIFICATE = {"security.protocol": "ssl", "ssl.keystore.location": "/run/client.p12"}
FAR_AWAY = {
    "kafka": ("kafka.example:9092", {"kafka_options": SASL}),
    "registry": ("http://registry.example", {"registry": "https://registry.example", "registry_auth": "a:b"}),
    "mongodb": ("mongodb://db.example", {"mongodb": "mongodb://user:word@db.example/?tls=true"}),
    "services": ({"producers": "http://a.example"}, {"services": {"producers": "https://a.example"}}),
    "dask_scheduler": ("dask.example:8786", {"dask_scheduler": "tls://dask.example:8786"}),
}
ALWAYS = {"jwks_url", "alphavantage_url"}  # says whom to trust; has a key in it: https on any network


def addresses(settings: type[Any]) -> set[str]:
    """Return the fields that hold what is called: texts, secrets and tables that are, or may be, an address."""
    named = {name for name in settings.model_fields if name.endswith(CALLED) or name in FAR_AWAY}
    told = {name for name, each in settings.model_fields.items() if "://" in shown(each.default)}
    return (named | told) - FOLLOWED


def shown(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


CASES = [(settings, name) for settings in CLASSES for name in sorted(addresses(settings))]


def test_every_table_of_texts_among_the_settings_is_known_to_be_of_addresses_or_of_none() -> None:
    found = {
        name
        for settings in CLASSES
        for name, field in settings.model_fields.items()
        if get_args(field.annotation) == (str, str)
    }
    assert found == {"services", "kafka_options", "calendars"}
    assert len(CASES) > 25


@pytest.mark.parametrize(("settings", "name"), CASES, ids=lambda each: getattr(each, "__name__", each))
def test_address_on_another_machine_is_called_in_the_clear_only_where_the_network_is_vouched_for(
    settings: type[Any], name: str
) -> None:
    clear, mended = FAR_AWAY.get(name, ("http://stranger.example/x", {name: "https://stranger.example/x"}))
    rest = JWKS if name == "jwks_url" else {}
    with pytest.raises(ValidationError) as refused:
        settings(**rest, **{name: clear})
    assert name.upper() in settings_faults(refused.value)[0]
    if name not in ALWAYS:
        assert "FORETICK_PRIVATE_NETWORK=true" in str(refused.value)
        assert settings(**{name: clear}, private_network=True)
    else:
        with pytest.raises(ValidationError):
            settings(**rest, **{name: clear}, private_network=True)
    assert settings(**rest, **{name: clear, **mended})


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"kafka": "127.0.0.1:9092,localhost:9092,[::1]:9092,127.3.2.1:9"}, ""),
        ({"kafka": "127.0.0.1:9092,10.0.0.1:9092"}, "security.protocol"),
        ({"kafka_options": {"bootstrap.servers": "10.0.0.1:9092"}}, "security.protocol"),
        ({"kafka": "SASL_SSL://k:9092", "kafka_options": {"security.protocol": "sasl_plaintext"}}, "security.protocol"),
        ({"kafka": "k:9092", "kafka_options": {"security.protocol": "SSL"}}, "client's certificate"),
        ({"kafka": "k:9092", "kafka_options": CERTIFICATE}, ""),
        ({"kafka": "k:9092", "kafka_options": {**SASL, "enable.ssl.certificate.verification": "false"}}, "checked"),
        ({"kafka": "k:9092", "kafka_options": {**SASL, "ssl.endpoint.identification.algorithm": "none"}}, "checked"),
        ({"registry": "https://r.example"}, "FORETICK_REGISTRY_AUTH"),
        ({"registry": "http://127.0.0.1:8081,http://r.example", "registry_auth": "a:b"}, "https"),
        ({"clock_url": "http://[::1]:8010/clock", "otlp_endpoint": "HTTP://LOCALHOST:4318"}, ""),
        ({"clock_url": "HTTP://192.168.1.5/clock"}, "FORETICK_CLOCK_URL"),
    ],
)
def test_log_and_registry_elsewhere_need_encryption_a_login_and_checked_certificates(
    given: dict[str, Any], fault: str
) -> None:
    judged(StreamSettings, given, fault)


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("mongodb://127.0.0.1:1,[::1]:2,localhost/x", ""),
        ("mongodb://%2Ftmp%2Fmongodb-27017.sock", ""),
        ("mongodb://127.0.0.1,db.example", "tls=true"),
        ("mongodb://u:p@db.example/?ssl=false", "tls=true"),
        ("mongodb://u:p@a.example,b.example/x?w=1&TLS=True", ""),
        ("mongodb://db.example?ssl=true", "a user"),
        ("mongodb://db.example/?tls=true&authMechanism=MONGODB-X509", ""),
        ("mongodb+srv://u:p@db.example", ""),
        ("mongodb+srv://u:p@db.example/?tls=false", "tls=true"),
        ("mongodb+srv://db.example", "a user"),
        ("mongodb://u:p@db.example/?tls=true&tlsInsecure=true", "checked"),
        ("mongodb://u:p@db.example/?tls=true&tlsAllowInvalidCertificates=true", "checked"),
    ],
)
def test_document_server_elsewhere_needs_encryption_a_login_and_checked_certificates(uri: str, fault: str) -> None:
    judged(ProjectionSettings, {"mongodb": uri}, fault)


def judged(settings: type[Any], given: dict[str, Any], fault: str) -> None:
    if not fault:
        assert settings(**given)
        return
    with pytest.raises(ValidationError, match=fault):
        settings(**given)


def test_fault_of_an_address_shows_no_password_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_MONGODB", "mongodb://user:hunter2@db.example")
    monkeypatch.setenv("FORETICK_CLOCK_URL", "http://user:hunter2@clock.example")
    monkeypatch.setenv("FORETICK_KAFKA_OPTIONS", '{"sasl.password": "hunter2"}')
    monkeypatch.setenv("FORETICK_KAFKA", "kafka.example")
    for settings in (ProjectionSettings, GatewaySettings):
        with pytest.raises(ValidationError) as refused:
            settings()
        assert "hunter2" not in f"{refused.value}{settings_faults(refused.value)}"
        assert all(name in str(refused.value) for name in ("_MONGODB names", "_CLOCK_URL names", "_KAFKA names"))
    with pytest.raises(ValidationError) as refused:
        StreamSettings(kafka_options={"sasl.password": 12345})  # type: ignore[dict-item]
    assert "12345" not in f"{refused.value}{settings_faults(refused.value)}"


def test_mapping_of_a_vendor_elsewhere_must_be_https(tmp_path: Any) -> None:
    mapping = tmp_path / "vendor.yaml"
    rest = "items: i, fields: {time: t, open: o, high: h, low: l, close: c, volume: v}}"
    for url, private, fine in (
        ("http://v.example", False, False), ("http://v.example", True, True), ("https://v.example", False, True),
        ("http://127.0.0.1:1", False, True),
    ):  # fmt: skip
        mapping.write_text(f"{{url: '{url}/{{symbol}}', {rest}")
        settings = ProducerSettings(source="rest", rest_mapping=mapping, private_network=private)
        if fine:
            assert source_from(settings)
        else:
            with pytest.raises(VendorRefused, match="use https://"):
                source_from(settings)
