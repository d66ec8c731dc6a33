"""Start one supervised service, after ending what an earlier, killed one left behind.

A parent killed with -9 leaves its children holding the port: `python -m stack.run.launch NAME` ends those first, then
becomes the command that the home's table has for the name.
"""

import json
import os
import sys
from pathlib import Path

from stack.layout import MARK, Layout
from stack.run.orphans import NAME, end_processes, marked


def main() -> None:
    """Become the command."""
    name, home = sys.argv[1], os.environ[MARK]
    end_processes(marked(home, name))
    service = json.loads(Layout(home=Path(home), cache=Path()).commands.read_text())[name]
    for secret in service.get("withheld", []):  # of others: what is not there cannot be read from here
        os.environ.pop(secret, None)
    os.environ.update(service["environment"], **{NAME: name})
    if service["folder"]:
        os.chdir(service["folder"])
    os.execvp(service["command"][0], service["command"])


if __name__ == "__main__":
    main()
