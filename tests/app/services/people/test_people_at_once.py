"""Concurrent operations on one person: each uses what the other wrote."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from app.container import Services
from app.db.engine.writes import names_deleted_row
from app.domain.accounts.sessions import Session as Sitting
from app.domain.activities import Activity, ActivityKind, Participation, PartKind
from app.domain.activity_log import LogPayload
from app.domain.awards import Award, Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.campus.integration import NamedKind
from app.domain.learners.portfolios import ContributionStatement
from app.domain.learners.wallets import WalletFormat
from app.domain.messages import QueuedMessage
from app.domain.people import AgeGroup, Person, is_gone
from app.domain.people.consents import ParentAgreement, parent_token
from app.errors import Conflict
from app.services.accounts.sessions import Browser, SignedIn
from app.services.awards.awards import AwardRequest
from app.services.people.upserts import PersonLine
from tests.app.web.accounts.test_learner_account import award_elsewhere
from tests.support.app import COMMAND, App, asked_of, listed
from tests.support.databases.engines import on_postgres
from tests.support.running.at_once import Operation, done_meanwhile

pytestmark = on_postgres
"""SQLite has one writer at a time, who reads after the one before."""

ZOE = "Zoé Durand;zoe@exemple.fr"
REASON = "Même date d’inscription, faute de frappe."


@dataclass(frozen=True)
class Scene:
    """Zoé attended and has no badge; Lou, perhaps the same person, has one."""

    app: App
    zoe: uuid.UUID
    lou: uuid.UUID
    award: uuid.UUID
    """Lou's."""
    participation: uuid.UUID
    other_activity: uuid.UUID

    @property
    def by(self) -> Actor:
        return Actor(self.app.admin.id)


@pytest.fixture
def scene(app: App) -> Scene:
    award_id = app.award("Lou Durand;lou@exemple.fr").lines[0].award_id
    assert award_id is not None
    app.record(ZOE)
    another = Activity(
        kind=ActivityKind.WORKSHOP,
        title="Second atelier",
        starts_on=date(2026, 11, 24),
        ends_on=date(2026, 11, 24),
        hours=3,
    )
    with app.unit_of_work() as services:
        there = services.activities.page(app.campus, app.activity.id).participants
        parts = {person.given_name: (participation, person) for participation, person in there}
        other = services.activities.create(another, [app.campus], by=COMMAND).id
        participation, zoe = parts["Zoé"]
        return Scene(app, zoe.id, parts["Lou"][1].id, award_id, participation.id, other)


def award(scene: Scene) -> Operation:
    request = AwardRequest(
        scene.app.presence.badge.id, scene.app.activity.id, participation_ids=(scene.participation,)
    )
    return lambda services: services.awards.award(scene.app.campus, request, by=Actor(scene.app.trainer.id))


def absent(scene: Scene) -> Operation:
    return lambda services: services.activities.set_present(
        scene.app.campus, scene.app.activity.id, scene.participation, present=False, by=scene.by
    )


def correct(scene: Scene) -> Operation:
    return lambda services: services.corrections.correct(
        scene.app.campus, scene.zoe, "Zoé", "Durant", "zoe.durant@exemple.fr", by=scene.by
    )


def erase(scene: Scene) -> Operation:
    return lambda services: services.erasures.process_chunk(
        scene.app.campus, scene.zoe, "Demande reçue par courrier.", by=scene.by
    )


def merge(scene: Scene) -> Operation:
    return lambda services: services.merging.merge_in_campus(
        scene.app.campus, scene.lou, scene.zoe, REASON, by=scene.by
    )


def merge_into(scene: Scene) -> Operation:
    return lambda services: services.merging.merge_in_campus(
        scene.app.campus, scene.zoe, scene.lou, REASON, by=scene.by
    )


def move(scene: Scene) -> Operation:
    return lambda services: services.participants.move(
        scene.app.campus,
        scene.app.activity.id,
        scene.other_activity,
        [scene.zoe],
        reason="Erreur de groupe.",
        by=scene.by,
    )


def record(scene: Scene) -> Operation:
    return lambda services: services.activities.record(
        scene.app.campus, scene.other_activity, listed(ZOE), by=scene.by
    )


def check(app: App) -> None:
    """Check what is true after either order."""
    with app.unit_of_work(reading=True) as services:
        session = services.stores.session
        people = {each.id: each for each in session.exec(select(Person))}
        present = session.exec(select(Participation).where(Participation.is_present)).all()
        for award in session.exec(select(Award)):
            holder = people[award.person_id]
            assert not is_gone(holder), "a badge of a record that was merged into another"
            assert award.holder_name in (
                holder.name,
                "Lou Durand",
                "Zoé Durand" if holder.given_name == "Lou" else "",
            )
            there = {each.activity_id for each in present if each.person_id == holder.id}
            assert app.activity.id in there, "a badge of who was not there, or was moved to another activity"
        assert not any(is_gone(people[each.person_id]) for each in present)
        erased = session.exec(select(HistoryEntry.noun_id).where(HistoryEntry.action == "erase")).all()
        left = session.exec(select(LogPayload).where(col(LogPayload.about_id).not_in(people))).all()
        assert not (erased and left), "an entry of the log about who was erased"


# --- contributions


def contribution(scene: Scene) -> uuid.UUID:
    """A contribution of Zoé's that waits for the campus."""
    written = ContributionStatement(
        "Exposé", "J’ai présenté le banc d’essai.", PartKind.RESOURCE, date(2026, 11, 20), 2.0
    )
    with scene.app.unit_of_work() as services:
        zoe = services.people.people.get(scene.zoe)
        made = services.contributions.add(
            zoe, scene.app.campus, written, None, [], today=date(2026, 11, 24), by=Actor(zoe.id)
        )
        return made.id


def confirm(scene: Scene) -> Operation:
    of_zoe = contribution(scene)
    return lambda services: services.contributions.confirm(scene.app.campus, of_zoe, by=scene.by)


PAIRS = [
    (confirm, erase), (erase, confirm),
    (absent, award), (award, erase), (erase, award), (award, merge), (merge, award), (award, move), (move, award),
    (absent, erase), (merge, absent), (correct, erase), (merge, correct), (merge, record), (merge_into, move),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda each: each.__name__)
def test_each_decides_on_what_the_other_has_written(
    scene: Scene, first: Callable[[Scene], Operation], second: Callable[[Scene], Operation]
) -> None:
    of_first, of_second = done_meanwhile(scene.app, first(scene), second(scene))
    assert of_first == ""
    assert of_second in ("", "Conflict", "NotFound")
    check(scene.app)


# --- what a child may show


def note_child(scene: Scene) -> Operation:
    return lambda services: services.guardians.set_age_group(
        scene.app.campus, scene.lou, AgeGroup.UNDER_15, by=scene.by
    )


def open_page(scene: Scene) -> Operation:
    return lambda services: services.awards.set_visibility(scene.award, Visibility.OPEN, by=Actor(scene.lou))


def withdraw(scene: Scene) -> Operation:
    return lambda services: services.awards.revoke(
        scene.app.campus, scene.award, "Erreur de liste, vraiment.", by=scene.by
    )


@pytest.mark.parametrize("second", [open_page, withdraw], ids=lambda each: each.__name__)
@pytest.mark.parametrize("is_second_first", [True, False])
def test_nothing_of_a_child_opens_while_their_age_is_noted(
    scene: Scene, second: Callable[[Scene], Operation], is_second_first: bool
) -> None:
    both = (second(scene), note_child(scene))
    ended = done_meanwhile(scene.app, *(both if is_second_first else reversed(both)))
    with scene.app.unit_of_work(reading=True) as services:
        award = services.awards.record(scene.award).award
    assert award.visibility is Visibility.CLOSED
    assert award.holder_name is None or second is withdraw
    assert set(ended) <= {"", "ParentNeeded"}


def erase_lou(scene: Scene) -> Operation:
    return erase(replace(scene, zoe=scene.lou))


@pytest.mark.parametrize("first", [merge_into, erase_lou], ids=lambda each: each.__name__)
def test_an_age_is_not_noted_on_a_record_that_goes_meanwhile(
    scene: Scene, first: Callable[[Scene], Operation]
) -> None:
    """The staff member gets an error, and notes it on the remaining record."""
    ended = done_meanwhile(scene.app, first(scene), note_child(scene))
    assert ended[0] == ""
    assert ended[1] in ("Conflict", "NotFound")


def test_an_age_noted_before_a_merge_protects_the_record_that_remains(scene: Scene) -> None:
    assert done_meanwhile(scene.app, note_child(scene), merge_into(scene)) == ("", "")
    with scene.app.unit_of_work(reading=True) as services:
        assert services.people.people.get(scene.zoe).needs_guardian


@pytest.mark.parametrize("is_child_first", [True, False])
def test_an_answer_for_all_changes_no_age_noted_meanwhile(scene: Scene, is_child_first: bool) -> None:
    def note_all(services: Services) -> object:
        return services.activities.set_age_group(
            scene.app.campus, scene.app.activity.id, AgeGroup.FROM_15, by=scene.by
        )

    both = (note_child(scene), note_all)
    assert done_meanwhile(scene.app, *(both if is_child_first else reversed(both))) == ("", "")
    with scene.app.unit_of_work(reading=True) as services:
        assert services.people.people.get(scene.lou).needs_guardian


# --- slips


def renew_link(scene: Scene) -> Operation:
    return lambda services: services.delivery.renew_link(scene.app.campus, scene.award, by=scene.by)


def claim(scene: Scene) -> Operation:
    return lambda services: services.delivery.claim(scene.award, by=Actor(scene.lou))


def claim_by_slip(scene: Scene) -> Operation:
    with scene.app.unit_of_work() as services:
        code = services.delivery.codes_for([services.awards.record(scene.award)])[scene.award].code
    return lambda services: services.delivery.claim_by_code(code)


@pytest.mark.parametrize("first", [renew_link, claim, claim_by_slip], ids=lambda each: each.__name__)
def test_slip_opens_nothing_once_its_badge_was_claimed_or_its_link_renewed(
    scene: Scene, first: Callable[[Scene], Operation]
) -> None:
    by_slip = claim_by_slip(scene)
    assert done_meanwhile(scene.app, first(scene), by_slip) == ("", "NotFound")


def test_link_renewed_while_a_slip_is_used_closes_what_it_opened(scene: Scene) -> None:
    assert done_meanwhile(scene.app, claim_by_slip(scene), renew_link(scene)) == ("", "")
    with scene.app.unit_of_work(reading=True) as services:
        assert services.awards.record(scene.award).award.claimed_at is None


# --- a badge that moves to another record


def use_link(scene: Scene) -> Operation:
    with scene.app.unit_of_work() as services:
        token = services.people.private_link_token(scene.award, 0)
    return lambda services: services.people.open_private_link(token)


def ask_parent(scene: Scene) -> Operation:
    with scene.app.unit_of_work() as services:
        services.guardians.set_age_group(scene.app.campus, scene.lou, AgeGroup.UNDER_15, by=scene.by)

    def ask(services: Services) -> object:
        record = services.awards.record(scene.award)
        return services.guardians.ask(record, "parent@exemple.fr", by=Actor(scene.lou))

    return ask


def write_again(scene: Scene) -> Operation:
    return lambda services: services.delivery.write_again(
        scene.app.campus, scene.award, "lou.durand@exemple.fr", by=scene.by
    )


def make_findable(scene: Scene) -> Operation:
    with scene.app.unit_of_work() as services:
        services.guardians.set_age_group(scene.app.campus, scene.zoe, AgeGroup.UNDER_15, by=scene.by)
    return lambda services: services.awards.set_findable(scene.award, True, by=Actor(scene.lou))


ON_A_BADGE = [claim, claim_by_slip, use_link, ask_parent, write_again, make_findable, open_page, renew_link]


@pytest.mark.parametrize("operation", ON_A_BADGE, ids=lambda each: each.__name__)
@pytest.mark.parametrize("is_merge_first", [True, False])
def test_nothing_names_the_record_that_is_merged_meanwhile(
    scene: Scene, operation: Callable[[Scene], Operation], is_merge_first: bool
) -> None:
    both = (merge_into(scene), operation(scene))
    ended = done_meanwhile(scene.app, *(both if is_merge_first else reversed(both)))
    assert set(ended) <= {"", "Conflict", "NotFound", "ParentNeeded"}
    with scene.app.unit_of_work(reading=True) as services:
        session = services.stores.session
        award = services.awards.record(scene.award).award
        assert award.person_id == scene.zoe
        for kind in (Sitting, ParentAgreement, QueuedMessage):
            named = session.exec(select(col(kind.person_id))).all()
            assert scene.lou not in named, kind.__name__
        if services.people.people.get(scene.zoe).needs_guardian:
            assert not (award.is_findable and is_merge_first)
            assert award.visibility is Visibility.CLOSED


def print_slip(scene: Scene) -> Operation:
    return lambda services: services.delivery.codes_for([services.awards.record(scene.award)])


def offer_to_wallet(scene: Scene) -> Operation:
    do(open_page(scene), scene)
    return lambda services: services.wallets.offer(services.awards.record(scene.award), WalletFormat.EMBEDDED)


def show_entry(scene: Scene) -> Operation:
    return lambda services: services.stores.award_evidence.choose(
        scene.award, 0, DisclosedContent.ALL, at=services.clock()
    )


def put_in_portfolio(scene: Scene) -> Operation:
    with scene.app.unit_of_work() as services:
        portfolio = services.portfolios.start(services.people.people.get(scene.lou), [])
    return lambda services: services.portfolios.put_in(portfolio, scene.award)


def ask_peer(scene: Scene) -> Operation:
    return lambda services: services.peer_recommendations.open_link(
        services.awards.record(scene.award), by=Actor(scene.lou)
    )


def name_by_number(scene: Scene) -> Operation:
    return lambda services: services.external_ids.give(scene.app.campus, NamedKind.AWARD, "A-1", scene.award)


def do(operation: Operation, scene: Scene) -> None:
    with scene.app.unit_of_work() as services:
        operation(services)


WRITES_BESIDE = [
    print_slip,
    offer_to_wallet,
    show_entry,
    put_in_portfolio,
    ask_peer,
    name_by_number,
    *ON_A_BADGE,
]


@pytest.mark.parametrize("operation", WRITES_BESIDE, ids=lambda each: each.__name__)
def test_erasure_succeeds_whatever_is_written_about_the_badge_meanwhile(
    scene: Scene, operation: Callable[[Scene], Operation]
) -> None:
    write = operation(scene)

    def write_as_answered(services: Services) -> None:
        try:
            write(services)
        except IntegrityError as error:
            if not names_deleted_row(error):
                raise
            raise Conflict("Effacé entre-temps.") from error

    ended = done_meanwhile(scene.app, write_as_answered, erase_lou(scene))
    assert ended[0] in ("", "Conflict")
    assert ended[1] == ""
    with scene.app.unit_of_work(reading=True) as services:
        assert services.stores.session.get(Award, scene.award) is None


@pytest.mark.parametrize("second", [claim, claim_by_slip, renew_link], ids=lambda each: each.__name__)
@pytest.mark.parametrize("is_second_first", [True, False])
def test_letter_sent_again_takes_turns_with_who_takes_the_badge(
    scene: Scene, second: Callable[[Scene], Operation], is_second_first: bool
) -> None:
    both = (second(scene), write_again(scene))
    # A person who claimed a badge has an own address: the campus adds none.
    refusal = "Conflict" if is_second_first and second is not renew_link else ""
    assert done_meanwhile(scene.app, *(both if is_second_first else reversed(both))) == ("", refusal)


# --- ways into one's own account


def account(app: App, person: Person) -> SignedIn:
    with app.unit_of_work() as services:
        link = services.sign_in.make_link(person.id, by=COMMAND)
        opened = services.sign_in.by_link(link, Browser("z" * 43))
    with app.unit_of_work(reading=True) as services:
        return services.sessions.signed_in(opened.secret)


def test_of_two_addresses_removed_at_once_the_last_stays(app: App) -> None:
    who = account(app, app.trainer)
    with app.unit_of_work() as services:
        own = services.own_addresses.own
        for address in ("le.goff@exemple.fr", "anais@exemple.fr"):
            own.people.add_address(who.person, address)
            own.verify(who.person, address, at=app.clock())
    ended = done_meanwhile(
        app,
        lambda services: services.own_addresses.remove(who, "le.goff@exemple.fr"),
        lambda services: services.own_addresses.remove(who, "anais@exemple.fr"),
    )
    assert ended == ("", "Conflict")


def test_no_password_is_set_in_a_session_that_is_ended_meanwhile(app: App) -> None:
    """By the other session of the account."""
    who, intruder = account(app, app.trainer), account(app, app.trainer)
    ended = done_meanwhile(
        app,
        lambda services: services.sessions.end_all(who, but_this=True),
        lambda services: services.sign_in.set_password(intruder, "$argon2id$"),
    )
    assert ended == ("", "NotSignedIn")


def test_alignment_locks_the_campus_then_all_holders_then_their_awards(app: App) -> None:
    """Locking award by award, it deadlocked with a holder who waited for the log."""
    given = app.award("Lou Durand;lou@exemple.fr", "Max Roy;max@exemple.fr").lines
    with app.unit_of_work() as services:
        for line in given:
            assert line.award_id is not None
            services.awards.set_visibility(line.award_id, Visibility.OPEN, by=COMMAND)
        services.award_alignment.mark_all(app.campus.id)
    with asked_of(app) as asked, app.unit_of_work() as services:
        services.award_alignment.align_some(app.campus.id, by=COMMAND)
    locks = [re.search(r"FROM (\w+)", sql) for sql, _ in asked if "FOR NO KEY UPDATE" in sql]
    assert [found[1] for found in locks if found][:3] == ["campus", "person", "award"]


def test_an_age_takes_the_logs_of_several_campuses_in_one_order(app: App) -> None:
    """Two people, each with newer badges at the other campus, caused a deadlock in PostgreSQL."""
    zoe, max_ = "N’Diaye Zoé; zoe@exemple.fr", "Roy Max; max@exemple.fr"
    older = app.award(zoe)
    app.clock.move(minutes=1)
    elsewhere = award_elsewhere(app, f"{zoe}\n{max_}")
    app.clock.move(minutes=1)
    newer = app.award(max_)
    orders = []
    for line in (*older.lines, *newer.lines):
        person_id, taken = line.person_id, list[uuid.UUID]()
        theirs = [line.award_id, *(each.award_id for each in elsewhere.lines if each.person_id == person_id)]
        assert (person_id, len(theirs)) == (person_id, 2)
        with app.unit_of_work() as services:
            for award_id in theirs:
                services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        with asked_of(app) as asked, app.unit_of_work() as services:
            person = services.people.people.get(person_id)
            services.age_bands.set_group(person, AgeGroup.UNDER_15, by=COMMAND)
        for sql, values in asked:
            if re.search(r"FROM campus_log\b.*FOR UPDATE", sql, re.DOTALL):
                taken += [each for each in values.values() if each in (app.campus.id, app.other_campus.id)]
        orders.append(list(dict.fromkeys(taken)))
    assert len(orders[0]) == 2
    assert orders[0] == orders[1]


def test_hours_that_a_program_sends_during_a_merge_are_not_lost(scene: Scene) -> None:
    """The program gets a conflict and sends them again."""
    with scene.app.unit_of_work() as services:
        services.external_ids.give(scene.app.campus, NamedKind.PERSON, "P-1", scene.zoe)
    lines = [("P-1", replace(listed(ZOE)[0], hours=2))]
    ended = done_meanwhile(
        scene.app,
        merge(scene),
        lambda services: services.participant_upserts.upsert_all(
            scene.app.campus, scene.app.activity.id, lines, {}, by=scene.by
        ),
    )
    assert ended == ("", "Conflict")


def test_list_of_people_that_a_program_sends_takes_turns_with_an_award(scene: Scene) -> None:
    with scene.app.unit_of_work() as services:
        services.external_ids.give(scene.app.campus, NamedKind.PERSON, "P-1", scene.zoe)
    lines = [PersonLine("P-1", "Zoé", "Durant")]
    ended = done_meanwhile(
        scene.app,
        award(scene),
        lambda services: services.people_upserts.upsert_all(scene.app.campus, lines, by=scene.by),
    )
    assert ended == ("", "")


def test_answer_of_a_parent_takes_turns_with_a_merge(scene: Scene) -> None:
    with scene.app.unit_of_work() as services:
        services.guardians.set_age_group(scene.app.campus, scene.lou, AgeGroup.UNDER_15, by=scene.by)
        record = services.awards.record(scene.award)
        asked = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        token = parent_token(services.guardians.secret, asked.id)
    ended = done_meanwhile(
        scene.app, merge_into(scene), lambda services: services.guardians.answer(token, agreed=False)
    )
    assert ended == ("", "")
