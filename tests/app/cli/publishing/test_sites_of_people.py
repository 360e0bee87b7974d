"""`sceau site`: portfolios and recommendations are kept with what it takes to verify them, and nothing closed is."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.container import Process, Services, utc_now
from app.domain.awards import AwardState, Visibility
from app.domain.campus.audit_log import Actor
from app.main import create_app
from app.services.learners.portfolios import PortfolioPage, Wishes
from app.services.verification.static_export import INDEX, ExportedFile, ExportUnit
from app.web.publishing.static_export import ExportedPages
from tests.app.cli.conftest import Operator
from tests.support.badges.endorsed import endorsed
from tests.support.content.open_awards import open_awards

BY = Actor.command("tests")
PROGRAM = (
    "application/vc, application/vc+ld+json, application/ld+json, application/did+json, application/json"
)


@pytest.fixture
def services(demo: Process) -> Iterator[Services]:
    """What a test changes here is kept nowhere."""

    class NotKept(Exception):
        pass

    try:
        with demo.unit_of_work() as work:
            yield work
            raise NotKept
    except NotKept:
        pass


@pytest.fixture
def portfolio(services: Services) -> uuid.UUID:
    (found,) = services.portfolios.found_by_search(limit=1)
    return found


def pages_of(services: Services) -> ExportedPages:
    return ExportedPages(services, services.campuses.get("itip"), utc_now())


def portfolios_of(services: Services) -> str:
    return _text(_made(pages_of(services).portfolios()))


def _made(units: Iterator[ExportUnit]) -> Iterator[ExportedFile]:
    for unit in units:
        yield from unit.make()


def _text(files: Iterator[ExportedFile]) -> str:
    return "".join(file.body.decode() for file in files if file.path.endswith(".html"))


def root_of(folder: Path) -> Path:
    (root,) = [each for each in folder.iterdir() if each.is_dir()]
    return root


def opened_in(services: Services, portfolio: uuid.UUID) -> PortfolioPage:
    return services.portfolios.open_page(portfolio)


def test_every_document_is_what_the_server_answers_at_its_address(demo: Process) -> None:
    at = utc_now()
    process = Process(demo.settings, clock=lambda: at)
    with process.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        files = list(services.kept_site.documents(campus, final=False))
        for record in open_awards(services, "itip"):
            files += [each for each in services.kept_site.documents_of(record) if ".zip" not in each.path]
    kinds = {file.path.partition("/")[0] for file in files}
    assert {"attributions", "recommandations", "organisations", "statuts", "preuves", "ob2"} <= kinds
    with TestClient(create_app(process=process), base_url=process.addresses.base_url) as client:
        for file in files:
            path, accept = address_of(file)
            assert client.get(path, headers={"Accept": accept}).content == file.body, file.path


def address_of(file: ExportedFile) -> tuple[str, str]:
    """A list stands at one address in both its forms, which a folder cannot."""
    if re.fullmatch(r"statuts/[0-9a-f-]+(\.suspensions)?\.jwt", file.path):
        return f"/{file.path.removesuffix('.jwt')}", "application/vc+jwt"
    return f"/{file.path.removesuffix(f'/{INDEX}')}", PROGRAM


def test_a_portfolio_shows_the_open_badges_of_every_campus_and_leads_to_those_that_are_kept(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    result = operator.types("site", "export", "itip", tmp_path / "kept")
    assert result.code == 0, result.err
    with demo.unit_of_work(reading=True) as services:
        (portfolio,) = services.portfolios.found_by_search(limit=1)
        records = [each.record for each in opened_in(services, portfolio).pieces]
        here = {str(each.award.id) for each in records if each.campus.slug == "itip"}
        elsewhere = {services.addresses.award(each.award.id) for each in records} - {
            services.addresses.award(uuid.UUID(each)) for each in here
        }
    assert here
    assert elsewhere
    place = root_of(tmp_path / "kept") / "portfolio" / str(portfolio)
    for name, words in (("index.html", "quand cette page a été gardée"), ("index.en.html", "when this page")):
        page = (place / name).read_text("utf-8")
        assert words in page
        linked = re.findall(rf'href="\.\./\.\./attributions/([0-9a-f-]+)/{re.escape(name)}"', page)
        assert set(linked) == here
        assert all(f'href="{address}"' in page for address in elsewhere)
        pictures = re.findall(r'src="([^"]+image\.svg)"', page)
        assert len(pictures) == len(records)
        assert all((place / each).is_file() for each in pictures)


def test_a_badge_shut_since_is_gone_from_a_portfolio(services: Services, portfolio: uuid.UUID) -> None:
    first, *others = opened_in(services, portfolio).pieces
    assert others
    services.awards.set_visibility(first.record.award.id, Visibility.CLOSED, by=BY)
    page = portfolios_of(services)
    assert str(first.record.award.id) not in page
    assert str(others[0].record.award.id) in page


def test_a_portfolio_without_an_open_badge_of_the_campus_is_none_of_its_own(
    services: Services, portfolio: uuid.UUID
) -> None:
    for each in opened_in(services, portfolio).pieces:
        if each.record.campus.slug == "itip":
            services.awards.set_visibility(each.record.award.id, Visibility.CLOSED, by=BY)
    assert portfolios_of(services) == ""


def test_a_shut_portfolio_is_in_no_edition(services: Services, portfolio: uuid.UUID) -> None:
    services.portfolios.set_open(services.portfolios.get(portfolio), False)
    assert portfolios_of(services) == ""


@pytest.mark.parametrize("findable", [True, False])
def test_search_engines_are_kept_out_of_a_portfolio_by_its_page_where_its_keeper_wants_so(
    services: Services, portfolio: uuid.UUID, findable: bool
) -> None:
    row = services.portfolios.get(portfolio)
    services.portfolios.wish(row, Wishes(row.line, row.naming, row.grouping, findable))
    assert ('content="noindex' in portfolios_of(services)) is not findable


def test_what_organisations_say_is_verified_from_the_folder_alone_in_twenty_years(
    operator: Operator, stranger: Operator, demo: Process, tmp_path: Path
) -> None:
    folder, far = tmp_path / "final", "2046-01-01"
    assert operator.types("site", "export", "itip", folder, "--final").code == 0
    file = next((root_of(folder) / "recommandations").glob("*.json"))
    assert stranger.types("site", "check", folder, "--at", far).code == 0
    before = file.read_bytes()
    said = json.loads(before)
    said["credentialSubject"]["endorsementComment"] += " Et encore."
    file.write_text(json.dumps(said))
    sums = folder / "SHA256SUMS"
    digests = [sha256(each).hexdigest() for each in (before, file.read_bytes())]
    sums.write_text(sums.read_text().replace(*digests))
    result = stranger.types("site", "check", folder, "--at", far)
    assert result.code == 1
    assert str(file.relative_to(folder)) in result.out


def test_a_recommendation_taken_back_is_gone_with_its_page_and_where_it_was_named(
    services: Services,
) -> None:
    campus = services.campuses.get("itip")
    said = next(services.endorsements.readable_in(campus))
    assert str(said.id) in _text(_made(pages_of(services).recommendations()))
    services.endorsements_taken_back.withdraw(services.endorsement_signing.withdraw_token(said.id))
    pages = pages_of(services)
    assert str(said.id) not in _text(_made(pages.recommendations())) + _text(pages.of_campus())
    assert not [
        each for each in services.kept_site.documents(campus, final=False) if str(said.id) in each.path
    ]


def test_words_about_an_award_go_when_its_holder_shuts_it(services: Services) -> None:
    campus = services.campuses.get("itip")
    # Withdrawn badges are open too, and stand in no order.
    record = next(
        each for each in open_awards(services, "itip") if each.award.state is not AwardState.REVOKED
    )
    said = endorsed(services, campus, award=record).id
    assert str(said) in _text(_made(pages_of(services).recommendations()))
    services.awards.set_visibility(record.award.id, Visibility.CLOSED, by=BY)
    assert str(said) not in _text(_made(pages_of(services).recommendations()))
    assert not [each for each in services.kept_site.documents(campus, final=False) if str(said) in each.path]
