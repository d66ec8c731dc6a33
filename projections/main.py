"""`python -m projections.main`: keep the read models and the snapshots until stopped."""

import os
import sys

from projections.metrics import export
from projections.service import Projections
from projections.settings import ProjectionSettings
from streaming.gc_tuning import collect_rarely
from streaming.operations import configure_logging, serve_ops, stop_on_signals


def main() -> int:
    """Run the service; return its exit code."""
    configure_logging("projections")
    collect_rarely()
    settings = ProjectionSettings()
    stop = stop_on_signals()
    projections = Projections(settings)
    export(projections.status)
    serve_ops(settings, projections.status, projections.reasons)
    return projections.run(stop)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # not waiting for a thread that is late: whatever it still does is fenced
