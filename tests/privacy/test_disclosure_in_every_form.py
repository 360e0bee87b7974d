"""Whatever a holder shows: what they hide is in no byte of any public form, at once, whichever process answers."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader

from app.container import Process
from app.domain.activities import Activity, ActivityKind, PartKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.learners.portfolios import Grouping, Naming
from app.domain.people import AgeGroup
from app.domain.people.consents import parent_token
from app.main import create_app
from app.services.awards.awards import AwardRequest
from app.services.learners.portfolios import Wishes
from app.web.publishing.static_export import ExportedPages
from tests.support.app import COMMAND, App, send
from tests.support.content.open_awards import open_awards

DETAILS: Final = {
    "title": ("Zorglubique",),
    "place": ("Xanadouville",),
    "contribution": ("Quibblepatate",),
    "comment": ("Wombatologue",),
}
SUMMARY: Final = {
    "hours": ("7,25", "7.25", '"minutes":435', "PT7H15M"),
    "dates": (
        "2026-03-17", "2026-03-18", "2026-03-16T23", "17 mars", "18 mars", "17 March", "18 March", "17/03/2026",
    ),
    "role": ('"role":"ressource"', '"part":"ressource"', "Rôle : ressource", "Role: resource", "Part: resource"),
}  # fmt: skip
NEVER: Final = {"audience": ("Grenouillistes",)}
HIDDEN: Final = {
    DisclosedContent.ALL: NEVER,
    DisclosedContent.SUMMARY: NEVER | DETAILS,
    DisclosedContent.EXISTENCE: NEVER | DETAILS | SUMMARY,
}
ACCEPTS: Final = (
    "text/html",
    "application/vc+ld+json",
    "application/vc+jwt",
    "image/png",
    "image/svg+xml",
    "*/*",
)
_HARD_SPACES: Final = str.maketrans({"\u00a0": " ", "\u202f": " "})


@dataclass
class Shelf:
    """One open award of a person whose portfolio shows it, and two processes on the same database."""

    app: App
    award_id: uuid.UUID
    portfolio_id: uuid.UUID
    learner: TestClient
    readers: list[TestClient] = field(default_factory=list)


@pytest.fixture
def shelf(app: App) -> Iterator[Shelf]:
    with app.unit_of_work() as services:
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.WORKSHOP, title="Atelier Zorglubique", place="Xanadouville", hours=7.25,
                audience="Grenouillistes", starts_on=date(2026, 3, 17), ends_on=date(2026, 3, 18),
            ),
            [app.campus], by=COMMAND,
        )  # fmt: skip
        line = ListedPerson(
            1, given_name="Zoé", family_name="Martin", address="zoe@exemple.fr", part=PartKind.RESOURCE,
            contribution="A monté la Quibblepatate.",
        )  # fmt: skip
        request = AwardRequest(
            app.role.badge.id, activity.id, lines=(line,), evidence="Une vraie Wombatologue.", tells=False
        )
        result = services.awards.award(app.campus, request, by=Actor(app.trainer.id))
        (award_id,) = [each.award_id for each in result.lines if each.award_id]
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        person = services.awards.record(award_id).person
        portfolio = services.portfolios.start(person, [award_id])
        services.portfolios.wish(portfolio, Wishes("", Naming.SHORT, Grouping.PROJECT, is_findable=False))
        services.portfolios.set_open(portfolio, is_open=True)
        portfolio_id = portfolio.id
    learner = app.client()
    learner.get(app.private_link(result))
    other = Process(app.process.settings, clock=app.clock)
    with TestClient(
        create_app(process=other), base_url=app.process.settings.base_url, follow_redirects=False
    ) as elsewhere:
        yield Shelf(app, award_id, portfolio_id, learner, [app.client(), elsewhere])
    other.engine.dispose()


def choose(shelf: Shelf, shown: DisclosedContent) -> None:
    with shelf.app.unit_of_work(reading=True) as services:
        row = services.evidence.find(shelf.award_id)
        assert row is not None
        form = {f"ligne-{number}": shown.value for number in row.entries}
    answer = send(
        shelf.learner,
        f"/mes-badges/{shelf.award_id}/journal/montrer",
        form,
        seen_on=f"/mes-badges/{shelf.award_id}/journal",
    )
    assert answer.status_code == 303, answer.text


def public_paths(client: TestClient, shelf: Shelf) -> list[str]:
    """Every address of the application that names an award or a portfolio, and what leads to them."""
    values = {
        "award_id": [str(shelf.award_id)],
        "portfolio_id": [str(shelf.portfolio_id)],
        "extension": ["json", "jwt", "png", "svg", "zip"],
        "form": ["json", "jwt", "png", "svg", "zip", "pdf"],
        "taken": ["cv.json", "europass.json", "portfolio.pdf"],
        "number": ["0", "1", "2"],
    }
    found: list[str] = []
    for route in client.app.routes:  # type: ignore[attr-defined]
        path = getattr(route, "path", "")
        if "GET" not in (getattr(route, "methods", None) or ()):
            continue
        if "{award_id" not in path and "{portfolio_id" not in path:
            continue
        names = re.findall(r"{(\w+)(?::\w+)?}", path)
        paths = [path]
        for name in names:
            paths = [
                re.sub(rf"{{{name}(:\w+)?}}", value, each, count=1)
                for each in paths
                for value in values.get(name, [str(shelf.award_id)])
            ]
        found += [each for each in paths if not each.startswith("/mes-badges")]
    base = shelf.app.process.settings.base_url
    return [
        *found,
        f"/oembed?url={base}/attributions/{shelf.award_id}",
        f"/oembed?url={base}/portfolio/{shelf.portfolio_id}",
        "/campus/itip/journal",
        "/campus/itip",
        "/sitemap.xml",
    ]


def opened(body: bytes) -> Iterator[bytes]:
    """A body, and whatever is packed or encoded in it."""
    yield body
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for name in packed.namelist():
                yield from opened(packed.read(name))
    for token in re.findall(rb"eyJ[\w-]+\.([\w-]{20,})\.[\w-]+", body):
        yield base64.urlsafe_b64decode(token + b"=" * (-len(token) % 4))
    if body.startswith(b"%PDF"):
        yield from what_is_in(PdfReader(io.BytesIO(body)))


def what_is_in(document: PdfReader) -> Iterator[bytes]:
    """The text of a PDF, its attachments and its description; its drawing is full of numbers that say nothing."""
    for page in document.pages:
        yield page.extract_text().encode()
    for versions in document.attachments.values():
        for content in versions:
            yield from opened(content)
    yield str(document.metadata).encode()
    described = document.root_object.get("/Metadata")
    if described is not None:
        yield described.get_object().get_data()


def text_in(body: bytes) -> str:
    plain = b"\n".join(opened(body)).decode("utf-8", "replace").translate(_HARD_SPACES)
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), plain)


def requests_for(path: str) -> Iterator[dict[str, str]]:
    """The headers to ask with: every language of a page, every media type of an address that has several."""
    for language in ("fr", "en") if "." not in path.rpartition("/")[2] else ("fr",):
        yield {"accept": "text/html", "accept-language": language}
    if re.fullmatch(r"/attributions/[0-9a-f-]{36}", path):
        yield from ({"accept": accept} for accept in ACCEPTS)


def every_form(shelf: Shelf) -> Iterator[tuple[str, bytes]]:
    """All that everybody can read of the award, what its holder downloads, and the static export."""
    yield from public_forms(shelf)
    for name in ("json", "jwt", "png", "svg", "pdf", "zip"):
        answer = shelf.learner.get(f"/mes-badges/{shelf.award_id}/badge.{name}")
        assert answer.status_code == 200
        yield f"download of {name}", answer.content
    with shelf.app.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        for unit in [*ExportedPages(services, campus, shelf.app.clock.now).units(final=False)]:
            for path, body in unit.files():
                if not path.startswith("static/"):
                    yield f"export: {path}", body


def public_forms(shelf: Shelf) -> Iterator[tuple[str, bytes]]:
    for number, reader in enumerate(shelf.readers):
        for path in public_paths(reader, shelf):
            for headers in requests_for(path):
                answer = reader.get(path, headers=headers)
                if answer.status_code == 200:
                    yield f"process {number}: {path} with {headers}", answer.content


def few_forms(shelf: Shelf) -> Iterator[tuple[str, bytes]]:
    """The page, the signed document and what is opened of the log: all other forms are made of these."""
    for path in (
        f"/attributions/{shelf.award_id}",
        f"/attributions/{shelf.award_id}.json",
        f"/preuves/{shelf.award_id}/montrees",
    ):
        answer = shelf.readers[0].get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200
        yield path, answer.content


def found_in(
    shelf: Shelf,
    facts: dict[str, tuple[str, ...]],
    forms: Callable[[Shelf], Iterator[tuple[str, bytes]]] = every_form,
) -> set[tuple[str, str, str]]:
    return {
        (where, fact, needle)
        for where, body in forms(shelf)
        for text in [text_in(body)]
        for fact, needles in facts.items()
        for needle in needles
        if needle in text
    }


def test_what_a_holder_hides_is_in_no_public_form_of_any_process(shelf: Shelf) -> None:
    choose(shelf, DisclosedContent.ALL)
    shelf.app.clock.move(minutes=1)
    result = {fact for _, fact, _ in found_in(shelf, DETAILS | SUMMARY | NEVER)}
    assert result == {*DETAILS, *SUMMARY}, (
        "the needles are found where everything is shown, but for the audience"
    )
    for shown in (DisclosedContent.SUMMARY, DisclosedContent.EXISTENCE):
        list(public_forms(shelf))  # caches are warm
        choose(shelf, shown)
        assert found_in(shelf, HIDDEN[shown]) == set()


def test_by_default_only_the_summary_is_public(shelf: Shelf) -> None:
    assert found_in(shelf, HIDDEN[DisclosedContent.SUMMARY], few_forms) == set()
    assert {fact for _, fact, _ in found_in(shelf, SUMMARY, few_forms)} == {*SUMMARY}


def test_what_a_revoked_badge_shows_can_still_be_narrowed(shelf: Shelf) -> None:
    choose(shelf, DisclosedContent.ALL)
    with shelf.app.unit_of_work() as services:
        services.awards.revoke(shelf.app.campus, shelf.award_id, "Donné à Bertrandville.", by=COMMAND)
    choose(shelf, DisclosedContent.EXISTENCE)
    assert found_in(shelf, {"reason": ("Bertrandville",)}, public_forms) == set()
    assert found_in(shelf, HIDDEN[DisclosedContent.EXISTENCE], few_forms) == set()


def test_a_holder_noted_as_a_minor_shows_no_free_text_and_no_more_when_grown_up(shelf: Shelf) -> None:
    choose(shelf, DisclosedContent.ALL)
    for group in (AgeGroup.FROM_15, AgeGroup.ADULT):
        with shelf.app.unit_of_work() as services:
            person = services.stores.people.get(services.awards.record(shelf.award_id).person.id)
            services.age_bands.set_group(person, group, by=COMMAND, campus_id=shelf.app.campus.id)
        assert found_in(shelf, HIDDEN[DisclosedContent.SUMMARY], few_forms) == set()


def test_the_comparison_says_what_the_page_will_contain(shelf: Shelf) -> None:
    choose(shelf, DisclosedContent.ALL)
    with shelf.app.unit_of_work(reading=True) as services:
        row = services.evidence.find(shelf.award_id)
        assert row is not None
        form = {f"ligne-{number}": DisclosedContent.EXISTENCE.value for number in row.entries}
    answer = send(
        shelf.learner,
        f"/mes-badges/{shelf.award_id}/journal/montrer/comparer",
        form,
        seen_on=f"/mes-badges/{shelf.award_id}/journal",
    )
    before, after = answer.text.split('aria-labelledby="apres"')
    assert all(needle in before for needles in DETAILS.values() for needle in needles)
    assert not any(
        needle in text_in(after.encode())
        for each in HIDDEN[DisclosedContent.EXISTENCE].values()
        for needle in each
    )
    page = shelf.readers[0].get(f"/attributions/{shelf.award_id}", headers={"accept": "text/html"})
    assert "Zorglubique" in page.text, "nothing is changed by looking"


def answered(shelf: Shelf, name: str) -> set[str]:
    """The public addresses of the award or the portfolio that answer with anything."""
    return {where for where, _ in public_forms(shelf) if name in where}


def test_a_closed_badge_is_in_no_public_form_of_any_process(shelf: Shelf) -> None:
    assert answered(shelf, str(shelf.award_id)), "caches are warm"
    with shelf.app.unit_of_work() as services:
        services.awards.set_visibility(shelf.award_id, Visibility.CLOSED, by=COMMAND)
    assert answered(shelf, str(shelf.award_id)) == set()
    with shelf.app.unit_of_work(reading=True) as services:
        assert list(open_awards(services, "itip")) == []


def test_a_name_that_was_removed_is_in_no_public_form_of_any_process(shelf: Shelf) -> None:
    name = {"name": ("Martin",)}
    with shelf.app.unit_of_work() as services:
        record = services.awards.record(shelf.award_id)
        services.reissuing.choose_name(record.award, True, name=record.person.name, by=COMMAND)
    assert found_in(shelf, name, public_forms)
    with shelf.app.unit_of_work() as services:
        record = services.awards.record(shelf.award_id)
        services.reissuing.choose_name(record.award, False, name=record.person.name, by=COMMAND)
    assert found_in(shelf, name, public_forms) == set()


def test_a_guardian_is_needed_from_the_moment_a_holder_is_noted_as_under_15(shelf: Shelf) -> None:
    assert answered(shelf, str(shelf.award_id)), "caches are warm"
    with shelf.app.unit_of_work() as services:
        person = services.stores.people.get(services.awards.record(shelf.award_id).person.id)
        services.age_bands.set_group(person, AgeGroup.UNDER_15, by=COMMAND, campus_id=shelf.app.campus.id)
    assert answered(shelf, str(shelf.award_id)) == set()
    assert answered(shelf, str(shelf.portfolio_id)) == set()


def test_a_guardians_no_closes_every_public_form_of_every_process(shelf: Shelf) -> None:
    with shelf.app.unit_of_work() as services:
        record = services.awards.record(shelf.award_id)
        services.guardians.set_age_group(shelf.app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        token = parent_token(services.guardians.secret, agreement.id)
    with shelf.app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        services.awards.set_visibility(shelf.award_id, Visibility.OPEN, by=COMMAND)
        services.portfolios.set_open(services.portfolios.get(shelf.portfolio_id), is_open=True)
    assert answered(shelf, str(shelf.award_id)), "caches are warm"
    assert answered(shelf, str(shelf.portfolio_id))
    with shelf.app.unit_of_work() as services:
        services.guardians.answer(token, agreed=False)
    assert answered(shelf, str(shelf.award_id)) == set()
    assert answered(shelf, str(shelf.portfolio_id)) == set()


def test_an_erased_holder_is_in_no_public_form_of_any_process(shelf: Shelf) -> None:
    choose(shelf, DisclosedContent.ALL)
    assert answered(shelf, str(shelf.award_id)), "caches are warm"
    with shelf.app.unit_of_work() as services:
        person = services.awards.record(shelf.award_id).person
        services.erasures.process_chunk(shelf.app.campus, person.id, "À sa demande.", by=COMMAND)
    assert answered(shelf, str(shelf.award_id)) == set()
    result = {"holder": ("Martin", "Quibblepatate", "Wombatologue")}
    assert found_in(shelf, result, public_forms) == set()


def test_search_engines_find_only_what_the_holder_lets_them_find(shelf: Shelf) -> None:
    for findable in (True, False):
        with shelf.app.unit_of_work() as services:
            services.awards.set_findable(shelf.award_id, findable, by=COMMAND)
        for reader in shelf.readers:
            page = reader.get(f"/attributions/{shelf.award_id}", headers={"accept": "text/html"})
            assert ("noindex" in page.headers.get("x-robots-tag", "")) is not findable


def test_a_signed_badge_contains_no_address_and_no_digest_of_one(shelf: Shelf) -> None:
    address = b"zoe@exemple.fr"
    digests = [hashlib.new(name, address).hexdigest() for name in ("md5", "sha1", "sha256")]
    assert found_in(shelf, {"address": (address.decode(), "sha256$", *digests)}, few_forms) == set()
