"""Every address that anybody may read, with every id there is, in every language and kind: learners who chose least,
whose badge is closed, who are minors, whose badge was withdrawn, or who were erased, are in none of them."""

from __future__ import annotations

import contextlib
import itertools
import re
import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from app.domain.activities import Activity, ActivityKind, PartKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.campus.integration import NamedKind
from app.domain.learners.portfolios import Grouping, Naming
from app.domain.people import AgeGroup
from app.domain.publishing import short_code
from app.http.request_scope import Who
from app.services.awards.awards import AwardRequest
from app.services.learners.portfolios import Wishes
from tests.privacy.test_disclosure_in_every_form import text_in
from tests.security.matrix.callers import Things, things_of
from tests.security.matrix.policy import CASES
from tests.support.app import COMMAND, App

LEAST, CLOSED, CHILD, TEENAGER, WITHDRAWN, ERASED, TURNED = (
    "Moindre", "Ferme", "Enfant", "Adolescent", "Retire", "Efface", "Revenu",
)  # fmt: skip
AGES = {CHILD: AgeGroup.UNDER_15, TEENAGER: AgeGroup.FROM_15}
ACCEPTS = (
    "text/html",
    "application/json",
    "application/vc+ld+json",
    "application/vc+jwt",
    "image/png",
    "*/*",
)
_NO_CRAWL = ("/static/", "/aide", "/schemas/", "/contextes/", "/api/v1/openapi.json", "/mentions-legales")


def needles_of(who: str) -> tuple[str, ...]:
    """Family name, address, identifier, class, comment and contribution, as no other text has them."""
    name = f"Zwingelstein{who}"
    return (
        name,
        name.upper(),
        f"{who.lower()}@zwingel.example",
        f"EXT-{who}-9041",
        f"Quibble{who}",
        f"Wombat{who}",
    )


@dataclass
class Learners:
    app: App
    things: Things
    awards: dict[str, uuid.UUID]
    portfolios: dict[str, uuid.UUID]
    activities: dict[str, uuid.UUID]


@pytest.fixture
def learners(app: App) -> Learners:

    things = things_of(app, app.campus, app.trainer)
    found = Learners(app, things, {}, {}, {})
    for who in (LEAST, CLOSED, CHILD, TEENAGER, WITHDRAWN, ERASED, TURNED):
        add(found, who)
    return found


def add(found: Learners, who: str) -> None:
    app, by = found.app, Actor(found.app.trainer.id)
    family, _, address, external, contribution, comment = needles_of(who)
    with app.unit_of_work() as services:
        activity = services.activities.create(
            Activity(kind=ActivityKind.WORKSHOP, title=f"Atelier Zorg{who}", place=f"Xanadou{who}", hours=7.25,
                     audience=f"Classe Zwingelstein{who}", starts_on=date(2026, 3, 17), ends_on=date(2026, 3, 18)),
            [app.campus], by=COMMAND,
        )  # fmt: skip
        found.activities[who] = activity.id
        line = ListedPerson(
            1, given_name="Ada", family_name=family, address=address, part=PartKind.RESOURCE,
            contribution=f"A monté la {contribution}.",
        )  # fmt: skip
        request = AwardRequest(
            app.role.badge.id, activity.id, lines=(line,), evidence=f"Une vraie {comment}.", tells=False
        )
        (award_id,) = [each.award_id for each in services.awards.award(app.campus, request, by=by).lines]
        assert award_id is not None
        found.awards[who] = award_id
        person = services.awards.record(award_id).person
        services.external_ids.give(app.campus, NamedKind.PERSON, external, person.id)
    with app.unit_of_work() as services:
        person = services.stores.people.get(services.awards.record(award_id).person.id)
        if who in AGES:
            services.age_bands.set_group(person, AGES[who], by=COMMAND, campus_id=app.campus.id)
            return
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        services.awards.set_findable(award_id, True, by=COMMAND)
        record = services.awards.record(award_id)
        services.reissuing.choose_name(record.award, True, name=person.name, by=COMMAND)
        portfolio = services.portfolios.start(person, [award_id])
        services.portfolios.wish(portfolio, Wishes("", Naming.FULL, Grouping.PROJECT, is_findable=True))
        services.portfolios.set_open(portfolio, is_open=True)
        found.portfolios[who] = portfolio.id
        row = services.evidence.find(award_id)
        assert row is not None
        shown = dict.fromkeys(row.entries, DisclosedContent.ALL)
        services.log_disputes.show(app.campus, award_id, shown, by=COMMAND)


def narrow(found: Learners, who: str) -> None:
    """From everything shown to what each of them wants, or what happens to them."""
    app, award_id = found.app, found.awards[who]
    if who in AGES:
        return
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        if who == ERASED:
            services.erasures.process_chunk(app.campus, record.person.id, "À sa demande.", by=COMMAND)
            return
        services.reissuing.choose_name(record.award, False, name=record.person.name, by=COMMAND)
        portfolio = services.portfolios.get(found.portfolios[who])
        services.portfolios.wish(portfolio, Wishes("", Naming.NONE, Grouping.NONE, is_findable=False))
        row = services.evidence.find(award_id)
        assert row is not None
        least = dict.fromkeys(row.entries, DisclosedContent.EXISTENCE)
        services.log_disputes.show(app.campus, award_id, least, by=COMMAND)
        if who in (CLOSED, TURNED):
            services.awards.set_visibility(award_id, Visibility.CLOSED, by=COMMAND)
        if who == TURNED:
            services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        if who == WITHDRAWN:
            services.awards.revoke(app.campus, award_id, f"Donné à Zwingelstein{who} par erreur.", by=COMMAND)


def values_of(found: Learners) -> dict[str, list[str]]:
    """By the names that addresses use: those of the matrix of rights, and every award, portfolio and activity."""
    values = {name: [value] for name, value in found.things.ids.items()}
    values["slug"] = ["itip"]
    values["award_id"] = [str(each) for each in found.awards.values()]
    values["portfolio_id"] = [str(each) for each in found.portfolios.values()]
    values["activity_id"] = [str(each) for each in found.activities.values()]
    values["signs"] = [short_code(each) for each in found.awards.values()]
    values["badge_id"] = [str(found.app.role.badge.id)]
    values["number"] = ["0", "1"]
    values["extension"] = ["json", "jwt", "png", "svg", "zip"]
    values["form"] = ["png", "svg"]
    values["file"] = ["checkpoint", "tile/0/000", "tile/entries/000", "vkey", "cosignatures"]
    values["name"] = ["badges", "pages", "attributions", "portfolios", "campus", "competences", "activites"]
    return values


def addresses(found: Learners) -> Iterator[str]:
    values, base = values_of(found), found.app.process.settings.base_url
    for key, case in CASES.items():
        method, _, path = key.partition(" ")
        if method != "GET" or case.policy.who is not Who.ANYBODY or path.startswith(_NO_CRAWL):
            continue
        names = re.findall(r"{(\w+)(?::\w+)?}", path)
        for chosen in itertools.product(*(values[name] for name in names)):
            filled = iter(chosen)
            yield re.sub(r"{\w+(:\w+)?}", lambda _: next(filled), path)  # noqa: B023 - used at once
    for who, award_id in found.awards.items():
        yield f"/oembed?url={base}/attributions/{award_id}"
        yield f"/verifier?lien={base}/attributions/{award_id}"
        for page in ("badges", "competences", "activites", "campus", "classements", "metiers"):
            yield f"/{page}?q=Zwingelstein{who}"
            yield f"/{page}?q=Zorg{who}"
    for portfolio_id in found.portfolios.values():
        yield f"/oembed?url={base}/portfolio/{portfolio_id}"


@dataclass(frozen=True)
class Read:
    path: str
    accept: str
    answer: Response

    @property
    def text(self) -> str:
        body = self.answer.content
        return f"{dict(self.answer.headers)}\n{text_in(body)}\n{described(body)}"


def answers(reader: TestClient, paths: Iterable[str]) -> Iterator[Read]:
    for path in paths:
        several = ACCEPTS if re.fullmatch(r"/attributions/[0-9a-f-]{36}", path) else ("text/html",)
        for accept in several:
            yield Read(path, accept, reader.get(path, headers={"accept": accept}))


def described(body: bytes) -> str:
    """What a picture says of itself: its chunks of text, packed or not, and its EXIF and XMP."""
    if not body.startswith(b"\x89PNG"):
        return ""
    found, position = [], 8
    while position < len(body):
        (length,), kind = (
            struct.unpack(">I", body[position : position + 4]),
            body[position + 4 : position + 8],
        )
        data = body[position + 8 : position + 8 + length]
        if kind in (b"zTXt", b"iTXt", b"iCCP"):
            packed = data.find(b"\x78", data.find(b"\0"))
            unpacked = zlib.decompressobj()
            with contextlib.suppress(zlib.error):
                data += unpacked.decompress(data[packed:])
        if kind != b"IDAT":
            found.append(data)
        position += 12 + length
    with Image.open(BytesIO(body)) as picture:
        found.append(str([picture.info, dict(picture.getexif())]).encode())
    return b"\n".join(found).decode("utf-8", "replace")


def test_no_public_address_names_who_chose_not_to_be(learners: Learners) -> None:
    reader = learners.app.client()
    own = [str(each) for each in (*learners.awards.values(), *learners.portfolios.values())]
    before = [*answers(reader, (path for path in addresses(learners) if any(each in path for each in own)))]
    seen = {who for who in (LEAST, ERASED) if any(f"Zwingelstein{who}" in each.text for each in before)}
    assert seen == {LEAST, ERASED}, "the needles are found where everything is shown"
    for who in learners.awards:
        narrow(learners, who)
    learners.app.clock.move(minutes=1)
    hidden = [
        needle
        for who in learners.awards
        for needle in (*needles_of(who), f"Zorg{who}", f"Xanadou{who}", f"Classe Zwingelstein{who}")
    ]
    assert [
        (each.path, each.accept, needle)
        for each in answers(reader, addresses(learners))
        for text in [each.text]
        for needle in hidden
        if needle in text and needle not in each.path
    ] == []
    assert [each.path for each in before if is_told_unchanged(reader, each)] == []


def is_told_unchanged(reader: TestClient, before: Read) -> bool:
    """Whether a copy from before is good still, though the address answers something else."""
    asked = {"accept": before.accept}
    etag, now = before.answer.headers.get("etag"), reader.get(before.path, headers=asked)
    if etag is None or (now.status_code, now.content) == (before.answer.status_code, before.answer.content):
        return now.status_code >= 400 and "etag" in now.headers
    again = reader.get(before.path, headers={**asked, "if-none-match": etag})
    return again.status_code == 304 or reader.head(before.path, headers=asked).status_code != now.status_code
