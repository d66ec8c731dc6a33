"""When the web app is built again."""

from stack.services.web_build import web_fingerprint


def test_fingerprint_of_changed_source_differs(tmp_path):
    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / "main.ts"
    source.write_text("one")
    before = web_fingerprint(tmp_path)
    source.write_text("two")
    assert web_fingerprint(tmp_path) != before


def test_fingerprint_of_renamed_source_differs(tmp_path):
    (tmp_path / "a.ts").write_text("same")
    before = web_fingerprint(tmp_path)
    (tmp_path / "a.ts").rename(tmp_path / "b.ts")
    assert web_fingerprint(tmp_path) != before


def test_fingerprint_ignores_what_is_built(tmp_path):
    (tmp_path / "main.ts").write_text("one")
    before = web_fingerprint(tmp_path)
    for built in ("dist", "node_modules", ".angular"):
        (tmp_path / built).mkdir()
        (tmp_path / built / "file.js").write_text("built")
    assert web_fingerprint(tmp_path) == before
