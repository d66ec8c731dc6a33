"""Which homes `up` takes, and which it refuses with the way."""

import json
from importlib.metadata import version

import pytest

from stack.layout import Layout
from stack.run.backup.manifest import BackupManifest, Piece
from stack.run.backup.repository import BackupRefused, Repository
from stack.run.backup.restoring import restore_home
from stack.run.home import HOME_FORMAT, UNFINISHED, admit_home
from stack.run.preflight import NotStartable
from stack.terminal import Terminal


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout(home=tmp_path, cache=tmp_path)


@pytest.mark.parametrize("told", [None, {"format": HOME_FORMAT, "made_by": "0.0.9"}])
def test_home_of_before_is_taken_and_carries_the_version_that_writes_to_it(layout, told):
    if told:
        (layout.home / "home.json").write_text(json.dumps(told))
    admit_home(layout)
    assert json.loads((layout.home / "home.json").read_text()) == {
        "format": HOME_FORMAT,
        "made_by": version("foretick"),
    }
    assert (layout.home / "home.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ('{"format": 99, "made_by": "7.0.0"}', "Foretick 7.0.0 has written .* Use that version or a later one"),
        ("{", "cannot be read"),
    ],
)
def test_home_of_a_later_version_is_refused_and_stays_as_it_is(layout, text, way):
    (layout.home / "home.json").write_text(text)
    with pytest.raises(NotStartable, match=way):
        admit_home(layout)
    assert (layout.home / "home.json").read_text() == text


def test_home_into_which_a_restore_was_cut_off_is_refused(layout):
    (layout.home / UNFINISHED).touch()
    with pytest.raises(NotStartable, match="foretick restore DIR"):
        admit_home(layout)


def backup(folder, **changes) -> None:
    """Make a backup without a file."""
    repository = Repository(folder)
    repository.make()
    given = {"made_by": "1", "taken_at": "2026-01-01T00:00:00Z", "home": HOME_FORMAT, "cluster": "one", "ends": {}}
    given |= {"schemas": {}, "settings": {}, "files": (), "registry": repository.store([b"zip"])}
    repository.commit(BackupManifest.model_validate(given | changes))


def test_restore_takes_no_home_that_holds_something(layout, tmp_path):
    backup(tmp_path / "backup")
    mine = tmp_path / "home" / "data" / "kafka" / "meta.properties"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(BackupRefused, match=r"is not empty \(data/\)"):
        restore_home(Layout(home=tmp_path / "home", cache=tmp_path), tmp_path / "backup", Terminal(quiet=True))
    assert mine.read_text() == "mine"


def test_restore_takes_no_backup_of_a_later_version(layout, tmp_path):
    backup(tmp_path / "backup", home=HOME_FORMAT + 1, made_by="9.9")
    with pytest.raises(BackupRefused, match=r"Foretick 9.9 made this backup"):
        restore_home(Layout(home=tmp_path / "home", cache=tmp_path), tmp_path / "backup", Terminal(quiet=True))
    assert not (tmp_path / "home").exists()


def test_restore_of_a_damaged_backup_leaves_a_home_that_up_refuses_and_restore_takes_again(layout, tmp_path):
    home = Layout(home=tmp_path / "home", cache=tmp_path)
    backup(tmp_path / "backup", files=({"path": "data/x", "pieces": (Piece(sha256="0" * 64, size=1),), "size": 1,
                                        "modified": 1},))  # fmt: skip
    for _ in range(2):
        with pytest.raises(BackupRefused, match="lacks"):
            restore_home(home, tmp_path / "backup", Terminal(quiet=True))
        with pytest.raises(NotStartable, match="did not come to its end"):
            admit_home(home)
