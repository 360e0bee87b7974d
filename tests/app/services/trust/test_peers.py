"""Peers recommend a learner in two lines: address proved, moderated, withdrawn by either, never counted; on both databases."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup
from app.domain.people.consents import parent_token
from app.domain.trust import LINK_FOR, MOST_WAITING, PROOF_FOR, WRITTEN_WITHIN, checked_peer_words
from app.domain.trust.organisations import Refusal
from app.errors import Conflict, DeadLink, InvalidInput, NotAllowed, NotFound
from app.jobs.kinds import EVERYTHING, delete_some
from app.services.verification.verdicts import headline
from tests.support.app import COMMAND, App, send

ZOE = "Martin Zoé;zoe@exemple.fr"
KARIM = "karim@exemple.fr"
WORDS = checked_peer_words("Elle a monté le bras du robot, et l’a expliqué à tous.", "Karim, même équipe")


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    """An award with an open page."""
    return awarded(app)


def awarded(app: App, person: str = ZOE) -> uuid.UUID:
    found = app.award(person).lines[0].award_id
    assert found
    with app.unit_of_work() as services:
        services.awards.set_visibility(found, Visibility.OPEN, by=COMMAND)
    return found


def asked(app: App, award_id: uuid.UUID, to: str = KARIM) -> str:
    """The token of the e-mail that asks `to`."""
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        refused = services.endorsement_asking.is_refused_by(to)
        services.peer_recommendations.ask(record, to, "", refused=refused, by=COMMAND)
    return link_in(app, "/temoigner/ecrire/")


def link_in(app: App, path: str) -> str:
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    links = [letter.text.partition(path)[2].split() for letter in app.letters.letters]
    return [words[0] for words in links if words][-1]


def written(app: App, token: str) -> uuid.UUID:
    with app.unit_of_work() as services:
        return services.peer_recommendations.write(token, WORDS, language="fr").id


def decided(app: App, award_id: uuid.UUID, row: uuid.UUID, gesture: str = "accept") -> None:
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        getattr(services.peer_recommendations, gesture)(record, row, by=COMMAND)


def accepted(app: App, award_id: uuid.UUID) -> uuid.UUID:
    row = written(app, asked(app, award_id))
    decided(app, award_id, row)
    return row


def public(app: App, award_id: uuid.UUID) -> bool:
    """Whether the public award page shows the recommendation."""
    page = app.client().get(f"/attributions/{award_id}").text.replace("&#39;", "’")
    shown = WORDS.words in page
    assert not shown or "Adresse vérifiée, identité non vérifiée" in page
    return shown


def test_recommendation_is_public_only_after_the_holder_accepts(app: App, award_id: uuid.UUID):
    row = written(app, asked(app, award_id))
    assert not public(app, award_id)
    decided(app, award_id, row)
    assert public(app, award_id)
    page = app.client().get(f"/attributions/{award_id}").text
    assert "Par une personne qui a travaillé avec" in page.replace("\u00a0", " ")
    assert KARIM not in page


def test_a_link_to_write_works_once_and_for_a_week(app: App, award_id: uuid.UUID):
    token = asked(app, award_id)
    written(app, token)
    with pytest.raises(DeadLink):
        written(app, token)
    late = asked(app, award_id, "paul@exemple.fr")
    app.clock.move(days=WRITTEN_WITHIN.days)
    with pytest.raises(DeadLink):
        written(app, late)


def test_readers_of_a_shared_link_prove_an_address_first(app: App, award_id: uuid.UUID):
    with app.unit_of_work() as services:
        peers, record = services.peer_recommendations, services.awards.record(award_id)
        link = peers.link_token(peers.open_link(record, by=COMMAND).id)
        with pytest.raises(NotFound):
            peers.opened(link)
        assert peers.prove(link, KARIM)
    token = link_in(app, "/temoigner/ecrire/")
    with app.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.peer_recommendations.shared(token)
    row = written(app, token)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        (mine,) = services.peer_recommendations.mine(record)
        assert (mine.id, mine.address, mine.waits) == (row, KARIM, True)
        services.peer_recommendations.prove(link, "paul@exemple.fr")
    late = link_in(app, "/temoigner/ecrire/")
    app.clock.move(hours=PROOF_FOR.total_seconds() / 3600)
    with pytest.raises(DeadLink):
        written(app, late)
    with app.unit_of_work() as services:
        services.peer_recommendations.close_link(services.awards.record(award_id), by=COMMAND)
    with app.unit_of_work(reading=True) as services, pytest.raises(DeadLink):
        services.peer_recommendations.shared(link)


def test_a_shared_link_ends_by_itself(app: App, award_id: uuid.UUID):
    with app.unit_of_work() as services:
        peers = services.peer_recommendations
        link = peers.link_token(peers.open_link(services.awards.record(award_id), by=COMMAND).id)
    app.clock.move(days=LINK_FOR.days)
    with app.unit_of_work(reading=True) as services, pytest.raises(DeadLink):
        services.peer_recommendations.shared(link)


def test_learners_do_not_recommend_themselves(app: App, award_id: uuid.UUID):
    own = ("zoe@exemple.fr", "ZOE@exemple.fr", "zoe+autre@exemple.fr", "z.martin@lycee.example")
    with app.unit_of_work() as services:
        peers, record = services.peer_recommendations, services.awards.record(award_id)
        services.people.people.add_address(record.person, "z.martin@lycee.example")
        link = peers.link_token(peers.open_link(record, by=COMMAND).id)
        for address in own:
            with pytest.raises(InvalidInput):
                peers.ask(record, address, "", refused=False, by=COMMAND)
            assert peers.prove(link, address) is None, "and the page does not tell why"
    assert not list(app.process.post.due())


def test_recommendation_from_an_address_that_became_the_holder_s_own_is_removed(
    app: App, award_id: uuid.UUID
):
    accepted(app, award_id)
    token = asked(app, award_id, "paul@exemple.fr")
    assert public(app, award_id)
    other = app.award("Martin Zoé;karim@exemple.fr\nMartin Zoé (2);paul@exemple.fr")
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person.id
        for line in other.lines:
            assert line.person_id
            services.merging.merge_in_campus(
                app.campus, person, line.person_id, "Même personne, vérifié.", by=Actor(app.admin.id)
            )
    assert not public(app, award_id)
    with pytest.raises(DeadLink):
        written(app, token)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        (row,) = services.peer_recommendations.mine(record)
        with pytest.raises(Conflict):
            services.peer_recommendations.accept(record, row.id, by=COMMAND)


def test_holder_hides_and_author_withdraws_a_recommendation(app: App, award_id: uuid.UUID):
    row = accepted(app, award_id)
    decided(app, award_id, row, "hide")
    assert not public(app, award_id)
    decided(app, award_id, row)
    assert public(app, award_id)
    back = link_in(app, "/temoigner/retirer/")
    with app.unit_of_work() as services:
        services.peer_recommendations.withdraw(back)
    assert not public(app, award_id)
    with pytest.raises(NotFound):
        decided(app, award_id, row)
    assert stored(app) == []


def test_the_holder_erases_for_good(app: App, award_id: uuid.UUID):
    row = accepted(app, award_id)
    decided(app, award_id, row, "decline")
    assert not public(app, award_id)
    assert stored(app) == []


def test_refusing_a_request_erases_the_address(app: App, award_id: uuid.UUID):
    token = asked(app, award_id)
    with app.unit_of_work() as services:
        services.peer_recommendations.refuse(token, Refusal.THIS)
    assert stored(app) == []


def test_address_of_the_proof_is_deleted_once_the_recommendation_is_written(app: App, award_id: uuid.UUID):
    with app.unit_of_work() as services:
        peers, record = services.peer_recommendations, services.awards.record(award_id)
        peers.prove(peers.link_token(peers.open_link(record, by=COMMAND).id), KARIM)
    row = written(app, link_in(app, "/temoigner/ecrire/"))
    assert sorted(stored(app)) == ["letter", "peer_recommendation"]
    decided(app, award_id, row, "decline")
    assert stored(app) == []


def stored(app: App) -> list[str]:
    """The tables that still contain the author's address or text."""
    with app.owner.connect() as connection:
        rows = {
            "peer_recommendation": "address || words || signature",
            "endorsement_request": "address",
            "letter": "address",
            "history_entry": "CAST(facts AS VARCHAR)",
        }
        return [
            table
            for table, columns in rows.items()
            for (found,) in connection.execute(text(f"SELECT {columns} FROM {table}"))
            if KARIM in found or "bras du robot" in found
        ]


def test_the_link_to_withdraw_neither_writes_nor_accepts(app: App, award_id: uuid.UUID):
    written(app, asked(app, award_id))
    back = link_in(app, "/temoigner/retirer/")
    with app.unit_of_work(reading=True) as services:
        for opens in (services.peer_recommendations.opened, services.peer_recommendations.shared):
            with pytest.raises(NotFound):
                opens(back)


def test_mailbox_that_refuses_gets_no_more_requests(app: App, award_id: uuid.UUID):
    token = asked(app, award_id)
    with app.unit_of_work() as services:
        services.peer_recommendations.refuse(token, Refusal.EVER)
    with pytest.raises(Conflict):
        asked(app, awarded(app, "Petit Léa;lea@exemple.fr"))
    with app.unit_of_work() as services:
        peers, record = services.peer_recommendations, services.awards.record(award_id)
        assert peers.prove(peers.link_token(peers.open_link(record, by=COMMAND).id), KARIM) is None


def test_number_of_pending_requests_is_limited(app: App, award_id: uuid.UUID):
    for number in range(MOST_WAITING):
        asked(app, award_id, f"p{number}@exemple.fr")
    with pytest.raises(Conflict):
        asked(app, award_id)
    app.clock.move(days=WRITTEN_WITHIN.days)
    assert asked(app, award_id)


def test_under_15_a_parent_agrees_first(app: App, award_id: uuid.UUID):
    row = written(app, asked(app, award_id))
    token = asked(app, award_id, "paul@exemple.fr")
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
    for refused in (
        lambda: decided(app, award_id, row),
        lambda: asked(app, award_id, "lea@exemple.fr"),
    ):
        with pytest.raises(NotAllowed):
            refused()
    with pytest.raises(DeadLink):
        written(app, token)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=True)
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    decided(app, award_id, row)
    assert public(app, award_id)


TELLING = {
    "a name": ("Zoé a monté le bras du robot.", "Karim, même équipe"),
    "a family name": ("Elle a monté le bras.", "un ami des MARTIN"),
    "an age": ("Elle a 13 ans et monte des robots.", "Karim, même équipe"),
    "a class": ("La meilleure de la 4e B !", "Karim, même équipe"),
    "a school": ("Elle a monté le bras du robot.", "Karim, École Jules-Ferry"),
}


def noted_as_a_child(app: App, award_id: uuid.UUID) -> None:
    """Under 15, a parent agreed, and the page is open."""
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=True)
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)


@pytest.mark.parametrize("telling", TELLING)
def test_recommendation_of_a_child_with_name_age_class_or_school_is_refused(
    app: App, award_id: uuid.UUID, telling: str
):
    noted_as_a_child(app, award_id)
    words, token = checked_peer_words(*TELLING[telling]), asked(app, award_id)
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.peer_recommendations.write(token, words, language="fr")
    lines, signature = TELLING[telling]
    form = {"geste": "envoyer", "lignes": lines, "signature": signature}
    path = f"/temoigner/ecrire/{token}"
    answer = send(app.client(), path, form, seen_on=path)
    assert "ni nom, ni âge, ni classe, ni école" in answer.text
    written(app, token)


def test_recommendation_written_before_a_child_is_noted_is_set_aside(app: App):
    telling, plain = (checked_peer_words(*TELLING["a class"]), WORDS)
    award_id = awarded(app)
    rows = []
    for number, words in enumerate((telling, plain)):
        token = asked(app, award_id, f"p{number}@exemple.fr")
        with app.unit_of_work() as services:
            rows.append(services.peer_recommendations.write(token, words, language="fr").id)
        decided(app, award_id, rows[-1])
    late = asked(app, award_id, "tard@exemple.fr")
    with app.unit_of_work() as services:
        waiting = services.peer_recommendations.write(late, telling, language="fr").id
    noted_as_a_child(app, award_id)
    page = app.client().get(f"/attributions/{award_id}").text.replace("&#39;", "’")
    assert ("4e B" in page, WORDS.words in page) == (False, True)
    with pytest.raises(Conflict):
        decided(app, award_id, waiting)
    with app.unit_of_work(reading=True) as services:
        assert services.stores.peers.get(rows[0]).set_aside_reason
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.peer_recommendations.set_aside(app.campus, rows[0], reason=None, by=COMMAND)


def test_campus_sets_a_recommendation_aside_with_a_reason(app: App, award_id: uuid.UUID):
    row = accepted(app, award_id)
    with app.unit_of_work() as services:
        aside = services.peer_recommendations.set_aside
        with pytest.raises(NotFound):
            aside(app.other_campus, row, reason="Ces mots sont injurieux.", by=COMMAND)
        aside(app.campus, row, reason="Ces mots sont injurieux.", by=COMMAND)
    assert not public(app, award_id)
    with app.unit_of_work() as services:
        services.peer_recommendations.set_aside(app.campus, row, reason=None, by=COMMAND)
    assert public(app, award_id)


def test_recommendation_changes_no_verdict_document_or_figure(app: App, award_id: uuid.UUID):
    def figures() -> list[object]:
        with app.unit_of_work(reading=True) as services:
            record = services.awards.record(award_id)
            documents = [
                services.publication.award_file(record, form).body for form in ("json", "jwt", "png")
            ]
            answer = services.verification.verify_award(record)
            assert answer.report
            return [
                documents,
                headline(answer),
                answer.report.endorsements,
                services.endorsements.about_award(record),
                list(services.endorsements.readable_in(app.campus)),
            ]

    def api() -> object:
        answer = app.client().get(f"/attributions/{award_id}", headers={"accept": "application/json"})
        return json.loads(answer.text)

    before = figures(), api()
    accepted(app, award_id)
    assert (figures(), api()) == before


@pytest.mark.both_engines
def test_erasure_of_the_holder_deletes_recommendations(app: App, award_id: uuid.UUID):
    accepted(app, award_id)
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.erasures.process_chunk(app.campus, person.id, "Demandé par elle.", by=COMMAND)
    with app.owner.connect() as connection:
        for table in ("peer_recommendation", "endorsement_request", "letter"):
            left = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            assert left == 0, table


@pytest.mark.both_engines
def test_unaccepted_recommendation_is_deleted_after_a_year_and_typed_address_after_a_week(
    app: App, award_id: uuid.UUID
):
    written(app, asked(app, award_id))
    with app.unit_of_work() as services:
        peers, record = services.peer_recommendations, services.awards.record(award_id)
        peers.prove(peers.link_token(peers.open_link(record, by=COMMAND).id), "paul@exemple.fr")

    def count(table: str, where: str = "1 = 1") -> int:
        with app.owner.connect() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())

    app.clock.now += timedelta(days=9)
    while delete_some(app.process, EVERYTHING):
        pass
    assert count("endorsement_request", "kind = 'peer_proof'") == 0
    assert count("peer_recommendation") == 1
    app.clock.now += timedelta(days=365)
    while delete_some(app.process, EVERYTHING):
        pass
    assert count("peer_recommendation") == 0
    assert count("endorsement_request", "endorsement_id IS NOT NULL") == 0


GESTURES = ("accept", "hide", "decline", "withdraw", "set_aside", "take_up", "close", "open")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(GESTURES), max_size=8))
def test_recommendation_is_public_exactly_while_all_agree(app: App, gestures: list[str]):
    """Compares a model of one recommendation with the service."""
    award_id = awarded(app, f"Martin Zoé;{uuid.uuid4().hex}@exemple.fr")
    row = written(app, asked(app, award_id, f"{uuid.uuid4().hex}@exemple.fr"))
    back = link_in(app, "/temoigner/retirer/")
    is_accepted = is_over = is_aside = False
    is_open = True
    for gesture in gestures:
        act: Callable[[], None]
        with app.unit_of_work() as services:
            peers, record = services.peer_recommendations, services.awards.record(award_id)
            match gesture:
                case "withdraw":
                    peers.withdraw(back)
                    is_over = True
                    continue
                case "open" | "close":
                    is_open = gesture == "open"
                    wanted = Visibility.OPEN if is_open else Visibility.CLOSED
                    services.awards.set_visibility(award_id, wanted, by=COMMAND)
                    continue
                case "set_aside" | "take_up":
                    reason = "Un motif assez long." if gesture == "set_aside" else None
                    act = partial(peers.set_aside, app.campus, row, reason=reason, by=COMMAND)
                case _:
                    act = partial(getattr(peers, gesture), record, row, by=COMMAND)
            if is_over:
                with pytest.raises(NotFound):
                    act()
                continue
            act()
        is_aside = gesture == "set_aside" if gesture in ("set_aside", "take_up") else is_aside
        is_accepted = gesture == "accept" if gesture in ("accept", "hide") else is_accepted
        is_over = is_over or gesture == "decline"
    assert public(app, award_id) == (is_accepted and is_open and not is_over and not is_aside)
