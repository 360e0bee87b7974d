"""`sceau site`: what a campus shows outlives the service, and verifies from the folder alone."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import pytest

from app.container import Process
from app.db.campus import Filter
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from tests.app.cli.conftest import Operator
from tests.support.content.open_awards import open_awards

LINK = re.compile(r'\b(?:href|src)="([^"#]+)[^"]*"')


@dataclass
class Edition:
    """One edition of a campus of the demo, a copy for each test that spoils it."""

    folder: Path

    @property
    def root(self) -> Path:
        (found,) = [each for each in self.folder.iterdir() if each.is_dir()]
        return found

    def copy(self, place: Path) -> Edition:
        shutil.copytree(self.folder, place)
        return Edition(place)


@pytest.fixture(scope="module")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def edition(operator: Operator, _kept: Path) -> Edition:
    folder = _kept / "ordinary"
    if not folder.is_dir():
        result = operator.types("site", "export", "mma", folder)
        assert result.code == 0, result.err
    return Edition(folder)


def test_every_document_is_kept_byte_for_byte_as_it_is_served(edition: Edition, demo: Process) -> None:
    with demo.unit_of_work(reading=True) as services:
        records = list(open_awards(services, "mma"))
        assert records
        for record in records:
            for form in ("json", "jwt", "png", "svg"):
                kept = edition.root / "attributions" / f"{record.award.id}.{form}"
                assert kept.read_bytes() == services.publication.award_file(record, form).body
            evidence = services.evidence.document(record.award.id).body
            assert (edition.root / "preuves" / str(record.award.id) / "index.json").read_bytes() == evidence
        did = services.publication.campus_did("mma").body
    assert (edition.root / "campus" / "mma" / "did.json").read_bytes() == did


def test_only_badges_that_their_holders_opened_are_in_it(edition: Edition, demo: Process) -> None:
    with demo.unit_of_work(reading=True) as services:
        campus = services.campuses.get("mma")
        every = services.awards.list_in(campus, limit=1000)
        shut = {str(each.award.id) for each in every if each.award.visibility is Visibility.CLOSED}
    kept = {path.stem for path in (edition.root / "attributions").glob("*.json")}
    assert shut
    assert not kept & shut
    text = "".join(path.read_text() for path in edition.root.rglob("*.html"))
    assert not [award_id for award_id in shut if award_id in text]


def test_pages_lead_from_file_to_file_in_both_languages(edition: Edition) -> None:
    pages = list(edition.root.rglob("*.html"))
    assert {page.name for page in pages} >= {"index.html", "index.en.html"}
    for page in pages:
        for address in LINK.findall(page.read_text("utf-8")):
            if not address.startswith(("http:", "https:", "mailto:")):
                assert (page.parent / unquote(address)).is_file(), f"{page}: {address}"
    award = next((edition.root / "attributions").glob("*/index.en.html")).read_text("utf-8")
    assert "Page kept on" in award
    assert "<form" not in "".join(page.read_text("utf-8") for page in pages)


def test_a_printed_short_address_still_leads_to_its_badge(edition: Edition, demo: Process) -> None:
    with demo.unit_of_work(reading=True) as services:
        record = next(open_awards(services, "mma"))
        path = services.addresses.short(record.award.id).removeprefix(services.addresses.base_url)
    page = edition.root / path.lstrip("/") / "index.html"
    target = re.search(r'url=([^"]+)"', page.read_text())
    assert target
    assert (page.parent / target[1]).resolve() == (
        edition.root / "attributions" / str(record.award.id) / "index.html"
    ).resolve()


def test_an_edition_verifies_on_a_machine_that_has_only_the_folder(
    edition: Edition, stranger: Operator
) -> None:
    assert stranger.types("site", "check", edition.folder).code == 0
    award = next((edition.root / "attributions").glob("*.png"))
    result = stranger.types("verify", "--documents", edition.folder, award)
    assert result.code in (0, 1), "an expired or withdrawn badge is reported as such too"


@pytest.mark.parametrize("pattern", ["attributions/*.json", "statuts/*", "preuves/*/index.json"])
def test_a_changed_byte_is_found_and_named(
    edition: Edition, stranger: Operator, tmp_path: Path, pattern: str
) -> None:
    spoilt = edition.copy(tmp_path / "copy")
    file = next(path for path in sorted(spoilt.root.glob(pattern)) if path.is_file())
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)
    result = stranger.types("site", "check", spoilt.folder)
    assert result.code == 1
    assert f"{file.relative_to(spoilt.folder)}\tchanged" in result.out


def test_a_badge_forged_together_with_its_digest_is_found_by_its_signature(
    edition: Edition, stranger: Operator, tmp_path: Path
) -> None:
    spoilt = edition.copy(tmp_path / "copy")
    file = next((spoilt.root / "attributions").glob("*.json"))
    before = file.read_bytes()
    document = json.loads(before)
    document["credentialSubject"]["achievement"]["name"] = "Un autre badge"
    file.write_text(json.dumps(document))
    sums = spoilt.folder / "SHA256SUMS"
    new = sha256(file.read_bytes()).hexdigest()
    sums.write_text(sums.read_text().replace(sha256(before).hexdigest(), new))
    result = stranger.types("site", "check", spoilt.folder)
    assert result.code == 1
    assert str(file.relative_to(spoilt.folder)) in result.out


def test_an_ordinary_edition_goes_stale_and_a_final_one_does_not(
    operator: Operator, demo: Process, edition: Edition, tmp_path: Path
) -> None:
    far = "2046-01-01"
    assert operator.types("site", "check", edition.folder, "--at", far).code == 2
    result = operator.types("site", "export", "mma", tmp_path / "final", "--final")
    assert result.code == 0, result.err
    assert operator.types("site", "check", tmp_path / "final", "--at", far).code == 0
    assert json.loads((tmp_path / "final" / "sceau-site.json").read_text())["final"] is True


def test_a_badge_shut_since_is_gone_from_the_next_edition(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    assert operator.types("site", "export", "mma", folder).code == 0
    with demo.unit_of_work() as services:
        record = next(open_awards(services, "mma"))
        services.awards.set_visibility(record.award.id, Visibility.CLOSED, by=Actor.command("test"))
    assert operator.types("site", "export", "mma", folder).code == 0
    assert not [path for path in folder.rglob("*") if path.is_file() and str(record.award.id) in str(path)]
    assert str(record.award.id) not in (folder / "SHA256SUMS").read_text()


def test_a_folder_with_something_else_in_it_is_left_alone(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("à garder")
    result = operator.types("site", "export", "mma", tmp_path)
    assert result.code == 3
    assert "autre chose" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert operator.types("site", "check", tmp_path).code == 3


def test_an_edition_says_that_it_was_made(operator: Operator, demo: Process, edition: Edition) -> None:
    with demo.unit_of_work(reading=True) as services:
        campus = services.campuses.get("mma")
        actions = [event.entry.action for event in services.history.all(campus, Filter(nouns=("campus",)))]
    assert "keep" in actions
