"""Requests for badges on both engines: asked, confirmed, completed, decided by one or by two, told and remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from app.adapters.mail import SmtpMailer
from app.domain.activities.files import FileNoun
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.learners.requests import RequestState
from app.domain.people import Role
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.services.badges import Wording
from app.services.campus.registers import RequestFilter, RequestSort, Start
from app.services.learners.requests import RequestOutcome
from tests.support.content.restores import REASON
from tests.support.databases.copies import Backup, drop_copies
from tests.support.handed import taken
from tests.support.house import COMMAND, House, build_house
from tests.support.letters import text_in
from tests.support.servers.post_office import PostOffice

NARRATIVE = "J’ai animé deux ateliers de robotique, seule, devant douze collégiens."
ZOE = RequestOutcome("Zoé", "Martin", "zoe@exemple.fr", NARRATIVE, "https://exemple.fr/carnet")
PDF = b"%PDF-1.7\n1 0 obj\n"


@pytest.fixture
def house(database_url: str, tmp_path) -> Iterator[House]:
    built = build_house(database_url, tmp_path)
    yield built
    built.close()
    drop_copies()


@pytest.fixture
def badge(house: House):
    """A judged badge that people may ask for."""
    return accepting(house, house.role.badge.id)


@pytest.fixture
def competency(house: House):
    return a_competency(house)


def a_competency(house: House):
    """A badge that two people give."""
    with house.unit_of_work() as services:
        framework = services.competencies.framework(house.campus, code="ref", name="Référentiel", by=COMMAND)
        mastered = services.competencies.create(
            house.campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )
        wording = Wording(
            BadgeKind.COMPETENCY, "Mesurer juste", "Sait mesurer.", "La personne a mesuré devant un jury de deux.",
            competencies=((mastered.id, None),),
        )  # fmt: skip
        made = services.badges.create(house.campus, wording, slug="mesurer", by=COMMAND).badge
    return accepting(house, made.id)


def accepting(house: House, badge_id):
    with house.unit_of_work() as services:
        badge = services.badges.badges.get(badge_id)
        badge.accepts_requests = True
        services.badges.badges.add(badge)
    return badge_id


def reviewer(house: House, name: str) -> Actor:
    with house.unit_of_work() as services:
        person = services.people.add_staff(
            house.campus, given_name=name, family_name="Relecteur", address=f"{name.lower()}@exemple.fr",
            role=Role.REVIEWER, by=COMMAND,
        )  # fmt: skip
        return Actor(person.id)


def asked(house: House, badge_id, who: RequestOutcome = ZOE) -> str:
    """The token of a request whose address was confirmed."""
    with house.unit_of_work() as services:
        token = services.asking.token_of(services.asking.ask(badge_id, who))
        services.asking.confirm(token)
    return token


def request_of(house: House, token: str):
    with house.unit_of_work(reading=True) as services:
        return services.asking.mine(token)


def agree(house: House, token: str, by: Actor, evidence: str = "Deux ateliers animés.") -> bool:
    request_id = request_of(house, token).request.id
    with house.unit_of_work() as services:
        return services.reviewing.agree(house.campus, request_id, "Vu sur place.", evidence, by=by)


def told(house: House) -> list[tuple[str, str]]:
    """(address, text) of every letter that leaves now."""
    office = PostOffice()
    office.start()
    try:
        house.process.mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender="sceau@exemple.fr")
        for envelope in house.process.post.due():
            house.process.post.send(envelope)
        house.process.mailer.close()
        return [(str(each["To"]), text_in(each)) for each in office.received]
    finally:
        office.stop()


def test_reviewers_see_a_request_once_its_address_is_confirmed_by_letter(house: House, badge):
    with house.unit_of_work() as services:
        request = services.asking.ask(badge, ZOE)
        assert request.state is RequestState.UNCONFIRMED
        assert services.request_register.count(house.campus, RequestFilter(tuple(RequestState)[1:])) == 0
        with pytest.raises(NotFound):
            services.reviewing.look(house.campus, request.id, by=Actor(house.admin.id))
    ((to, text),) = told(house)
    assert "zoe@exemple.fr" in to
    token = re.search(r"/demandes/(\S+)", text)
    assert token, text
    with house.unit_of_work() as services:
        services.asking.confirm(token[1])
        services.asking.confirm(token[1])
        (line,) = services.request_register.page(
            house.campus, RequestFilter(), Start(), RequestSort.WAITING, descending=False
        )
        assert line.request.id == request.id
        person = services.people.people.get(line.request.person_id)
        assert (person.name, services.people.people.addresses_of([person.id])) == (
            "Zoé Martin", {person.id: "zoe@exemple.fr"},
        )  # fmt: skip
    assert told(house) == [], "the letter said it all"


def test_who_is_known_by_their_private_link_waits_for_no_letter(house: House, badge):
    house.award("Zoé Martin;zoe@exemple.fr")
    with house.unit_of_work() as services:
        (record,) = services.awards.list_in(house.campus)
        known = services.asking.known(record.person)
        assert known.address == "zoe@exemple.fr"
        request = services.asking.ask(badge, ZOE, known=known)
        assert (request.state, request.person_id) == (RequestState.WAITING, record.person.id)
    other = RequestOutcome("Zoé", "Martin", "autre@exemple.fr", NARRATIVE)
    with pytest.raises(Conflict, match="déjà une demande"), house.unit_of_work() as services:
        services.asking.ask(badge, other, known=known)


def test_an_accepted_request_is_an_award_that_names_its_evidence_and_is_told(house: House, badge):
    token, by = asked(house, badge), reviewer(house, "Nora")
    told(house)
    assert agree(house, token, by, "Deux ateliers animés, carnet de bord : https://exemple.fr/carnet")
    mine = request_of(house, token)
    assert mine.request.state is RequestState.ACCEPTED
    with house.unit_of_work(reading=True) as services:
        record = services.awards.record(mine.request.award_id)
        assert record.person.id == mine.request.person_id
        assert "https://exemple.fr/carnet" in record.award.evidence
        assert record.award.awarded_by == by.person_id
        document = services.publication.award_file(record, "json").body.decode()
        assert "https://exemple.fr/carnet" not in document, "until the holder shows it"
        assert services.verification.verify_award(record).report.verdict.value == "valid"
    ((to, text),) = told(house)
    assert "zoe@exemple.fr" in to
    assert "/recevoir/" in text
    with pytest.raises(Conflict, match="déjà ce badge"):
        asked(house, badge)


def test_a_competency_needs_two_different_people_and_never_the_one_who_asks(house: House, competency):
    token = asked(house, competency)
    nora, paul = reviewer(house, "Nora"), reviewer(house, "Paul")
    asker = Actor(request_of(house, token).request.person_id)
    with pytest.raises(NotAllowed, match="votre propre demande"):
        agree(house, token, asker)
    assert not agree(house, token, nora)
    assert request_of(house, token).request.state is RequestState.SECOND
    with pytest.raises(Conflict, match="une autre personne"):
        agree(house, token, nora)
    assert request_of(house, token).request.award_id is None
    assert agree(house, token, paul)
    assert request_of(house, token).request.award_id is not None


def test_a_reviewer_under_another_name_at_the_same_address_is_the_same_person(house: House, badge):
    nora = reviewer(house, "Nora")
    token = asked(house, badge, RequestOutcome("Éléonore", "Autre", "nora@exemple.fr", NARRATIVE))
    with pytest.raises(NotAllowed):
        agree(house, token, nora)


def test_asked_for_more_the_person_answers_and_the_first_yes_is_forgotten(house: House, competency):
    token = asked(house, competency)
    nora, paul = reviewer(house, "Nora"), reviewer(house, "Paul")
    agree(house, token, nora)
    told(house)
    request_id = request_of(house, token).request.id
    with house.unit_of_work() as services:
        services.reviewing.ask_more(house.campus, request_id, "Montrez une mesure datée.", by=paul)
    ((_, text),) = told(house)
    assert "Montrez une mesure datée." in text
    with pytest.raises(Conflict, match="attendez sa réponse"):
        agree(house, token, nora)
    with house.unit_of_work() as services:
        services.asking.complete(token, text="La voici.", files=[taken("mesure 1.PNG", PDF)])
    mine = request_of(house, token)
    assert mine.request.state is RequestState.WAITING
    assert [file.name for file in mine.files] == ["mesure 1.pdf"]
    assert not agree(house, token, nora)
    assert agree(house, token, paul)


def test_a_refusal_is_told_to_the_person_alone_with_its_reason(house: House, badge):
    token, by = asked(house, badge), reviewer(house, "Nora")
    told(house)
    request_id = request_of(house, token).request.id
    with pytest.raises(InvalidInput), house.unit_of_work() as services:
        services.reviewing.refuse(house.campus, request_id, "non", by=by)
    with house.unit_of_work() as services:
        services.reviewing.refuse(house.campus, request_id, "Les deux ateliers étaient encadrés.", by=by)
    ((to, text),) = told(house)
    assert "zoe@exemple.fr" in to
    assert "Les deux ateliers étaient encadrés." in text
    again = asked(house, badge)
    assert again != token, "asking again is possible"


def test_files_and_entries_are_the_person_s_own_and_lie_apart(house: House, badge):
    house.record("Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr")
    token, by = asked(house, badge), reviewer(house, "Nora")
    with house.unit_of_work() as services:
        parts = services.activities.page(house.campus, house.activity.id).participants
        everybody = [str(participation.id) for participation, _ in parts]
        services.asking.complete(token, entries=everybody, files=[taken("carnet.pdf", PDF)])
    mine = request_of(house, token)
    assert len(mine.participations) == 1
    assert mine.request.entries == [str(mine.participations[0][0].id)]
    request_id, file_id = mine.request.id, mine.files[0].id
    with house.unit_of_work(reading=True) as services:
        view = services.reviewing.look(house.campus, request_id, by=by)
        assert [activity.title for _, activity in view.entries] == ["Atelier robotique"]
        assert "Atelier robotique (24/11/2026)" in view.evidence
        assert "carnet.pdf" in view.evidence
        assert services.files.open(FileNoun.REQUEST, request_id, file_id).content == PDF
        with pytest.raises(NotFound):
            services.reviewing.get(house.other_campus, request_id)
    assert agree(house, token, by)
    with house.unit_of_work(reading=True) as services:
        record = services.awards.record(request_of(house, token).request.award_id)
        assert record.activity is not None
        assert record.activity.id == house.activity.id


def test_a_badge_of_presence_is_given_on_request_only_for_an_activity_one_was_at(house: House):
    badge = accepting(house, house.presence.badge.id)
    token, by = asked(house, badge), reviewer(house, "Nora")
    with pytest.raises(Conflict, match="repose sur une activité"):
        agree(house, token, by)
    assert request_of(house, token).request.state is RequestState.WAITING, "nothing of it is kept"
    house.record("Zoé Martin;zoe@exemple.fr")
    with house.unit_of_work() as services:
        (part, _) = services.asking.mine(token).participations[0]
        services.asking.complete(token, entries=[str(part.id)])
    assert agree(house, token, by)


def test_a_badge_that_is_given_only_is_not_asked_for(house: House):
    with pytest.raises(NotFound, match="ne se demande pas"), house.unit_of_work() as services:
        services.asking.ask(house.role.badge.id, ZOE)


@pytest.mark.parametrize(
    "token", ["", "x", "x.y", f"{'0' * 8}-0000-4000-8000-{'0' * 12}.{'a' * 40}"], ids=range(4)
)
def test_an_invented_link_opens_no_request(house: House, token: str):
    with pytest.raises(NotFound), house.unit_of_work() as services:
        services.asking.mine(token)


def test_what_nobody_confirmed_is_forgotten_after_a_week(house: House, badge):
    with house.unit_of_work() as services:
        token = services.asking.token_of(services.asking.ask(badge, ZOE))
    kept = asked(house, badge, RequestOutcome("Lucas", "Bernard", "lucas@exemple.fr", NARRATIVE))
    house.clock.move(days=8)
    with house.unit_of_work() as services:
        services.reviewing.forget_unconfirmed()
    with pytest.raises(NotFound, match="refaire"), house.unit_of_work() as services:
        services.asking.confirm(token)
    assert request_of(house, kept).request.state is RequestState.WAITING


def test_reviewers_are_reminded_of_what_waits_too_long_once_a_week(house: House, badge):
    token = asked(house, badge)
    reviewer(house, "Nora")
    told(house)

    def reminded() -> list[str]:
        with house.unit_of_work() as services:
            for campus_id in services.reviewing.campuses_due():
                services.reviewing.remind(campus_id)
                services.reviewing.remind(campus_id)
        return [to for to, text in told(house) if "attend une décision" in text]

    assert reminded() == []
    house.clock.move(days=4)
    assert [address for address in reminded() if "nora@exemple.fr" in address]
    house.clock.move(days=2)
    assert reminded() == []
    house.clock.move(days=6)
    assert len(reminded()) == 1
    with house.unit_of_work() as services:
        services.asking.withdraw(token)
    house.clock.move(days=8)
    assert reminded() == []


def test_another_campus_decides_nothing(house: House, badge):
    token = asked(house, badge)
    request_id = request_of(house, token).request.id
    with pytest.raises(NotFound), house.unit_of_work() as services:
        services.reviewing.agree(
            house.other_campus, request_id, "Vu sur place.", "Deux.", by=Actor(house.stranger.id)
        )


def test_suspended_campus_is_asked_for_no_badge(house: House):
    """Nobody would read what the person writes about themselves."""
    house.award("Hugo Martel; hugo@exemple.fr", badge=house.role, evidence="Il a animé l’atelier.")
    badge_id = accepting(house, house.role.badge.id)
    client, page = house.client(), f"/badges/{badge_id}"
    assert f"{page}/demande" in client.get(page, follow_redirects=True).text
    with house.unit_of_work() as services:
        services.operators.suspend(house.campus.slug, by=COMMAND)
    assert f"{page}/demande" not in client.get(page, follow_redirects=True).text
    assert client.get(f"{page}/demande").status_code == 403
    with house.unit_of_work() as services, pytest.raises(NotAllowed):
        services.asking.ask(
            badge_id, RequestOutcome("Ada", "Faure", "ada@exemple.fr", "J’ai animé deux ateliers.")
        )


# --- after a restore


def test_request_withdrawn_or_decided_since_the_backup_waits_no_more(house: House) -> None:
    badge_id = accepting(house, house.role.badge.id)
    names = ("Zoé", "Paul", "Ana", "Léo")
    withdrawn, refused, accepted, untouched = (
        asked(house, badge_id, replace(ZOE, given_name=name, address=f"{name.lower()}@demande.fr"))
        for name in names
    )
    by = reviewer(house, "Rita")
    backup = Backup(house)
    with house.unit_of_work() as services:
        services.asking.withdraw(withdrawn)
        refused_id = services.asking.mine(refused).request.id
        services.reviewing.refuse(house.campus, refused_id, "Rien à voir avec ce badge.", by=by)
    assert agree(house, accepted, by)
    award_id = request_of(house, accepted).request.award_id
    with backup.restored() as copy:
        copy.process.put_back(house.campus, REASON, by=COMMAND)
        assert [
            request_of(copy, token).request.state for token in (withdrawn, refused, accepted, untouched)
        ] == [
            RequestState.WITHDRAWN, RequestState.REFUSED, RequestState.ACCEPTED, RequestState.WAITING,
        ]  # fmt: skip
        assert request_of(copy, accepted).request.award_id == award_id is not None


def test_request_decided_by_an_award_that_is_lost_is_still_decided(house: House) -> None:
    badge_id = accepting(house, house.role.badge.id)
    token = asked(house, badge_id)
    with house.unit_of_work() as services:
        request = services.asking.by_token(token)
        change = {"state": "accepted", "award_id": str(uuid4()), "first_reviewer_id": None}
        services.stores.choices.put_back([["badge_request", {"id": str(request.id)}, change]])
    found = request_of(house, token).request
    assert (found.state, found.award_id) == (RequestState.ACCEPTED, None)
