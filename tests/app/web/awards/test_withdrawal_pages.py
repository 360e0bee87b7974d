"""Withdrawing many badges in the browser: for one reason, once, with an answer for every line."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from app.domain.awards import Award, AwardState
from app.jobs.kinds import WITHDRAWALS
from app.web.awards import register
from tests.app.web.awards.awarding_steps import rows_of
from tests.support.app import App, send
from tests.support.forms import form_with

REASON = "Les badges ont été donnés à la mauvaise liste."
NEW = "/gestion/itip/retraits/nouveau"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


def given(app: App, count: int) -> tuple[str, list[uuid.UUID]]:
    """The result's id, and the awards in the order of the list."""
    result = app.award(*(f"PERSONNE-{number:03} Zoé;z{number}@exemple.fr" for number in range(count)))
    return str(result.batch.id), [line.award_id for line in result.lines if line.award_id]


def states(app: App) -> dict[uuid.UUID, AwardState]:
    with app.unit_of_work(reading=True) as services:
        records = services.awards.list_in(app.campus, limit=1000)
        return {record.award.id: record.award.state for record in records}


def read(page) -> str:
    return page.text.replace("\xa0", " ").replace("\u202f", " ")


def test_ticked_badges_are_withdrawn_for_one_reason_and_the_others_stand(app: App, trainer: TestClient):
    batch, awards = given(app, 3)
    page = trainer.get(f"{NEW}?lot={batch}")
    chosen = form_with(page, "motif").fill(
        lesquels="coches", attribution=[str(award) for award in awards[:2]], motif=REASON
    )
    done = chosen.press(trainer, page)
    shown = trainer.get(done.headers["location"])
    assert "2 badges retirés" in read(shown)
    assert REASON in shown.text
    assert states(app) == {
        awards[0]: AwardState.REVOKED,
        awards[1]: AwardState.REVOKED,
        awards[2]: AwardState.ISSUED,
    }


@pytest.mark.parametrize("who", ["", "coches"])
def test_both_faults_are_shown_at_their_fields(app: App, trainer: TestClient, who: str):
    batch, _ = given(app, 2)
    page = trainer.get(f"{NEW}?lot={batch}")
    refused = form_with(page, "motif").fill(lesquels=who, motif="Oui").press(trainer, page)
    assert refused.status_code == 422
    for field in ("lesquels", "motif"):
        assert f'id="{field}-erreur"' in refused.text
        assert f'href="#{field}"' in refused.text
    assert "\nOui</textarea>" in refused.text
    assert list(states(app).values()) == [AwardState.ISSUED] * 2


def test_only_the_awards_that_are_shown_are_read_whole(
    app: App, trainer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "MOST_TICKS", 2)
    batch, awards = given(app, 5)
    loaded = list[uuid.UUID]()

    def note(award: Award, _context: object) -> None:
        loaded.append(award.id)

    event.listen(Award, "load", note)
    page = trainer.get(f"{NEW}?lot={batch}")
    event.remove(Award, "load", note)
    assert "5 badges sont encore valables ici." in read(page)
    assert "3 autres badges ne sont pas montrés ici." in read(page)
    assert set(loaded) == set(awards[:2])


def test_the_same_form_sent_twice_withdraws_once_and_leads_to_one_result(app: App, trainer: TestClient):
    batch, _ = given(app, 2)
    page = trainer.get(f"{NEW}?lot={batch}")
    form = form_with(page, "motif").fill(lesquels="tous", motif=REASON)
    assert len({form.press(trainer, page).headers["location"] for _ in range(2)}) == 1


def test_a_badge_withdrawn_meanwhile_is_reported_as_already_withdrawn(app: App, trainer: TestClient):
    batch, awards = given(app, 2)
    page = trainer.get(f"{NEW}?lot={batch}")
    form = form_with(page, "motif").fill(
        lesquels="coches", attribution=[*map(str, awards), str(uuid.uuid4())], motif=REASON
    )
    one = f"/gestion/itip/attributions/{awards[0]}/retirer"
    assert send(trainer, one, {"motif": "Erreur de personne."}).status_code == 303
    place = form.press(trainer, page).headers["location"]
    assert rows_of(trainer.get(f"{place}/lignes.csv"))[1:] == [
        ["Zoé Personne-000", "Robotique pour tous", "Était déjà retiré"],
        ["Zoé Personne-001", "Robotique pour tous", "Retiré"],
        ["", "", "N’existe pas ici"],
    ]
    assert "Lignes d’un retrait de badges" in app.client(app.admin).get("/gestion/itip/historique").text


def test_many_are_withdrawn_behind_a_page_that_tells_how_far_it_is(app: App, trainer: TestClient):
    batch, _ = given(app, 60)
    page = trainer.get(f"{NEW}?lot={batch}")
    form = form_with(page, "motif").fill(lesquels="tous", motif=REASON)
    place = form.press(trainer, page).headers["location"]
    running = trainer.get(place)
    assert "0 sur 60" in read(running)
    assert '<noscript><meta http-equiv="refresh"' in running.text
    for withdrawal in WITHDRAWALS.due(app.process):
        while WITHDRAWALS.perform(app.process, withdrawal):
            pass
    assert "60 badges retirés" in read(trainer.get(place))
    result = trainer.get(f"{place}/avancement").text
    assert '"done": 60' in result
    assert "event: fin" in result


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"lesquels": "tous", "motif": ""}, "Dites en une phrase pourquoi"),
        ({"lesquels": "coches", "motif": REASON}, "Choisissez au moins un badge"),
        ({"motif": REASON}, "seulement ceux que vous cochez"),
    ],
)
def test_what_is_missing_is_reported_and_nothing_typed_is_lost(
    app: App, trainer: TestClient, fields: dict[str, str], sentence: str
):
    batch, awards = given(app, 1)
    answer = send(trainer, NEW, {"lot": batch, **fields}, seen_on=f"{NEW}?lot={batch}")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert fields["motif"] in answer.text
    assert states(app) == {awards[0]: AwardState.ISSUED}


def test_another_campus_sees_neither_our_badges_nor_what_became_of_them(app: App, trainer: TestClient):
    batch, awards = given(app, 1)
    stranger = app.client(app.stranger)
    theirs = "/gestion/agt/retraits/nouveau"
    assert "Personne-000" not in stranger.get(f"{theirs}?lot={batch}").text
    place = send(
        stranger, theirs, {"lesquels": "coches", "attribution": str(awards[0]), "motif": REASON},
        seen_on="/gestion/agt/activites/nouvelle",
    ).headers["location"]  # fmt: skip
    assert "Badge inconnu de ce campus" in stranger.get(place).text
    assert states(app) == {awards[0]: AwardState.ISSUED}
    assert trainer.get(place.replace("/agt/", "/itip/")).status_code == 404


def test_more_badges_than_one_withdrawal_takes_are_refused_for_that(
    app: App, trainer: TestClient, monkeypatch: pytest.MonkeyPatch
):
    """Not because « another person has changed » what the page counted, which reading it again does not help."""
    batch, _ = given(app, 4)
    monkeypatch.setattr("app.services.awards.bulk_revocation.MOST", 2)
    page = trainer.get(f"{NEW}?lot={batch}")
    refused = form_with(page, "motif").fill(lesquels="tous", motif=REASON).press(trainer, page)
    assert (refused.status_code, "10 000 badges au plus" in read(refused)) == (422, True)


def test_refused_withdrawal_shows_its_fault_at_the_field(app: App, trainer: TestClient):
    batch, awards = given(app, 1)
    page = trainer.get(f"{NEW}?lot={batch}")
    for filled, field in (
        ({"motif": REASON}, "lesquels"),
        ({"lesquels": "coches", "motif": REASON}, "lesquels"),
        ({"lesquels": "tous", "motif": "non"}, "motif"),
    ):
        refused = form_with(page, "motif").fill(**filled).press(trainer, page)
        assert refused.status_code == 422, filled
        assert [name for name in ("lesquels", "motif") if f'id="{name}-erreur"' in refused.text] == [field]
    assert states(app) == {awards[0]: AwardState.ISSUED}
