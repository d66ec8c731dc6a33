"""`python -m streaming`: make the topics and register the schemas, then leave (the init step of a deployment)."""

from streaming.admin import prepare
from streaming.ops import configure_logging
from streaming.settings import StreamSettings

configure_logging("streaming")
prepare(StreamSettings(), timeout=300)
