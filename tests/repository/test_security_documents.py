"""The security documents are whole, and every test they name exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ASVS, THREATS = "docs/security/asvs.md", "docs/security/threats.md"
STATES = {"met", "partly", "missing", "operator", "not applicable"}
# How many requirements of levels 1 and 2 each section of the standard has, by their numbers; level 3 left out.
SECTIONS = """
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2
4.1:1-3 4.2:1 4.3:1-2 4.4:1-4 5.1:1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3
6.8:1-4 7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1 8.4:1 9.1:1-3 9.2:1-4 10.1:1-2
10.2:1-2 10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1 11.6:1
12.1:1-3 12.2:1-2 12.3:1-4 13.1:1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3
15.3:1-7 16.1:1 16.2:1-5 16.3:1-4 16.4:1-3 16.5:1-3 17.1:1 17.2:1-4 17.3:1-2
"""


def text_of(document: str) -> str:
    return (REPOSITORY / document).read_text("utf-8")


def rows(document: str, number: str) -> list[list[str]]:
    lines = re.findall(rf"^\| {number} \|.*\|$", text_of(document), flags=re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def requirements() -> list[str]:
    found = []
    for section in SECTIONS.split():
        name, _, span = section.partition(":")
        first, _, last = span.partition("-")
        found += [f"{name}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


@cache
def functions_in(file: str) -> frozenset[str]:
    tree = ast.parse(text_of(file))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))


def test_asvs_document_has_every_requirement_of_levels_1_and_2_once():
    assert len(requirements()) == 253
    assert [row[0] for row in rows(ASVS, r"\d+\.\d+\.\d+")] == requirements()


def test_asvs_document_says_of_each_requirement_where_or_why_not():
    for number, level, what, state, where in rows(ASVS, r"\d+\.\d+\.\d+"):
        assert level in ("1", "2"), number
        assert state in STATES, number
        assert what, number
        assert len(where) > 4, number
        assert state != "missing" or "eeded" in where, number


def test_threats_document_has_all_with_a_test_each():
    found = rows(THREATS, r"T\d\d")
    assert [row[0] for row in found] == [f"T{number:02}" for number in range(1, 58)]
    assert [row[0] for row in found if "`tests/" not in row[3]] == []


@pytest.mark.parametrize("document", [ASVS, THREATS])
def test_every_test_that_a_security_document_names_exists(document: str):
    named = re.findall(r"`(tests/[^`]+)`", text_of(document))
    assert len(named) > 80
    wrong = []
    for each in named:
        file, _, function = each.partition("::")
        if not (REPOSITORY / file).is_file() or (function and function not in functions_in(file)):
            wrong.append(each)
    assert wrong == []


@pytest.mark.parametrize("document", ["SECURITY.md", ASVS, THREATS])
def test_every_page_that_a_security_document_links_to_exists(document: str):
    folder = (REPOSITORY / document).parent
    links = re.findall(r"\]\(([^):#]+)\)", text_of(document))
    assert [link for link in links if not (folder / link).is_file()] == []
