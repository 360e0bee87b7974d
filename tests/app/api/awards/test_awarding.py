"""Awarding by API: each line is answered and awarded once, whatever is repeated or concurrent."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.db.awards.batches import BatchStore
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import LineOutcome
from app.domain.awards.batches import INLINE_LIMIT, key_of_page, key_of_program
from app.errors import Conflict
from app.services.awards.award_context import AwardRequest
from app.services.awards.batches import BulkAwardService, ChunkResult
from tests.app.api import clients
from tests.app.api.clients import V1
from tests.support.app import COMMAND, App, build_app
from tests.support.running.every import for_each

PEOPLE = [
    {"given_name": "Zoé", "family_name": "Martin", "address": "zoe@exemple.fr"},
    {"given_name": "Éric", "family_name": "Hérault", "address": "eric@exemple.fr"},
    {"given_name": "Nolwenn", "family_name": "Jaouen", "address": "nolwenn@exemple,fr"},
]


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    """Both engines in turn: these guarantees depend on what the database does with two writers."""
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def program(app: App) -> TestClient:
    return clients.program(app)


def body(app: App, **change: object) -> dict[str, object]:
    asked = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id), "people": PEOPLE}
    return asked | change


def give(client: TestClient, app: App, key: str | None = None, **change: object):
    headers = {"idempotency-key": key} if key else {}
    return client.post(f"{V1}/awards", json=body(app, **change), headers=headers)


def test_good_lines_are_awarded_and_the_others_give_a_reason(app: App, program: TestClient):
    answer = give(program, app)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert (result["awarded"], result["already_held"], result["refused"]) == (2, 0, 1)
    zoe, _, nolwenn = result["lines"]
    assert zoe["outcome"] == "awarded"
    assert nolwenn["outcome"] == "invalid_address"
    assert nolwenn["message"]
    assert nolwenn["award"] is nolwenn["private_link"] is None
    read = program.get(f"{V1}/awards/{zoe['award']}").json()
    assert (read["given_name"], read["state"], read["visibility"]) == ("Zoé", "issued", "closed")
    assert read["address"] == zoe["award_address"]


def test_the_private_link_opens_the_badge_for_its_holder(app: App, program: TestClient):
    link = give(program, app).json()["lines"][0]["private_link"]
    answer = app.client().get(link.removeprefix(app.process.settings.base_url))
    assert answer.status_code in (200, 303)


def test_the_same_request_again_awards_nothing_more(app: App, program: TestClient):
    first, second = give(program, app).json(), give(program, app).json()
    assert (second["awarded"], second["already_held"]) == (0, 2)
    assert [line["award"] for line in second["lines"]] == [line["award"] for line in first["lines"]]
    assert [line["private_link"] for line in second["lines"]] == [None, None, None]


def test_the_same_key_gives_the_same_answer(app: App, program: TestClient):
    first, second = give(program, app, "cle-1"), give(program, app, "cle-1")
    assert second.json() == first.json()
    assert second.json()["awarded"] == 2


def test_the_same_key_at_once_gives_one_answer_to_all(app: App, program: TestClient):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: give(program, app, "cle-1"), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert len(program.get(f"{V1}/awards").json()["items"]) == 2


def test_the_same_line_at_once_is_awarded_once(app: App, program: TestClient):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: give(program, app).json(), range(4)))
    assert sorted(answer["awarded"] for answer in answers) == [0, 0, 0, 2]
    assert len({answer["lines"][0]["award"] for answer in answers}) == 1


@for_each(
    ("change", "pointer"),
    [
        ({"people": []}, "/people"),
        ({"people": [], "activity": None}, "/people"),
        ({"people": [], "everybody": True, "activity": None}, "/activity"),
        ({"participations": [str(uuid.uuid4())], "activity": None}, "/activity"),
        ({"persons": [str(uuid.uuid4())]}, "/persons"),
    ],
)
@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_request_for_no_recipient_is_refused_at_its_field(
    app: App, program: TestClient, query: str, change: dict[str, object], pointer: str
):
    answer = program.post(f"{V1}/awards{query}", json=body(app, **change))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], "forme attendue" in error["reason"]) == (pointer, False)


def test_lines_of_everybody_and_of_chosen_people_have_their_ids(app: App, program: TestClient):
    app.record("MARTIN Zoé; zoe@exemple.fr\nHÉRAULT Éric; eric@exemple.fr")
    there = program.get(f"{V1}/activities/{app.activity.id}/participations").json()["items"]
    expected = sorted((each["id"], each["person"]) for each in there)
    unknown = str(uuid.uuid4())
    for change in ({"everybody": True}, {"participations": [unknown, *(each["id"] for each in there)]}):
        for query in ("?dry_run=true", ""):
            asked = body(app, people=[], **change)
            answer = program.post(f"{V1}/awards{query}", json=asked).json()
            found = sorted((line["participation"], line["person"]) for line in answer["lines"])
            assert (found, answer["unknown"]) == (expected, [unknown] if "participations" in change else [])


def test_a_dry_run_names_no_person_of_a_line_that_is_not_awarded(app: App, program: TestClient):
    """They may be known at another campus alone."""
    app.record("MARTIN Zoé; zoe@exemple.fr")
    for line in program.post(f"{V1}/awards?dry_run=true", json=body(app)).json()["lines"]:
        assert (line["person"], line["participation"]) == (None, None)
    given = give(program, app).json()["lines"]
    assert [bool(line["person"]) for line in given] == [True, True, False]


def crowd(size: int) -> list[dict[str, str]]:
    return [
        {"given_name": "Zoé", "family_name": f"Martin{number}", "address": f"zoe{number}@exemple.fr"}
        for number in range(size)
    ]


def test_a_long_list_is_processed_in_chunks_and_answered_in_full(
    app: App, program: TestClient, monkeypatch: pytest.MonkeyPatch
):
    carried: list[ChunkResult] = []
    whole = BulkAwardService.process_chunk

    def noted(self: BulkAwardService, batch_id: uuid.UUID, **named: int) -> ChunkResult:
        carried.append(whole(self, batch_id, **named))
        return carried[-1]

    monkeypatch.setattr(BulkAwardService, "process_chunk", noted)
    monkeypatch.setattr(BatchStore, "lines_at_once", 30)
    answer = give(program, app, "cle-1", people=crowd(INLINE_LIMIT + 20)).json()
    assert answer["awarded"] == len(answer["lines"]) == INLINE_LIMIT + 20
    assert [each.awarded for each in carried] == [30, 30, 10]
    assert give(program, app, "cle-1", people=crowd(INLINE_LIMIT + 20)).json() == answer
    assert len(carried) == 3


def test_an_interrupted_long_list_continues_and_the_same_key_returns_its_answer(
    app: App, program: TestClient, monkeypatch: pytest.MonkeyPatch
):
    """As when a server is killed: the enqueued batch stays, the worker or the next request processes it, nothing twice."""
    whole = BulkAwardService.process_chunk
    monkeypatch.setattr(BatchStore, "lines_at_once", 30)

    def fails_later(self: BulkAwardService, batch_id: uuid.UUID, **named: int) -> ChunkResult:
        if self.batches.next_lines(batch_id, 1)[0].position >= 30:
            raise Conflict("Plus tard.")
        return whole(self, batch_id, **named)

    monkeypatch.setattr(BulkAwardService, "process_chunk", fails_later)
    assert give(program, app, "cle-1", people=crowd(INLINE_LIMIT + 20)).status_code == 409
    assert len(program.get(f"{V1}/awards?limit=200").json()["items"]) == 30
    monkeypatch.setattr(BulkAwardService, "process_chunk", whole)
    answer = give(program, app, "cle-1", people=crowd(INLINE_LIMIT + 20)).json()
    assert answer["awarded"] == INLINE_LIMIT + 20
    assert len(program.get(f"{V1}/awards?limit=200").json()["items"]) == INLINE_LIMIT + 20


def test_a_key_used_for_another_request_is_refused_and_awards_nothing(app: App, program: TestClient):
    give(program, app, "cle-1")
    other = give(program, app, "cle-1", people=[{"family_name": "Durand", "address": "d@exemple.fr"}])
    assert other.status_code == 422
    assert len(program.get(f"{V1}/awards").json()["items"]) == 2


@for_each("key", ["a" * 129, "avec espace", "cl\u00e9", ""])
def test_a_malformed_key_is_refused(app: App, program: TestClient, key: str):
    headers = {"idempotency-key": key.encode("latin-1")}
    answer = program.post(f"{V1}/awards", json=body(app), headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].lower() == "/header/idempotency-key"


def test_pages_show_each_award_once_while_others_are_given(app: App, program: TestClient):
    for number in range(7):
        people = [{"family_name": f"Nom{number}", "address": f"p{number}@exemple.fr"}]
        assert give(program, app, people=people).json()["awarded"] == 1
        app.clock.move(seconds=number % 2)
    seen: list[str] = []
    path: str | None = f"{V1}/awards?limit=3"
    while path:
        answer = program.get(path)
        seen += [award["family_name"] for award in answer.json()["items"]]
        link = answer.headers.get("link")
        assert (link is None) == (answer.json()["next"] is None)
        path = link.partition(">")[0].lstrip("<") if link else None
        app.clock.move(seconds=1)
        give(program, app, people=[{"family_name": "Tard", "address": f"tard{len(seen)}@exemple.fr"}])
    assert sorted(seen) == [f"Nom{number}" for number in range(7)]


def test_awards_are_listed_by_badge_and_by_activity(app: App, program: TestClient):
    give(program, app)
    for query, found in (
        (f"badge={app.presence.badge.id}", 2),
        (f"badge={app.role.badge.id}", 0),
        (f"activity={app.activity.id}", 2),
        (f"activity={app.role.badge.id}", 0),
    ):
        assert len(program.get(f"{V1}/awards?{query}").json()["items"]) == found, query


@for_each("cursor", ["x", "AAAA", "é", "_" * 60, "AAAAAGel0zCz87Heiv9PDI83H0wbf39i==="])
def test_a_foreign_cursor_is_refused_or_empty(program: TestClient, cursor: str):
    assert program.get(f"{V1}/awards", params={"after": cursor}).status_code in (200, 422)


def test_a_withdrawn_award_reports_it_and_cannot_be_withdrawn_again(app: App, program: TestClient):
    award = give(program, app).json()["lines"][0]["award"]
    address = f"{V1}/awards/{award}/revocation"
    answer = program.post(address, json={"reason": "Erreur de personne."})
    assert answer.status_code == 200
    assert answer.json()["state"] == "revoked"
    assert answer.json()["revoked_reason"] == "Erreur de personne."
    assert program.get(f"{V1}/awards/{award}").json() == answer.json()
    assert program.post(address, json={"reason": "Encore une fois."}).status_code == 409


def test_all_participants_of_an_activity_are_awarded_without_being_named(app: App, program: TestClient):
    app.record("Zoé Martin;zoe@exemple.fr", "Paul Durand")
    assert give(program, app, people=[], everybody=True).json()["awarded"] == 2


def test_only_the_chosen_participants_of_an_activity_are_awarded(app: App, program: TestClient):
    app.record("Zoé Martin;zoe@exemple.fr", "Paul Durand")
    there = program.get(f"{V1}/activities/{app.activity.id}/participations").json()["items"]
    chosen = next(one["id"] for one in there if one["family_name"] == "Durand")
    result = give(program, app, people=[], participations=[chosen]).json()
    assert [line["family_name"] for line in result["lines"]] == ["Durand"]


@pytest.mark.parametrize("kind", ["request", "pathway"])
def test_a_key_of_a_program_never_matches_an_internal_one(app: App, program: TestClient, kind: str):
    """A client that guesses the key of a future decision neither blocks it nor gets its answer."""
    own = f"{kind}/{uuid.uuid4()}"
    first = give(program, app, own).json()
    assert first["awarded"] == 2
    with app.unit_of_work() as services:
        line = ListedPerson(
            line=1, given_name="Inès", family_name="Roy", address="ines@exemple.fr", is_chosen=True
        )
        asked = AwardRequest(app.presence.badge.id, app.activity.id, lines=(line,), idempotency_key=own)
        result = services.awards.award(app.campus, asked, by=COMMAND)
        assert [each.outcome for each in result.lines] == [LineOutcome.AWARDED]
    assert give(program, app, own).json() == first


def test_a_key_stored_by_an_earlier_version_still_returns_its_answer(app: App, program: TestClient):
    first = give(program, app, "cle-1").json()
    with app.unit_of_work() as services:
        batch = services.award_batches.batches.find_by_key(app.campus.id, key_of_program("cle-1"))
        assert batch is not None
        batch.idempotency_key = "cle-1"
        services.award_batches.batches.save(batch)
    assert give(program, app, "cle-1").json() == first
    other = give(program, app, "cle-1", people=[{"family_name": "Durand", "address": "d@exemple.fr"}])
    assert other.status_code == 422
    assert len(program.get(f"{V1}/awards").json()["items"]) == 2


@for_each("given", ["request/1", "pathway/1/2/3", "api/cle-1", "/", "a" * 300])
def test_a_form_cannot_send_a_key_of_another_kind(given: str):
    stored = key_of_page(given)
    assert stored is not None
    assert "/" not in stored
    assert len(stored) <= 128
