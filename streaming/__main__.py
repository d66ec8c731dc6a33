"""`python -m streaming`: make the topics and register the schemas, then leave (the init step of a deployment)."""

import sys

import structlog

from streaming.admin import prepare_servers
from streaming.errors import ServerAway
from streaming.fitness import TopicsUnfit
from streaming.operations import configure_logging
from streaming.registry import SchemaRefused
from streaming.restoring import RestoreRefused
from streaming.settings import StreamSettings

configure_logging("streaming")
log = structlog.get_logger()
try:
    restored = prepare_servers(StreamSettings(), timeout=300)
except (ServerAway, SchemaRefused, TopicsUnfit, RestoreRefused) as reason:
    log.error("the log is not ready", reason=str(reason))
    sys.exit(1)
for each in restored:
    log.warning("the registry had lost a schema, and has it again", lost=str(each))
