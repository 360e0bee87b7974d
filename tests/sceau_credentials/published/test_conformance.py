"""The conformance table refers to code and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.running.every import for_each

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / "packages" / "sceau_credentials" / "src" / "sceau_credentials"
TABLE = (ROOT / "docs" / "conformance.md").read_text()
CODE = sorted(set(re.findall(r"`([a-z_/]+(?:\.py|/))`", TABLE)))
TESTS = sorted(set(re.findall(r"`(test_\w+)`", TABLE)))
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}


@for_each("path", CODE)
def test_every_path_it_names_exists(path: str) -> None:
    folders = [LIBRARY, ROOT / "tests" / "sceau_credentials", ROOT]
    assert any((folder / path).exists() for folder in folders)


@for_each("name", TESTS)
def test_every_test_it_names_exists(name: str) -> None:
    assert name in DEFINED


def test_every_clause_the_credential_code_cites_is_in_the_table() -> None:
    cited = {
        clause
        for path in LIBRARY.rglob("*.py")
        for clause in re.findall(r"\b([A-EKL]-\d{3})\b", path.read_text())
    }
    listed: set[str] = set()
    for letter, first, last in re.findall(r"([A-EKL])-(\d{3})(?: to [A-EKL]-(\d{3}))?", TABLE):
        numbers = range(int(first), int(last or first) + 1)
        listed |= {f"{letter}-{number:03}" for number in numbers}
    assert cited <= listed, sorted(cited - listed)


LAST = {"A": 87, "B": 62, "C": 28, "D": 25, "E": 19, "H": 11, "I": 8, "K": 3, "L": 14}


def clauses_in(text: str) -> set[str]:
    """Every clause that is named, including those of a range."""
    named = set(re.findall(r"\b([A-EHIKL]-\d{3})\b", text))
    for letter, first, last in re.findall(r"\b([A-EHIKL])-(\d{3}) to [A-EHIKL]-(\d{3})", text):
        named |= {f"{letter}-{number:03}" for number in range(int(first), int(last) + 1)}
    return named


@pytest.mark.parametrize("letter", list(LAST))
def test_no_clause_of_these_groups_is_omitted(letter: str) -> None:
    every = {f"{letter}-{number:03}" for number in range(1, LAST[letter] + 1)}
    assert every <= clauses_in(TABLE)


def test_every_rule_on_proofs_and_verification_is_named_by_a_test() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    said_why_not = {"B-033", "B-059", "B-060", "C-005", "C-023"}
    rules = {clause for clause in clauses_in(TABLE) if clause[0] in "BC"}
    assert rules - clauses_in(text) <= said_why_not
