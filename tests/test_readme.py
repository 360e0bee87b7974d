"""The README says what the program does: every setting, every picture, every page it points at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    assert f"`SCEAU_{name.upper()}`" in README


def test_every_setting_explained_exists() -> None:
    explained = {
        name for name in re.findall(r"`SCEAU_([A-Z_]+)`", README) if not name.startswith(("TEST_", "SHARED_"))
    }
    assert {name.lower() for name in explained} <= set(Settings.model_fields)


def test_every_file_it_points_at_is_there() -> None:
    pointed = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert pointed
    assert [path for path in pointed if not (REPOSITORY / path).exists()] == []
