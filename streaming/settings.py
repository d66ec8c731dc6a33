"""Where Kafka, the registry and the clock are: what every service needs to know."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class StreamSettings(BaseSettings):
    """Settings shared by all services; each part extends it in its own `settings.py`."""

    model_config = SettingsConfigDict(env_prefix="FORETICK_", env_file=".env", extra="ignore")

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
    bind: str = Field("127.0.0.1", description="Address for the exchange and for /health, /metrics, /status.")
    hosts: list[str] = Field(
        default_factory=list, description="Further host names that HTTP requests may name, as JSON; addresses all may."
    )
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
