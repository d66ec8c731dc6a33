"""Failures a user can do something about: told in words, without a traceback."""

from stack.artifacts import WrongChecksum
from stack.preflight import NotReady
from stack.service import DidNotStart
from stack.services import UnknownService
from stack.web import WebBuildFailed
from stack.workflows import WorkflowFailed

_BEFORE = (NotReady, UnknownService, WrongChecksum)  # nothing was started
EXPECTED = (*_BEFORE, DidNotStart, WebBuildFailed, WorkflowFailed)


def exit_code(problem: Exception) -> int:
    """Return 2 for what kept the stack from starting at all, 1 for what failed on the way."""
    return 2 if isinstance(problem, _BEFORE) else 1
