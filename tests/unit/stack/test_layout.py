"""Ports, folders and addresses follow from home and offset alone."""

from pathlib import Path

from stack.layout import PORTS, Layout


def layout(home: str = "/srv/foretick", offset: int = 0) -> Layout:
    return Layout(home=Path(home), cache=Path("/srv/cache"), port_offset=offset)


def test_ports_all_differ():
    assert len(set(PORTS.values())) == len(PORTS)


def test_environment_with_an_offset_moves_every_address():
    plain, moved = layout().environment(), layout(offset=7).environment()
    assert plain["FORETICK_KAFKA"] == "127.0.0.1:9092"
    assert moved["FORETICK_KAFKA"] == "127.0.0.1:9099"
    addresses = {name for name in plain if "127.0.0.1" in plain[name] or name.endswith("_PORT")}
    assert len(addresses) >= 9
    assert all(plain[name] != moved[name] for name in addresses)


def test_environment_keeps_data_under_the_home():
    environment = layout().environment()
    assert environment["FORETICK_HOME"] == "/srv/foretick"
    assert environment["FORETICK_SNAPSHOTS"] == "/srv/foretick/snapshots"


def test_socket_of_a_short_home_lies_in_it():
    assert layout().socket == Path("/srv/foretick/run/supervisor.sock")


def test_socket_of_a_long_home_is_short_and_its_own():
    one, other = layout("/srv/" + "a" * 120), layout("/srv/" + "b" * 120)
    assert len(str(one.socket)) < 100
    assert one.socket != other.socket
    assert one.socket == layout("/srv/" + "a" * 120).socket
    assert one.socket.parent in one.private()
