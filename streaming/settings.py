"""Where Kafka, the registry and the clock are: what every service needs to know."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from streaming import outward
from streaming.secretfiles import SecretSettings

LOOPBACK = frozenset({"127.0.0.1", "::1", "[::1]", "localhost"})


class ServerSettings(SecretSettings):
    """Where a service listens that asks nobody for a token."""

    model_config = SettingsConfigDict(
        env_prefix="FORETICK_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    bind: str = Field("127.0.0.1", description="Address for the exchange and for /health, /metrics, /status.")
    private_network: bool = Field(
        False,
        description="No stranger reaches services that ask nobody for a token, or is on the way from one to another.",
    )
    hosts: list[str] = Field(
        default_factory=list, description="Further host names that HTTP requests may name, as JSON; addresses all may."
    )

    @model_validator(mode="after")
    def _open_to_nobody(self) -> Self:
        self.refuse_strangers("FORETICK_BIND", self.bind)
        return self

    @model_validator(mode="after")
    def _nothing_leaves_in_the_clear(self) -> Self:
        if not self.private_network and (told := "; ".join(outward.outward_faults(dict(self)))):
            raise ValueError(f"{told}. Where no stranger is on the way, set FORETICK_PRIVATE_NETWORK=true.")
        return self

    def refuse_strangers(self, name: str, address: str) -> None:
        """Raise ValueError if strangers may reach an address at which nobody is asked for a token."""
        if not self.private_network and address not in LOOPBACK:
            raise ValueError(
                f"{name}={address} would open /status, /metrics, predictions or the exchange's clock to whoever comes: "
                "only the gateway asks for tokens (FORETICK_GATEWAY_HOST opens it alone). Where nobody but your own "
                "services reaches that address, set FORETICK_PRIVATE_NETWORK=true."
            )


class StreamSettings(ServerSettings):
    """Settings shared by all services; each part extends it in its own `settings.py`."""

    kafka: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers.")
    kafka_options: dict[str, str] = Field(
        default_factory=dict, description="Further librdkafka options as JSON: SASL, TLS. Passed through.", repr=False
    )
    kafka_log_level: int = Field(
        6, ge=0, le=7, description="What Kafka's client says of itself: syslog levels, 3 errors, 6 all but debugging."
    )
    registry: str = Field("http://127.0.0.1:8081/apis/ccompat/v7", description="Schema registry, Confluent API.")
    registry_auth: SecretStr | None = Field(None, description="Registry credentials, `user:password`.")
    topic_prefix: str = Field("", description="Put before every topic, group and subject: isolates tests.")
    transactions: bool = Field(
        False, description="Other writers use Kafka's transactions: gaps between offsets are theirs, and no damage."
    )
    replication: int = Field(1, ge=1, description="Replicas of each topic: 1 on the local stack, 3 in production.")
    min_insync_replicas: int = Field(1, ge=1, description="Replicas that must acknowledge: 2 of 3 in production.")
    clock_url: str = Field("", description="Clock of a replay exchange; empty: the wall clock.")
    otlp_endpoint: str = Field(
        "", description="OpenTelemetry collector that traces go to by OTLP over HTTP; empty: none are made."
    )
    ops_port: int = Field(0, description="Port of this service's /health, /metrics, /status; 0: none.")

    def kafka_config(self, **options: str | int | float | bool) -> dict[str, str | int | float | bool]:
        """Return a librdkafka configuration with these settings and `options` (dots as underscores)."""
        own = {name.replace("_", "."): value for name, value in options.items()}
        patience = {
            "reconnect.backoff.max.ms": 2000,
            "topic.metadata.refresh.interval.ms": 10_000,
        }  # back soon after outages
        return {
            "bootstrap.servers": self.kafka,
            "log_level": self.kafka_log_level,
            **patience,
            **own,
            **self.kafka_options,
        }

    def physical(self, topic: str) -> str:
        """Return a topic's name on the broker."""
        return self.topic_prefix + topic

    def logical(self, topic: str) -> str:
        """Return a topic's name in the topic table."""
        return topic.removeprefix(self.topic_prefix)
