"""README, CONTRIBUTING and the operator's pages: every setting, every picture, every page they point at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.running.every import for_each

REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = (REPOSITORY / "docs/operate/settings.md").read_text()
PAGES = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]
MOST_LINES = 120


@for_each("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    assert f"`SCEAU_{name.upper()}`" in SETTINGS


def test_every_setting_explained_exists() -> None:
    explained = {
        name
        for name in re.findall(r"`SCEAU_([A-Z_]+)`", SETTINGS)
        if not name.startswith(("TEST_", "SHARED_"))
    }
    assert {name.lower() for name in explained} <= set(Settings.model_fields)


def test_every_file_that_a_page_points_at_is_there() -> None:
    pointed = {
        (page.relative_to(REPOSITORY).as_posix(), path)
        for page in PAGES
        for path in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    }
    assert len(pointed) > 50
    assert [
        (page, path) for page, path in pointed if not (REPOSITORY / page).parent.joinpath(path).exists()
    ] == []


@pytest.mark.parametrize("name", ["README.md", "README.fr.md"])
def test_readme_is_short(name: str) -> None:
    assert len((REPOSITORY / name).read_text().splitlines()) <= MOST_LINES


def test_pages_named_by_contributing_exist() -> None:
    named = re.findall(
        r"`((?:app|tests|docs|badge_templates)/[\w/.]+)`", (REPOSITORY / "CONTRIBUTING.md").read_text()
    )
    assert named
    assert [each for each in named if not (REPOSITORY / each).exists()] == []
