"""The table of demands points at code and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "conformance.md").read_text()
CODE = sorted(set(re.findall(r"`([a-z_/]+(?:\.py|/))`", TABLE)))
TESTS = sorted(set(re.findall(r"`(test_\w+)`", TABLE)))
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("path", CODE)
def test_every_place_it_names_exists(path: str) -> None:
    folders = [ROOT / "app" / "credentials", ROOT / "tests" / "credentials", ROOT]
    assert any((folder / path).exists() for folder in folders)


@pytest.mark.parametrize("name", TESTS)
def test_every_test_it_names_exists(name: str) -> None:
    assert name in DEFINED


def test_every_clause_the_credential_code_cites_is_in_the_table() -> None:
    cited = {
        clause
        for path in (ROOT / "app" / "credentials").rglob("*.py")
        for clause in re.findall(r"\b([A-EKL]-\d{3})\b", path.read_text())
    }
    listed: set[str] = set()
    for letter, first, last in re.findall(r"([A-EKL])-(\d{3})(?: to [A-EKL]-(\d{3}))?", TABLE):
        numbers = range(int(first), int(last or first) + 1)
        listed |= {f"{letter}-{number:03}" for number in numbers}
    assert cited <= listed, sorted(cited - listed)
