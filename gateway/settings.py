"""What the gateway reads from the environment (`FORETICK_*`)."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from gateway.access.tokens import read_grants
from streaming.settings import LOOPBACK, StreamSettings
from streaming.tls import load_certificate


class GatewaySettings(StreamSettings):
    """Settings of the gateway."""

    gateway_port: int = Field(8000, ge=0, le=65535, description="Port that the gateway listens on.")
    gateway_host: str = Field("", description="Address that the gateway listens on; empty: FORETICK_BIND.")
    tokens: list[str] = Field(
        default_factory=list,
        description="Tokens that callers show, as JSON: `name:scopes:hash`, printed by `foretick token new`.",
    )
    tokens_file: Path | None = Field(
        None, description="File of further such lines, and of `deny SUBJECT`; read again when it changes."
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate (PEM, with its chain) that the gateway shows to other machines."
    )
    tls_key: Path | None = Field(None, description="Its key (PEM, no password); empty: it stands in the same file.")
    session_idle_minutes: float = Field(
        1440, gt=0, description="Minutes without a request after which a person who signed in must do so again."
    )
    session_days: float = Field(30, gt=0, description="Days after which they must in any case.")
    jwks_url: str = Field("", description="Keys (JWKS) of an identity provider whose JWTs are taken, too.")
    jwt_issuer: str = Field("", description="Issuer (`iss`) of those JWTs.")
    jwt_audience: str = Field("", description="Audience (`aud`) of those JWTs.")
    jwt_acr: list[str] = Field(
        default_factory=list, description="Levels of sign-in (`acr`) of which a JWT must have one, as JSON; none: any."
    )
    jwt_rsa_bits: int = Field(2048, ge=2048, description="Bits that the provider's RSA keys must have at least.")
    origins: list[str] = Field(
        default_factory=list, description="Further web origins whose pages may call, as JSON: `https://host:port`."
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description="Proxies in front of the gateway, addresses or networks as JSON: X-Forwarded-For is theirs to say.",
    )
    mongodb: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017"), description="MongoDB URI; credentials and TLS options go into it."
    )
    mongodb_database: str = Field("stock_db", description="Database of the read models.")
    mongodb_seconds: float = Field(3.0, gt=0, description="Seconds MongoDB has for an answer.")
    forecasting: str = Field("http://127.0.0.1:8001", description="Forecasting service: MLflow's scoring protocol.")
    predict_seconds: float = Field(10.0, gt=0, description="Time budget of a prediction.")
    predict_bars: int = Field(
        64, ge=2, le=5000, description="Newest bars that predictions of a symbol read: as many as serving does."
    )
    predict_in_flight: int = Field(16, ge=1, description="Predictions made at once; more wait their turn.")
    requests_per_minute: int = Field(
        6000, ge=0, description="Requests a minute for each token, or address without one; 0, or no tokens: no limit."
    )
    predict_per_minute: int = Field(
        600, ge=0, description="Predictions a minute for each token, or address without one; 0: no limit."
    )
    predict_failures: int = Field(
        5, ge=1, description="Failures in a row after which the forecasting service is left alone for a while."
    )
    predict_pause_seconds: float = Field(5.0, gt=0, description="That while.")
    min_position_seconds: float = Field(
        5.0, ge=0, description="Longest that a read waits for the read model to reach its `min_position`."
    )
    body_limit: int = Field(1024 * 1024, ge=1024, description="Largest request or socket message, bytes.")
    web: Path = Field(Path("web/dist/browser"), description="Folder of the built web app.")
    mlflow_link: str = Field("http://127.0.0.1:5000", description="Where people open MLflow: the page links to it.")
    airflow_link: str = Field("http://127.0.0.1:8080", description="Where people open Airflow: the page links to it.")
    port_offset: int = Field(0, ge=0, description="Added to the default ports of the services asked for their health.")
    services: dict[str, str] = Field(
        default_factory=dict, description="Base URLs of services whose health /api/pipeline shows, as JSON; by name."
    )
    client_queue: int = Field(1000, ge=16, description="Messages that wait for one client before it is conflated.")
    client_patience: float = Field(5.0, gt=0, description="Seconds a socket may take nothing before it is closed.")
    client_limit: int = Field(10_000, ge=1, description="Sockets open at once.")
    client_limit_per_token: int = Field(1000, ge=1, description="Sockets open at once with one token.")
    client_limit_per_address: int = Field(1000, ge=1, description="Sockets open at once from one address.")
    socket_predictions: int = Field(4, ge=1, description="Predictions in flight on one socket.")
    resume_grace: float = Field(2.0, ge=0, description="Seconds a new client has to say where it stopped.")
    heartbeat_seconds: float = Field(2.0, gt=0, description="Seconds from one heartbeat to the next.")
    memory_messages: int = Field(4096, ge=1, description="Recent messages kept in memory for each partition.")
    preload_messages: int = Field(1000, ge=0, description="Messages of each partition read into memory at start.")

    @model_validator(mode="after")
    def strangers_need_tokens(self) -> "GatewaySettings":
        """Refuse an address that strangers may reach, unless callers must show who they are."""
        if self.jwks_url:
            if not (self.jwt_issuer and self.jwt_audience):
                raise ValueError("FORETICK_JWKS_URL needs FORETICK_JWT_ISSUER and FORETICK_JWT_AUDIENCE beside it.")
            url = urlsplit(self.jwks_url)
            if url.scheme != "https" and url.hostname not in LOOPBACK:
                raise ValueError(f"FORETICK_JWKS_URL={self.jwks_url} must be https: it says whom to trust.")
        grants = read_grants(self.tokens, self.tokens_file)
        if self.address not in LOOPBACK and not grants.tokens and not self.jwks_url:
            raise ValueError(
                f"The gateway would listen on {self.address}, which is not a loopback address, and ask nobody who they "
                "are. Use 127.0.0.1, or make a token (`foretick token new`) and put its line into FORETICK_TOKENS or "
                "the file FORETICK_TOKENS_FILE, or name an identity provider by FORETICK_JWKS_URL."
            )
        if self.tls_certificate:
            load_certificate(self.tls_certificate, self.tls_key)
        elif self.tls_only and not self.trusted_proxies:
            raise ValueError(
                f"The gateway would listen on {self.address}, and tokens would come there in the clear. Give it a "
                "certificate (FORETICK_TLS_CERTIFICATE, FORETICK_TLS_KEY), or name the proxy that speaks TLS for it "
                "(FORETICK_TRUSTED_PROXIES). Where no stranger listens in, set FORETICK_PRIVATE_NETWORK=true."
            )
        return self

    @property
    def tls_only(self) -> bool:
        """Tell whether other machines must have come by TLS, to us or to the proxy in front."""
        return self.address not in LOOPBACK and not self.private_network

    @property
    def address(self) -> str:
        """Return the address to listen on."""
        return self.gateway_host or self.bind

    @property
    def allowed_hosts(self) -> list[str]:
        """Return the host names that requests may name: others are a page's trick (DNS rebinding)."""
        return sorted(LOOPBACK | {self.address.lower()} | {name.lower() for name in self.hosts})

    @property
    def allowed_origins(self) -> frozenset[str]:
        """Return the web origins whose pages may call, beside the gateway's own."""
        return frozenset(self.origins)

    @property
    def watched_services(self) -> dict[str, str]:
        """Return the base URL of each service whose health is shown."""
        own = {"producers": 8011, "projections": 8012, "scoring": 8013}
        default = {name: f"http://127.0.0.1:{port + self.port_offset}" for name, port in own.items()}
        return {**default, "forecasting": self.forecasting, **self.services}
