"""Start one supervised command, after ending what an earlier, killed one left behind.

A parent killed with -9 leaves its children holding the port: `python -m stack.launch NAME COMMAND...` ends those
first, then becomes the command.
"""

import os
import sys

from stack.layout import MARK
from stack.orphans import NAME, end, marked


def main() -> None:
    """Become the command."""
    name, *command = sys.argv[1:]
    end(marked(os.environ[MARK], name))
    os.environ[NAME] = name
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
