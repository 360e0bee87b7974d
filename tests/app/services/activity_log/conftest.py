"""Somebody outside the service, who signs the log with a key of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.folders.log_files import WitnessFolder


@pytest.fixture
def witness(tmp_path: Path) -> WitnessFolder:
    folder = WitnessFolder(tmp_path / "witness")
    folder.make_key("temoin.exemple.fr")
    return folder
