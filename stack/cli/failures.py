"""Failures a user can do something about: told in words, without a traceback."""

from stack.run.airflow_api import WorkflowFailed
from stack.run.preflight import NotStartable
from stack.services.artifacts import WrongChecksum
from stack.services.service import DidNotStart
from stack.services.table import UnknownService
from stack.services.web_build import WebBuildFailed

_BEFORE = (NotStartable, UnknownService, WrongChecksum)  # nothing was started
EXPECTED = (*_BEFORE, DidNotStart, WebBuildFailed, WorkflowFailed)


def exit_code(problem: Exception) -> int:
    """Return 2 for what kept the stack from starting at all, 1 for what failed on the way."""
    return 2 if isinstance(problem, _BEFORE) else 1
