"""Requests for badges: confirmed, completed, decided by one or two reviewers, announced, stored; on both databases."""

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
from app.services.badges import Wording, wording_of
from app.services.campus.registers import RequestFilter, RequestSort, Start
from app.services.learners.requests import RequestOutcome
from tests.support.app import COMMAND, App, build_app
from tests.support.content.restores import REASON
from tests.support.databases.copies import Backup, drop_copies
from tests.support.handed import taken
from tests.support.letters import text_in
from tests.support.servers.post_office import PostOffice

NARRATIVE = "J’ai animé deux ateliers de robotique, seule, devant douze collégiens."
ZOE = RequestOutcome("Zoé", "Martin", "zoe@exemple.fr", NARRATIVE, "https://exemple.fr/carnet")
PDF = b"%PDF-1.7\n1 0 obj\n"


@pytest.fixture
def app(database_url: str, tmp_path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()
    drop_copies()


@pytest.fixture
def badge(app: App):
    """A badge of assessed work that people may ask for."""
    return accepting(app, app.role.badge.id)


@pytest.fixture
def competency(app: App):
    return a_competency(app)


def a_competency(app: App):
    """A badge that two people give."""
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ref", name="Référentiel", by=COMMAND)
        mastered = services.competencies.create(
            app.campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )
        wording = Wording(
            BadgeKind.COMPETENCY, "Mesurer juste", "Sait mesurer.", "La personne a mesuré devant un jury de deux.",
            competencies=((mastered.id, None),),
        )  # fmt: skip
        made = services.badges.create(app.campus, wording, slug="mesurer", by=COMMAND).badge
    return accepting(app, made.id)


def accepting(app: App, badge_id):
    with app.unit_of_work() as services:
        badge = services.badges.badges.get(badge_id)
        badge.accepts_requests = True
        services.badges.badges.add(badge)
    return badge_id


def reviewer(app: App, name: str) -> Actor:
    with app.unit_of_work() as services:
        person = services.people.add_staff(
            app.campus, given_name=name, family_name="Relecteur", address=f"{name.lower()}@exemple.fr",
            role=Role.REVIEWER, by=COMMAND,
        )  # fmt: skip
        return Actor(person.id)


def asked(app: App, badge_id, who: RequestOutcome = ZOE) -> str:
    """The token of a request with a confirmed address."""
    with app.unit_of_work() as services:
        token = services.asking.token_of(services.asking.ask(badge_id, who))
        services.asking.confirm(token)
    return token


def request_of(app: App, token: str):
    with app.unit_of_work(reading=True) as services:
        return services.asking.mine(token)


def agree(app: App, token: str, by: Actor, evidence: str = "Deux ateliers animés.") -> bool:
    request_id = request_of(app, token).request.id
    with app.unit_of_work() as services:
        return services.reviewing.agree(app.campus, request_id, "Vu sur place.", evidence, by=by)


def sent_letters(app: App) -> list[tuple[str, str]]:
    """(address, text) of every letter that leaves now."""
    office = PostOffice()
    office.start()
    try:
        app.process.mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender="sceau@exemple.fr")
        for envelope in app.process.post.due():
            app.process.post.send(envelope)
        app.process.mailer.close()
        return [(str(each["To"]), text_in(each)) for each in office.received]
    finally:
        office.stop()


def test_letter_to_an_address_that_is_not_confirmed_holds_no_typed_text(app: App, badge) -> None:
    """Anybody may type another person's address, and any name."""
    typed = RequestOutcome("Madame", "Vous avez gagné un vélo", "victime@exemple.fr", NARRATIVE)
    with app.unit_of_work() as services:
        services.asking.ask(badge, typed)
    [(address, text)] = sent_letters(app)
    assert address == "victime@exemple.fr"
    assert "vélo" not in text
    assert "Madame" not in text


@pytest.mark.parametrize(
    "name", ["gain-facile.fr", "Allez sur gain.com", "gain．com", "Venez: ici", "www.ici"]
)
def test_name_that_mail_programs_would_link_is_refused(app: App, badge, name: str) -> None:
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.asking.ask(badge, replace(ZOE, family_name=name))


def test_names_with_dots_are_names(app: App, badge) -> None:
    with app.unit_of_work() as services:
        for name in ("St. Martin", "Martin Jr.", "D.Dupont", "O’Brien-Smith"):
            services.asking.ask(badge, replace(ZOE, family_name=name))


def test_reviewers_see_a_request_once_its_address_is_confirmed_by_letter(app: App, badge):
    with app.unit_of_work() as services:
        request = services.asking.ask(badge, ZOE)
        assert request.state is RequestState.UNCONFIRMED
        assert services.request_register.count(app.campus, RequestFilter(tuple(RequestState)[1:])) == 0
        with pytest.raises(NotFound):
            services.reviewing.look(app.campus, request.id, by=Actor(app.admin.id))
    ((to, text),) = sent_letters(app)
    assert "zoe@exemple.fr" in to
    token = re.search(r"/demandes/(\S+)", text)
    assert token, text
    with app.unit_of_work() as services:
        services.asking.confirm(token[1])
        services.asking.confirm(token[1])
        (line,) = services.request_register.page(
            app.campus, RequestFilter(), Start(), RequestSort.WAITING, descending=False
        )
        assert line.request.id == request.id
        person = services.people.people.get(line.request.person_id)
        assert (person.name, services.people.people.addresses_of([person.id])) == (
            "Zoé Martin", {person.id: "zoe@exemple.fr"},
        )  # fmt: skip
    assert sent_letters(app) == [], "the letter said it all"


def test_person_with_a_private_link_needs_no_confirmation_letter(app: App, badge):
    app.award("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work() as services:
        (record,) = services.awards.list_in(app.campus)
        known = services.asking.known(record.person)
        assert known.address == "zoe@exemple.fr"
        request = services.asking.ask(badge, ZOE, known=known)
        assert (request.state, request.person_id) == (RequestState.WAITING, record.person.id)
    other = RequestOutcome("Zoé", "Martin", "autre@exemple.fr", NARRATIVE)
    with pytest.raises(Conflict, match="déjà une demande"), app.unit_of_work() as services:
        services.asking.ask(badge, other, known=known)


def test_an_accepted_request_is_an_award_that_names_its_evidence_and_is_reported(app: App, badge):
    token, by = asked(app, badge), reviewer(app, "Nora")
    sent_letters(app)
    assert agree(app, token, by, "Deux ateliers animés, carnet de bord : https://exemple.fr/carnet")
    mine = request_of(app, token)
    assert mine.request.state is RequestState.ACCEPTED
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(mine.request.award_id)
        assert record.person.id == mine.request.person_id
        assert "https://exemple.fr/carnet" in record.award.evidence
        assert record.award.awarded_by == by.person_id
        document = services.publication.award_file(record, "json").body.decode()
        assert "https://exemple.fr/carnet" not in document, "until the holder shows it"
        assert services.verification.verify_award(record).report.verdict.value == "valid"
    ((to, text),) = sent_letters(app)
    assert "zoe@exemple.fr" in to
    assert "/recevoir/" in text
    with pytest.raises(Conflict, match="déjà ce badge"):
        asked(app, badge)


def test_competency_needs_two_reviewers_other_than_the_learner(app: App, competency):
    token = asked(app, competency)
    nora, paul = reviewer(app, "Nora"), reviewer(app, "Paul")
    asker = Actor(request_of(app, token).request.person_id)
    with pytest.raises(NotAllowed, match="votre propre demande"):
        agree(app, token, asker)
    assert not agree(app, token, nora)
    assert request_of(app, token).request.state is RequestState.SECOND
    with pytest.raises(Conflict, match="une autre personne"):
        agree(app, token, nora)
    assert request_of(app, token).request.award_id is None
    assert agree(app, token, paul)
    assert request_of(app, token).request.award_id is not None


def test_a_reviewer_under_another_name_at_the_same_address_is_the_same_person(app: App, badge):
    nora = reviewer(app, "Nora")
    token = asked(app, badge, RequestOutcome("Éléonore", "Autre", "nora@exemple.fr", NARRATIVE))
    with pytest.raises(NotAllowed):
        agree(app, token, nora)


def test_answer_to_a_question_cancels_the_first_agreement(app: App, competency):
    token = asked(app, competency)
    nora, paul = reviewer(app, "Nora"), reviewer(app, "Paul")
    agree(app, token, nora)
    sent_letters(app)
    request_id = request_of(app, token).request.id
    with app.unit_of_work() as services:
        services.reviewing.ask_more(app.campus, request_id, "Montrez une mesure datée.", by=paul)
    ((_, text),) = sent_letters(app)
    assert "Montrez une mesure datée." in text
    with pytest.raises(Conflict, match="attendez sa réponse"):
        agree(app, token, nora)
    with app.unit_of_work() as services:
        services.asking.complete(token, text="La voici.", files=[taken("mesure 1.PNG", PDF)])
    mine = request_of(app, token)
    assert mine.request.state is RequestState.WAITING
    assert [file.name for file in mine.files] == ["mesure 1.pdf"]
    assert not agree(app, token, nora)
    assert agree(app, token, paul)


def test_a_refusal_is_reported_to_the_person_alone_with_its_reason(app: App, badge):
    token, by = asked(app, badge), reviewer(app, "Nora")
    sent_letters(app)
    request_id = request_of(app, token).request.id
    with pytest.raises(InvalidInput), app.unit_of_work() as services:
        services.reviewing.refuse(app.campus, request_id, "non", by=by)
    with app.unit_of_work() as services:
        services.reviewing.refuse(app.campus, request_id, "Les deux ateliers étaient encadrés.", by=by)
    ((to, text),) = sent_letters(app)
    assert "zoe@exemple.fr" in to
    assert "Les deux ateliers étaient encadrés." in text
    again = asked(app, badge)
    assert again != token, "asking again is possible"


def decided(app: App, token: str, by: Actor, seen: str, decision: str) -> None:
    request_id = request_of(app, token).request.id
    with app.unit_of_work() as services:
        match decision:
            case "agree":
                services.reviewing.agree(app.campus, request_id, "Vu sur place.", "Deux.", by=by, seen=seen)
            case "ask_more":
                services.reviewing.ask_more(app.campus, request_id, "Racontez le second.", by=by, seen=seen)
            case _:
                services.reviewing.refuse(app.campus, request_id, "Trop court pour juger.", by=by, seen=seen)


def rewritten(app: App, badge_id, token: str) -> None:
    with app.unit_of_work() as services:
        page = services.badges.page(app.campus, badge_id)
        links = [link for link, _, _ in page.competencies]
        said = replace(wording_of(page.version, links), description="Tout autre chose qu’avant.")
        services.badges.revise(app.campus, badge_id, said, by=COMMAND)


def completed(app: App, badge_id, token: str) -> None:
    with app.unit_of_work() as services:
        services.asking.complete(token, text="J’ai aussi animé un troisième atelier, seule.")


def seen_by(app: App, token: str, by: Actor) -> str:
    request_id = request_of(app, token).request.id
    with app.unit_of_work(reading=True) as services:
        return services.reviewing.look(app.campus, request_id, by=by).seen


@pytest.mark.parametrize("decision", ["agree", "ask_more", "refuse"])
@pytest.mark.parametrize("change", [rewritten, completed])
def test_decision_on_a_request_changed_meanwhile_is_refused(app: App, badge, change, decision: str):
    token, by = asked(app, badge), reviewer(app, "Nora")
    seen = seen_by(app, token, by)
    change(app, badge, token)
    with pytest.raises(Conflict, match="a changé depuis"):
        decided(app, token, by, seen, decision)
    assert request_of(app, token).request.state is RequestState.WAITING
    decided(app, token, by, seen_by(app, token, by), decision)
    assert request_of(app, token).request.state is not RequestState.WAITING


def test_two_people_agree_to_the_same_badge(app: App, competency):
    """An agreement to an earlier text of the badge would let one person decide alone."""
    token, nora, omar = asked(app, competency), reviewer(app, "Nora"), reviewer(app, "Omar")
    assert not agree(app, token, nora)
    rewritten(app, competency, token)
    assert not agree(app, token, omar)
    with pytest.raises(Conflict, match="déjà donné votre accord"):
        agree(app, token, omar)
    assert agree(app, token, nora)


def test_two_people_agree_to_the_same_evidence(app: App, competency):
    token, nora, omar = asked(app, competency), reviewer(app, "Nora"), reviewer(app, "Omar")
    assert not agree(app, token, nora)
    assert not agree(app, token, omar, "Premier prix national de robotique.")
    assert agree(app, token, nora, "Premier prix national de robotique.")


def test_two_people_agree_to_the_same_hours(app: App, competency):
    app.record("Zoé Martin;zoe@exemple.fr")
    token, nora, omar = asked(app, competency), reviewer(app, "Nora"), reviewer(app, "Omar")
    with app.unit_of_work() as services:
        (part, _) = services.asking.mine(token).participations[0]
        services.asking.complete(token, entries=[str(part.id)])
    assert not agree(app, token, nora)
    with app.unit_of_work() as services:
        (part, _) = services.asking.mine(token).participations[0]
        part.hours = 40.0
        services.stores.session.add(part)
    assert not agree(app, token, omar)
    assert agree(app, token, nora)


def test_request_takes_only_the_person_s_own_files_and_entries(app: App, badge):
    app.record("Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr")
    token, by = asked(app, badge), reviewer(app, "Nora")
    with app.unit_of_work() as services:
        parts = services.activities.page(app.campus, app.activity.id).participants
        everybody = [str(participation.id) for participation, _ in parts]
        services.asking.complete(token, entries=everybody, files=[taken("carnet.pdf", PDF)])
    mine = request_of(app, token)
    assert len(mine.participations) == 1
    assert mine.request.entries == [str(mine.participations[0][0].id)]
    request_id, file_id = mine.request.id, mine.files[0].id
    with app.unit_of_work(reading=True) as services:
        view = services.reviewing.look(app.campus, request_id, by=by)
        assert [activity.title for _, activity in view.entries] == ["Atelier robotique"]
        assert "Atelier robotique (24/11/2026)" in view.evidence
        assert "carnet.pdf" in view.evidence
        assert services.files.open(FileNoun.REQUEST, request_id, file_id).content == PDF
        with pytest.raises(NotFound):
            services.reviewing.get(app.other_campus, request_id)
    assert agree(app, token, by)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(request_of(app, token).request.award_id)
        assert record.activity is not None
        assert record.activity.id == app.activity.id


def test_presence_badge_is_given_on_request_only_to_participants(app: App):
    badge = accepting(app, app.presence.badge.id)
    token, by = asked(app, badge), reviewer(app, "Nora")
    with pytest.raises(Conflict, match="repose sur une activité"):
        agree(app, token, by)
    assert request_of(app, token).request.state is RequestState.WAITING, "nothing of it is kept"
    app.record("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work() as services:
        (part, _) = services.asking.mine(token).participations[0]
        services.asking.complete(token, entries=[str(part.id)])
    assert agree(app, token, by)


def test_badge_without_requests_cannot_be_asked_for(app: App):
    with pytest.raises(NotFound, match="ne se demande pas"), app.unit_of_work() as services:
        services.asking.ask(app.role.badge.id, ZOE)


@pytest.mark.parametrize(
    "token", ["", "x", "x.y", f"{'0' * 8}-0000-4000-8000-{'0' * 12}.{'a' * 40}"], ids=range(4)
)
def test_an_invented_link_opens_no_request(app: App, token: str):
    with pytest.raises(NotFound), app.unit_of_work() as services:
        services.asking.mine(token)


def test_unconfirmed_request_is_deleted_after_a_week(app: App, badge):
    with app.unit_of_work() as services:
        token = services.asking.token_of(services.asking.ask(badge, ZOE))
    kept = asked(app, badge, RequestOutcome("Lucas", "Bernard", "lucas@exemple.fr", NARRATIVE))
    app.clock.move(days=8)
    with app.unit_of_work() as services:
        services.reviewing.forget_unconfirmed()
    with pytest.raises(NotFound, match="refaire"), app.unit_of_work() as services:
        services.asking.confirm(token)
    assert request_of(app, kept).request.state is RequestState.WAITING


def test_reviewers_are_reminded_of_old_requests_once_a_week(app: App, badge):
    token = asked(app, badge)
    reviewer(app, "Nora")
    sent_letters(app)

    def reminded() -> list[str]:
        with app.unit_of_work() as services:
            for campus_id in services.reviewing.campuses_due():
                services.reviewing.remind(campus_id)
                services.reviewing.remind(campus_id)
        return [to for to, text in sent_letters(app) if "attend une décision" in text]

    assert reminded() == []
    app.clock.move(days=4)
    assert [address for address in reminded() if "nora@exemple.fr" in address]
    app.clock.move(days=2)
    assert reminded() == []
    app.clock.move(days=6)
    assert len(reminded()) == 1
    with app.unit_of_work() as services:
        services.asking.withdraw(token)
    app.clock.move(days=8)
    assert reminded() == []


def test_another_campus_cannot_decide_a_request(app: App, badge):
    token = asked(app, badge)
    request_id = request_of(app, token).request.id
    with pytest.raises(NotFound), app.unit_of_work() as services:
        services.reviewing.agree(
            app.other_campus, request_id, "Vu sur place.", "Deux.", by=Actor(app.stranger.id)
        )


def test_suspended_campus_is_asked_for_no_badge(app: App):
    """No one would read what the person writes about themselves."""
    app.award("Hugo Martel; hugo@exemple.fr", badge=app.role, evidence="Il a animé l’atelier.")
    badge_id = accepting(app, app.role.badge.id)
    client, page = app.client(), f"/badges/{badge_id}"
    assert f"{page}/demande" in client.get(page, follow_redirects=True).text
    with app.unit_of_work() as services:
        services.operators.suspend(app.campus.slug, by=COMMAND)
    assert f"{page}/demande" not in client.get(page, follow_redirects=True).text
    assert client.get(f"{page}/demande").status_code == 403
    with app.unit_of_work() as services, pytest.raises(NotAllowed):
        services.asking.ask(
            badge_id, RequestOutcome("Ada", "Faure", "ada@exemple.fr", "J’ai animé deux ateliers.")
        )


# --- after a restore


def test_request_withdrawn_or_decided_since_the_backup_waits_no_more(app: App) -> None:
    badge_id = accepting(app, app.role.badge.id)
    names = ("Zoé", "Paul", "Ana", "Léo")
    withdrawn, refused, accepted, untouched = (
        asked(app, badge_id, replace(ZOE, given_name=name, address=f"{name.lower()}@demande.fr"))
        for name in names
    )
    by = reviewer(app, "Rita")
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.asking.withdraw(withdrawn)
        refused_id = services.asking.mine(refused).request.id
        services.reviewing.refuse(app.campus, refused_id, "Rien à voir avec ce badge.", by=by)
    assert agree(app, accepted, by)
    award_id = request_of(app, accepted).request.award_id
    with backup.restored() as copy:
        copy.process.put_back(app.campus, REASON, by=COMMAND)
        assert [
            request_of(copy, token).request.state for token in (withdrawn, refused, accepted, untouched)
        ] == [
            RequestState.WITHDRAWN, RequestState.REFUSED, RequestState.ACCEPTED, RequestState.WAITING,
        ]  # fmt: skip
        assert request_of(copy, accepted).request.award_id == award_id is not None


def test_request_decided_by_an_award_that_is_lost_is_still_decided(app: App) -> None:
    badge_id = accepting(app, app.role.badge.id)
    token = asked(app, badge_id)
    with app.unit_of_work() as services:
        request = services.asking.by_token(token)
        change = {"state": "accepted", "award_id": str(uuid4()), "first_reviewer_id": None}
        services.stores.choices.put_back([["badge_request", {"id": str(request.id)}, change]])
    found = request_of(app, token).request
    assert (found.state, found.award_id) == (RequestState.ACCEPTED, None)
