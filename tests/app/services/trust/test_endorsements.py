"""Organisations without an account endorse badges, awards and campuses, and withdraw; on both databases."""

from __future__ import annotations

import re
import uuid
from itertools import count, islice

import pytest
from sqlalchemy import event, select
from sqlmodel import SQLModel

from app.db.campus import Filter
from app.domain.accounts.rate_limits import LIMITS
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup
from app.domain.people.consents import parent_token
from app.domain.trust.organisations import ASKED_FOR, Endorsement, Refusal, checked_words
from app.errors import Conflict, DeadLink, Gone, InvalidInput, NotFound
from app.services.badges import Wording
from app.services.publishing import ClosedAward
from app.services.trust.endorsement_requests import EndorsementAsked
from app.services.trust.endorsements import EndorsementOutcome, Subject
from sceau_credentials.dids import did_key
from sceau_credentials.issuing.signing import issue_endorsement
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.model import EndorsementCredential, EndorsementSubject
from sceau_credentials.values import parse_json_object
from sceau_credentials.verification.report import Outcome
from sceau_credentials.verification.run_checks import verify_endorsement
from tests.support.app import COMMAND, App, done_once
from tests.support.badges.endorsed import endorsed

ZOE = "Martin Zoé;zoe@exemple.fr"
BOSS = "lea.roy@atelier-roy.example"
ROY = EndorsementOutcome("Atelier Roy", "https://atelier-roy.example")
WORDS = checked_words("Nous embauchons les yeux fermés.\nVraiment.", "cheffe d’atelier", "", shows_name=False)


@pytest.fixture
@done_once
def award_id(app: App) -> uuid.UUID:
    """An award with an open page."""
    found = app.award(ZOE).lines[0].award_id
    assert found
    with app.unit_of_work() as services:
        services.awards.set_visibility(found, Visibility.OPEN, by=COMMAND)
    return found


def link_in(app: App, path: str) -> str:
    """The end of the newest link to `path` in a letter, after queued letters are sent."""
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    links = [letter.text.partition(path)[2].split() for letter in app.letters.letters]
    return [words[0] for words in links if words][-1]


def asked(app: App, award_id: uuid.UUID | None = None, *, badge: bool = False, to: str = BOSS) -> str:
    """The token in the letter that asks about the award, the badge of presence, or the campus."""
    with app.unit_of_work() as services:
        asking = services.endorsement_asking
        subject = subject_of(app, award_id, badge=badge)
        asking.ask(subject, EndorsementAsked(to, "Atelier Roy"), refused=asking.is_refused_by(to), by=COMMAND)
    return link_in(app, "/recommander/")


def subject_of(app: App, award_id: uuid.UUID | None, *, badge: bool = False) -> Subject:
    with app.unit_of_work(reading=True) as services:
        if award_id:
            return services.endorsement_subjects.of_award(services.awards.record(award_id))
        if badge:
            return services.endorsement_subjects.of_badge(app.campus, app.presence.badge.id)
        return services.endorsement_subjects.of_campus(app.campus)


def signed(app: App, token: str, result: EndorsementOutcome = ROY) -> Endorsement:
    with app.unit_of_work() as services:
        return services.endorsement_signing.sign(token, result, WORDS, language="fr")


def shown_with(app: App, award_id: uuid.UUID) -> list[str]:
    """The valid endorsements that an employer reads on the award page."""
    with app.unit_of_work(reading=True) as services:
        shown = services.endorsements.about_award(services.awards.record(award_id))
        return [each.answer.comment for each in shown if each.holds and each.answer]


def judged_by_a_stranger(app: App, document: str, about: str) -> Outcome:
    with app.unit_of_work(reading=True) as services:
        documents = services.verification.documents
        return verify_endorsement(document, documents=documents, at=app.clock(), about=about).outcome


def test_endorsement_of_a_badge_is_shown_on_earlier_awards(app: App, award_id: uuid.UUID) -> None:
    assert shown_with(app, award_id) == []
    signed(app, asked(app, badge=True))
    assert shown_with(app, award_id) == ["Nous embauchons les yeux fermés.\nVraiment.\n— cheffe d’atelier"]


def test_endorsement_of_a_badge_is_shown_on_later_versions_with_its_own(app: App) -> None:
    app.award("Zoé Martin;zoe@exemple.fr", badge=app.presence)
    signed(app, asked(app, badge=True))
    badge, first = app.presence.badge, app.presence.version
    newer = Wording(first.kind, "Un autre nom", first.description, first.criteria)
    with app.unit_of_work() as services:
        services.badges.rewrite(
            app.campus, badge.id, newer, repeat=badge.repeat, accepts_requests=False, by=COMMAND
        )
    with app.unit_of_work() as services:
        services.badges.open(app.campus, badge.id, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        second = services.badges.page(app.campus, badge.id).version
        of_second = services.endorsements.about_version(second)
        (of_first,) = services.endorsements.about_version(first)
    app.award("Léo Martin;leo@exemple.fr", badge=app.presence)
    assert second.number == 2
    assert [(each.holds, each.version) for each in of_second] == [(True, 1)]
    assert of_first.version is None
    page = app.client().get(f"/badges/{badge.id}/v2").text
    assert "Nous embauchons" in page
    assert "donnée à la version 1" in page.replace("\u00a0", " ")


def test_letter_about_a_closed_badge_mentions_no_closed_page(app: App) -> None:
    closed = app.award(ZOE).lines[0].award_id
    signed(app, asked(app, closed))
    link_in(app, "/recommandations/")
    letter = app.letters.letters[-1]
    links = re.findall(r"http://localhost:8000(\S+)", letter.text)
    assert links
    assert {app.client().get(link).status_code for link in links} == {200}
    assert "publiée" not in f"{letter.subject} {letter.text}"


def test_published_endorsement_verifies_in_both_forms_and_is_bound_to_its_award(
    app: App, award_id: uuid.UUID
) -> None:
    endorsement = signed(app, asked(app, award_id))
    with app.unit_of_work(reading=True) as services:
        forms = [
            services.endorsements.document(endorsement.id, form).body.decode() for form in ("json", "jwt")
        ]
        about = services.addresses.award(award_id)
        organisation = services.organisations.get(endorsement.organisation_id)
    for written in forms:
        assert judged_by_a_stranger(app, written, about) is Outcome.PASSED
        assert judged_by_a_stranger(app, written, about + "0") is Outcome.FAILED
    document = parse_json_object(forms[0])
    assert document["issuer"] == {
        "id": organisation.did, "type": ["Profile"], "name": "Atelier Roy", "url": "https://atelier-roy.example"
    }  # fmt: skip
    assert BOSS not in forms[0]


def test_addresses_of_one_domain_share_an_issuer_except_at_mail_providers(app: App) -> None:
    first = signed(app, asked(app))
    second = signed(app, asked(app, to="paul@atelier-roy.example"))
    personal = [signed(app, asked(app, to=f"{name}@gmail.com")) for name in ("lea", "paul")]
    assert first.organisation_id == second.organisation_id
    assert personal[0].organisation_id != personal[1].organisation_id
    with app.unit_of_work(reading=True) as services:
        kinds = [
            services.organisations.get(each.organisation_id).is_personal for each in (first, personal[0])
        ]
    assert kinds == [False, True]


def test_link_to_endorse_works_once_and_expires(app: App, award_id: uuid.UUID) -> None:
    token = asked(app, award_id)
    signed(app, token)
    with pytest.raises(DeadLink):
        signed(app, token)
    page = app.client().get(f"/recommander/{token}")
    assert (page.status_code, "<h1>Ce lien ne sert plus</h1>" in page.text) == (404, True)
    late = asked(app, award_id, to="autre@atelier-roy.example")
    app.clock.move(seconds=ASKED_FOR.total_seconds())
    with pytest.raises(DeadLink):
        signed(app, late)
    with pytest.raises(NotFound):
        signed(app, late[:-1] + ("0" if late[-1] != "0" else "1"))
    assert len(shown_with(app, award_id)) == 1


def test_withdrawn_endorsement_and_its_copies_are_invalid(app: App, award_id: uuid.UUID) -> None:
    endorsement = signed(app, asked(app, award_id))
    copy, about = endorsement.written, endorsement.subject
    token = link_in(app, "/recommandations/retirer/")
    with app.unit_of_work() as services:
        services.endorsements_taken_back.withdraw(token)
    assert shown_with(app, award_id) == []
    assert judged_by_a_stranger(app, copy, about) is Outcome.FAILED
    with app.unit_of_work(reading=True) as services:
        kept = services.stores.endorsements.get(endorsement.id)
        assert (kept.written, kept.token, kept.address) == ("", "", "")
        with pytest.raises(Gone):
            services.endorsements.document(endorsement.id, "json")


@pytest.mark.parametrize("by_desk", [False, True])
def test_organisation_that_withdraws_has_its_address_in_no_row(
    app: App, award_id: uuid.UUID, by_desk: bool
) -> None:
    endorsement = signed(app, asked(app, award_id))
    with app.unit_of_work() as services:
        assert services.endorsements_taken_back.ask_desk(endorsement.organisation_id, BOSS)
    token = link_in(app, "/organisations/gerer/" if by_desk else "/recommandations/retirer/")
    assert rows_with(app, BOSS) == {"endorsement", "endorsement_request", "letter"}
    with app.unit_of_work() as services:
        if by_desk:
            services.endorsements_taken_back.withdraw_at_desk(token, endorsement.id)
        else:
            services.endorsements_taken_back.withdraw(token)
    assert rows_with(app, BOSS) == set()


def rows_with(app: App, text: str) -> set[str]:
    """The tables with this text in any column."""
    with app.owner.connect() as connection:
        return {
            name
            for name, table in SQLModel.metadata.tables.items()
            # Queued for the recovery journal, and emptied after it is written there.
            if name != "choice_change"
            and any(text in str(value) for row in connection.execute(select(table)) for value in row)
        }


def test_letter_to_the_domain_opens_the_list_of_its_endorsements(app: App, award_id: uuid.UUID) -> None:
    endorsement = signed(app, asked(app, award_id))
    with app.unit_of_work() as services:
        back = services.endorsements_taken_back
        assert not back.ask_desk(endorsement.organisation_id, "lea@gmail.com")
        assert back.ask_desk(endorsement.organisation_id, "Compta@Atelier-Roy.example")
    token = link_in(app, "/organisations/gerer/")
    with app.unit_of_work() as services:
        _, said = services.endorsements_taken_back.desk(token)
        assert [each.id for each in said] == [endorsement.id]
        services.endorsements_taken_back.withdraw_at_desk(token, endorsement.id)
    assert shown_with(app, award_id) == []


def test_holder_hides_an_endorsement_and_campus_sets_it_aside_with_a_reason(
    app: App, award_id: uuid.UUID
) -> None:
    endorsement = signed(app, asked(app, award_id))
    for hidden, expected in ((True, 0), (False, 1)):
        with app.unit_of_work() as services:
            services.endorsements_taken_back.hide(award_id, endorsement.id, hidden=hidden, by=COMMAND)
        assert len(shown_with(app, award_id)) == expected
    with app.unit_of_work() as services:
        with pytest.raises(InvalidInput):
            services.endorsements_taken_back.set_aside(app.campus, endorsement.id, reason="", by=COMMAND)
        with pytest.raises(NotFound):
            services.endorsements_taken_back.set_aside(
                app.other_campus, endorsement.id, reason="Ce n’est pas vrai.", by=COMMAND
            )
        services.endorsements_taken_back.set_aside(
            app.campus, endorsement.id, reason="Ce n’est pas vrai.", by=COMMAND
        )
    assert shown_with(app, award_id) == []
    # The signed endorsement stays valid: setting aside does not withdraw it.
    assert judged_by_a_stranger(app, endorsement.written, endorsement.subject) is Outcome.PASSED


def test_page_of_an_organisation_makes_as_many_queries_for_many_endorsements(app: App) -> None:
    asked, shown, numbers = list[str](), list[int](), count()
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: asked.append(result[2]))

    def questions(people: int) -> int:
        for number in islice(numbers, people):
            line = app.award(f"Nom{number} Ana;ana{number}@exemple.fr").lines[0]
            assert line.award_id
            with app.unit_of_work() as services:
                services.awards.set_visibility(line.award_id, Visibility.OPEN, by=COMMAND)
                said = endorsed(services, app.campus, award=services.awards.record(line.award_id))
        asked.clear()
        page = app.client().get(f"/organisations/{said.organisation_id}")
        assert page.status_code == 200
        shown.append(page.text.count('class="quote"'))
        return len(asked)

    questions(1)  # the first page of a process makes more queries
    few = questions(1)
    assert (questions(4) - few, shown) == (0, [1, 2, 6])


def test_endorsement_of_a_closed_award_is_not_published(app: App, award_id: uuid.UUID) -> None:
    endorsement = signed(app, asked(app, award_id))
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=COMMAND)
    assert shown_with(app, award_id) == []
    with app.unit_of_work(reading=True) as services:
        assert services.endorsements.by_organisation(endorsement.organisation_id) == []
        with pytest.raises(ClosedAward):
            services.endorsements.document(endorsement.id, "json")


def test_endorsement_and_its_copies_are_invalid_after_the_award_is_erased(
    app: App, award_id: uuid.UUID
) -> None:
    endorsement = signed(app, asked(app, award_id))
    waiting = asked(app, award_id, to="autre@atelier-roy.example")
    copy, about = endorsement.written, endorsement.subject
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.erasures.process_chunk(
            app.campus, person.id, "Demande reçue par courrier, identité vérifiée.", by=COMMAND
        )
    assert judged_by_a_stranger(app, copy, about) is Outcome.FAILED
    with app.unit_of_work(reading=True) as services:
        with pytest.raises(Gone):
            services.endorsements.document(endorsement.id, "json")
        with pytest.raises(DeadLink):
            services.endorsement_signing.opened(waiting)


def test_link_of_a_removed_request_shows_nothing_of_its_badge(app: App, award_id: uuid.UUID) -> None:
    token = asked(app, award_id)
    with app.unit_of_work() as services:
        services.stores.endorsements.drop_unanswered_about([award_id])
    page = app.client().get(f"/recommander/{token}")
    assert "Cette demande a été retirée : son lien n’ouvre plus rien." in page.text.replace("\xa0", " ")


def test_endorsement_signed_elsewhere_is_stored_unchanged_and_bound(app: App, award_id: uuid.UUID) -> None:
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    did = did_key(key.public)
    method = f"{did}#{did.removeprefix('did:key:')}"
    about = subject_of(app, award_id).iri

    def written(subject: str) -> str:
        credential = EndorsementCredential(
            id=f"urn:uuid:{uuid.uuid4()}", name="Avis", issuer=did, valid_from=app.clock(),
            credential_subject=EndorsementSubject(id=subject, endorsement_comment="Un geste sûr."),
        )  # fmt: skip
        signer = Signer(method, key)
        return issue_endorsement(
            credential, signer=signer, jwt_signer=signer, at=app.clock()
        ).embedded.decode()

    token = asked(app, award_id)
    good = written(about)
    for bad in (written("https://ailleurs.example/1"), good.replace("sûr", "mou"), "{}", "bonjour", ""):
        with app.unit_of_work() as services, pytest.raises(InvalidInput):
            services.endorsement_signing.take_in(token, ROY, bad, language="fr")
    with app.unit_of_work() as services:
        services.endorsement_signing.take_in(token, ROY, good, language="fr")
    assert shown_with(app, award_id) == ["Un geste sûr."]


def test_organisation_that_refuses_is_not_asked_again(app: App, award_id: uuid.UUID) -> None:
    token = asked(app, award_id)
    with pytest.raises(Conflict):
        asked(app, award_id)
    with app.unit_of_work() as services:
        services.endorsement_signing.refuse(token, Refusal.EVER)
    app.clock.move(days=400)
    with pytest.raises(Conflict):
        asked(app, badge=True)
    with app.unit_of_work(reading=True) as services:
        asking, name, _, host = services.endorsement_asking, *BOSS.partition("@")
        assert all(asking.is_refused_by(each) for each in (BOSS.upper(), f"{name}+autre@{host}"))
        assert not asking.is_refused_by(f"x{BOSS}")
    own = EndorsementAsked("Zoe+atelier@exemple.fr", "Moi-même")
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.endorsement_asking.ask(subject_of(app, award_id), own, refused=False, by=COMMAND)


def test_each_letter_counts_for_sender_and_recipient_limits(app: App, award_id: uuid.UUID) -> None:
    subject = subject_of(app, award_id)
    assert subject.record
    with app.unit_of_work(reading=True) as services:
        counts = services.endorsement_asking.counts(subject, EndorsementAsked(BOSS, "Atelier Roy"))
    assert counts == [
        ("endorsement of somebody", str(subject.record.person.id)),
        ("endorsement of a campus", str(app.campus.id)),
        ("endorsement to an address", BOSS),
    ]
    assert {name for name, _ in counts} <= LIMITS.keys()


@pytest.mark.parametrize("spoil", [("embauchons", "renvoyons"), ("}", "")], ids=["words", "form"])
def test_altered_endorsement_is_not_shown(app: App, award_id: uuid.UUID, spoil: tuple[str, str]) -> None:
    endorsement = signed(app, asked(app, award_id))
    with app.unit_of_work() as services:
        row = services.stores.endorsements.get(endorsement.id)
        row.written = row.written.replace(*spoil)
        services.stores.endorsements.save(row)
    assert shown_with(app, award_id) == []


def test_campus_history_has_the_endorsement_actions(app: App, award_id: uuid.UUID) -> None:
    endorsement = signed(app, asked(app, award_id))
    with app.unit_of_work() as services:
        services.endorsements_taken_back.set_aside(
            app.campus, endorsement.id, reason="Ce n’est pas vrai.", by=Actor(app.admin.id)
        )
    with app.unit_of_work(reading=True) as services:
        wanted = Filter(nouns=("endorsement",))
        events = services.history.page(app.campus, wanted, before=None, limit=10)
    assert [event.entry.action for event in events] == ["set_aside", "sign", "ask"]
    assert BOSS not in str([event.entry for event in events])


def test_link_to_endorse_shows_no_child_after_a_parent_withdrew_consent(
    app: App, award_id: uuid.UUID
) -> None:
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        parent = parent_token(services.guardians.secret, agreement.id)
        services.guardians.answer(parent, agreed=True)
    token = asked(app, award_id)
    with app.unit_of_work() as services:
        assert services.endorsement_signing.opened(token)
        services.guardians.answer(parent, agreed=False)
    with app.unit_of_work() as services, pytest.raises(DeadLink):
        services.endorsement_signing.opened(token)
    with pytest.raises(DeadLink):
        signed(app, token)


@pytest.mark.parametrize(
    ("organisation", "words"),
    [
        ("Atelier Roy", "Zoé a monté tout le robot seule."),
        ("Atelier Roy", "La 4e B a monté tout le robot."),
        ("Collège du Lac", "Un robot monté avec soin."),
    ],
)
def test_endorsement_of_a_child_with_name_class_or_school_is_refused(
    app: App, award_id: uuid.UUID, organisation: str, words: str
) -> None:
    result = EndorsementOutcome(organisation, "https://atelier-roy.example")
    said = checked_words(words, "responsable", "", shows_name=False)

    def sign(token: str) -> Endorsement:
        with app.unit_of_work() as services:
            return services.endorsement_signing.sign(token, result, said, language="fr")

    before = sign(asked(app, award_id))
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=True)
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    assert shown_with(app, award_id) == []
    assert app.client().get(f"/recommandations/{before.id}").status_code == 404
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.endorsements_taken_back.set_aside(app.campus, before.id, reason=None, by=COMMAND)
    token = asked(app, award_id, to="autre@atelier-roy.example")
    with pytest.raises(InvalidInput):
        sign(token)
    assert signed(app, token)


def test_address_that_became_the_learner_s_own_cannot_endorse(app: App, award_id: uuid.UUID) -> None:
    token = asked(app, award_id)
    with app.unit_of_work() as services:
        services.people.people.add_address(services.awards.record(award_id).person, BOSS)
    with pytest.raises(DeadLink):
        signed(app, token)
