"""Tables a French Excel opens without running them, and addresses that only the settings decide."""

from __future__ import annotations

import csv
import io
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.core import as_written, csv_for_excel, harmless
from app.domain.publishing import Addresses

OURS = Addresses("https://badges.exemple.fr")


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+33 6",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "\u200b=1",
        "＝1",
        "\n=1",
        "\u3000=1",
        "\u2009+1",
        "\u2060=1",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(cell: str) -> None:
    assert harmless(cell).startswith("'")


@given(st.lists(st.lists(st.text(max_size=30), min_size=2, max_size=2), max_size=10))
def test_an_exported_table_comes_back_as_it_was(rows: list[list[str]]) -> None:
    rows = [[cell.replace("\r", "").replace("\n", " ").replace("\0", "") for cell in row] for row in rows]
    rows = [[cell if not cell.startswith("'") else "x" + cell for cell in row] for row in rows]
    data = csv_for_excel(["a", "b"], rows)
    assert data.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [[as_written(cell) for cell in row] for row in read[1:]] == rows


def test_an_award_is_recognised_by_any_of_its_own_addresses() -> None:
    award_id = uuid.uuid4()
    for ending in ("", ".json", ".jwt", ".png", ".svg", "/", "?utm=1", "#x"):
        assert OURS.award_named_by(f" {OURS.award(award_id)}{ending} ") == award_id


def test_pages_beside_an_award_lead_to_it() -> None:
    award = OURS.award(uuid.uuid4())
    for page in ("integrer", "personne", "campus", "trace", "carte.png", "code.svg", "integrer/"):
        assert OURS.award_beside(f"{award}/{page}") == award
        assert OURS.award_named_by(f"{award}/{page}") is None, "no document has such an identifier"
    for other in (
        f"{award}/autre",
        f"{award}/x/integrer",
        f"https://evil.org/attributions/{award[-36:]}/integrer",
    ):
        assert OURS.award_beside(other) == other


def test_a_portfolio_is_recognised_by_its_page_its_frame_and_a_link_for_one_reader() -> None:
    portfolio_id = uuid.uuid4()
    page = OURS.portfolio(portfolio_id)
    for ending, link in (
        ("", ""),
        ("/", ""),
        ("/integrer", ""),
        ("/pour/2026-12-24.ab12", "2026-12-24.ab12"),
    ):
        assert OURS.portfolio_named_by(page + ending) == (portfolio_id, link)
    for ending in ("/pour", "/pour/", "/pour/a/b", "/autre"):
        assert OURS.portfolio_named_by(page + ending) is None
    assert OURS.portfolio_named_by("") is None


@pytest.mark.parametrize(
    "url",
    [
        "https://badges.exemple.fr.evil.org/attributions/5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11",
        "https://evil.org/attributions/5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11",
        "http://badges.exemple.fr/attributions/5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11",
        "https://badges.exemple.fr/attributions/../x",
        "https://badges.exemple.fr/attributions/------------------------------------",
    ],
)
def test_another_address_is_no_award_of_ours(url: str) -> None:
    assert OURS.award_named_by(url) is None
