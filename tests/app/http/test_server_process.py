"""What a server process does before its first request."""

from __future__ import annotations

from pathlib import Path

import pytest

import app.main


def test_typefaces_are_parsed_before_the_first_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    monkeypatch.setattr("app.container.process._artist", lambda _: done.append("artist"))
    monkeypatch.setattr(app.main, "collect_rarely", lambda: done.append("collected"))
    monkeypatch.setattr(app.main, "configure_logging", lambda **_: None)
    monkeypatch.setenv("SCEAU_DATABASE_URL", f"sqlite:///{tmp_path}/database/sceau.sqlite")
    monkeypatch.setenv("SCEAU_DEVELOPMENT_DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("SCEAU_WORK", "false")
    app.main.served()
    assert done == ["artist", "collected"], "what stays is exempt from garbage collection"
