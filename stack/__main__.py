"""The `foretick` command, also as `python -m stack`."""

import sys

from stack.cli.main import app


def main() -> None:
    """Run the command; settings that are wrong are told without a traceback, with exit code 2."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    try:
        app()
    except (ValidationError, SettingsError) as error:
        from stack.run.validation import settings_faults

        print(
            *settings_faults(error),
            "`.env.example` lists all settings and what each may be.",
            sep="\n",
            file=sys.stderr,
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
