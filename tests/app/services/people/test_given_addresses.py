"""No way of adding an address or an age opens or exposes a person whom another campus knows."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest

from app.db.activities.plans import ActivityCampus
from app.domain.activities import Activity, ActivityKind
from app.domain.activities.check_in import Ticket, new_phone
from app.domain.activities.listed_people import ListedPerson
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.imports.tables import ReadingPlan
from app.domain.people import AgeGroup
from app.errors import AppError, Conflict, NotSignedIn
from app.services.accounts.sessions import Browser
from app.services.activities.check_in import Signed
from app.services.awards.awards import AwardRequest
from app.services.learners.requests import KnownRequest, RequestOutcome
from app.services.people.names import IS_CLAIMED, NOT_THEIRS_ALONE
from app.services.people.upserts import PersonLine
from tests.app.services.learners.test_requests import accepting
from tests.support.app import COMMAND, App, _badge, listed

ZOE, HERS, ANOTHER = "MARTIN Zoé", "zoe@exemple.fr", "martin.z@exemple.fr"
HEAD = "Identifiant;Activité;Date;Lieu;Nom;Prénom;Courriel;Rôle;Heures;Contribution"
DAY = date(2026, 11, 24)


def by(app: App, campus: Campus) -> Actor:
    return Actor((app.trainer if campus.id == app.campus.id else app.stranger).id)


def awarded(app: App, campus: Campus, line: str, activity_id: uuid.UUID | None = None) -> uuid.UUID:
    """An award of that campus, in a separate activity by default."""
    with app.process.visit(campus_id=campus.id) as services:
        if activity_id is None:
            held = Activity(
                kind=ActivityKind.WORKSHOP,
                title="Cuisine",
                starts_on=DAY,
                ends_on=DAY,
                created_at=app.clock(),
            )
            activity_id = services.activities.create(held, [campus], by=COMMAND).id
        badge = _badge(
            services, campus, BadgeKind.PARTICIPATION, "Cuisine", f"cuisine-{uuid.uuid4().hex[:8]}"
        ).badge
        request = AwardRequest(badge.id, activity_id, lines=listed(line))
        award_id = services.awards.award(campus, request, by=by(app, campus)).lines[0].award_id
    assert award_id
    return award_id


def person_of(app: App, award_id: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).person.id


def joint(app: App) -> None:
    """The other campus organises the activity of the app's campus too."""
    with app.unit_of_work() as services:
        services.activity_plans.plans.save(
            ActivityCampus(activity_id=app.activity.id, campus_id=app.other_campus.id, position=1)
        )
        services.activity_plans.answer(app.other_campus, app.activity.id, accepts=True, by=COMMAND)


def signed(
    app: App, campus: Campus, activity_id: uuid.UUID, address: str, *, under_15: bool = False
) -> Signed:
    with app.unit_of_work() as services:
        services.rooms.open(campus, activity_id, capacity=None, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        phone = new_phone()
        room = services.rooms.access(services.rooms.page(campus, activity_id).code, phone).room
    line = ListedPerson(1, given_name="Zoé", family_name="Martin", address=address, under_15=under_15)
    with app.unit_of_work() as services:
        return services.rooms.sign(Ticket(room.id, phone, app.clock.now), line)[1]


def confirmed_by_a_trainer(app: App, campus: Campus, activity_id: uuid.UUID) -> None:
    with app.process.visit(campus_id=campus.id) as services:
        for asked in services.rooms.page(campus, activity_id).asked:
            services.room_signatures.answer(
                campus,
                activity_id,
                asked.waiting.id,
                str(asked.question.namesakes[0].person.id),
                by=by(app, campus),
            )


def imported(app: App, campus: Campus, line: str) -> list[str]:
    with app.unit_of_work() as services:
        run = services.imports.drop(campus, "Suivi", f"{HEAD}\n{line}", by=by(app, campus)).id
    with app.unit_of_work() as services:
        services.imports.confirm(campus, run, ReadingPlan(), by=by(app, campus))
    with app.unit_of_work(reading=True) as services:
        return [each.reason for each in services.imports.lines(campus, run)]


# --- ways for staff of the second campus to add an address to a record with an address and a badge of each


def by_import(app: App, theirs: uuid.UUID) -> None:
    for address in (HERS, ANOTHER):
        imported(app, app.other_campus, f"P-1;Poterie;03/10/2025;Dijon;MARTIN;Zoé;{address};Apprenant;3;")


def by_delivery(app: App, theirs: uuid.UUID) -> None:
    with app.process.visit(campus_id=app.other_campus.id) as services, pytest.raises(Conflict):
        services.delivery.write_again(app.other_campus, theirs, ANOTHER, by=by(app, app.other_campus))


def by_correction(app: App, theirs: uuid.UUID) -> None:
    with app.process.visit(campus_id=app.other_campus.id) as services, suppress(AppError):
        services.corrections.correct(
            app.other_campus, person_of(app, theirs), "Zoé", "Martin", ANOTHER, by=COMMAND
        )


def by_people_of_a_program(app: App, theirs: uuid.UUID) -> None:
    for address in (HERS, ANOTHER):
        with app.process.visit(campus_id=app.other_campus.id) as services, suppress(AppError):
            line = PersonLine("e-1", "Zoé", "Martin", address, same_person=True)
            services.people_upserts.upsert(app.other_campus, line, by=COMMAND)


def by_participants_of_a_program(app: App, theirs: uuid.UUID) -> None:
    by_people_of_a_program(app, theirs)
    with app.process.visit(campus_id=app.other_campus.id) as services, suppress(AppError):
        activity_id = services.awards.record(theirs).award.activity_id
        assert activity_id
        services.participant_upserts.upsert_all(
            app.other_campus, activity_id, [("e-1", *listed(f"{ZOE};{ANOTHER}"))], {}, by=COMMAND
        )


def by_merging(app: App, theirs: uuid.UUID) -> None:
    mine = awarded(app, app.other_campus, f"{ZOE};{ANOTHER}")
    with app.process.visit(campus_id=app.other_campus.id) as services, suppress(AppError):
        services.merging.merge_in_campus(
            app.other_campus,
            person_of(app, theirs),
            person_of(app, mine),
            "La même personne, deux adresses.",
            by=COMMAND,
        )


def by_request_from_the_link(app: App, theirs: uuid.UUID) -> None:
    badge_id = accepting(app, app.role.badge.id)
    with app.unit_of_work() as services, suppress(AppError):
        person = services.stores.people.get(person_of(app, theirs))
        asked = RequestOutcome("Zoé", "Martin", ANOTHER, "J’ai animé deux ateliers de robotique, seule.")
        request = services.asking.ask(badge_id, asked, known=KnownRequest(person, ""))
        services.asking.confirm(services.asking.token_of(request))


def by_phone(app: App, theirs: uuid.UUID) -> None:
    with app.unit_of_work(reading=True) as services:
        activity_id = services.awards.record(theirs).award.activity_id
    assert activity_id
    signed(app, app.other_campus, activity_id, ANOTHER)
    confirmed_by_a_trainer(app, app.other_campus, activity_id)


AT_AN_ADDRESS = (
    by_import,
    by_delivery,
    by_correction,
    by_people_of_a_program,
    by_participants_of_a_program,
    by_merging,
    by_request_from_the_link,
    by_phone,
)


def doors(app: App, person_id: uuid.UUID, *, own_link: bool = True) -> set[str]:
    """The addresses that may receive a sign-in link of that person; `own_link`: from a private link too."""
    opened = set[str]()
    for address in (HERS, ANOTHER):
        with app.unit_of_work() as services:
            person = services.stores.people.get(person_id)
            browser = Browser(asking="x" * 20)
            secret = services.sign_in.make_link(
                person_id, by=COMMAND, browser_digest=browser.digest, address=address
            )
            own = services.sign_in.own_addresses
            may = services.sign_in._may_open(person, address) if own_link else own.may_enter(person, address)
            if may:
                opened.add(address)
            elif own_link:
                with pytest.raises(NotSignedIn):
                    services.sign_in.by_link(secret, browser)
    return opened


@pytest.mark.parametrize("way", AT_AN_ADDRESS)
def test_no_campus_opens_a_badge_of_another_through_an_address_that_it_gave(
    app: App, way: Callable[[App, uuid.UUID], None]
):
    person_id = person_of(app, app.award(f"{ZOE};{HERS}").lines[0].award_id)
    theirs = awarded(app, app.other_campus, f"{ZOE};{HERS}")
    assert person_of(app, theirs) == person_id
    way(app, theirs)
    assert doors(app, person_id) == {HERS}


def test_an_address_given_before_opens_nothing_once_another_campus_knows_the_person(app: App):
    theirs = awarded(app, app.other_campus, f"{ZOE};{HERS}")
    person_id = person_of(app, theirs)
    with app.process.visit(campus_id=app.other_campus.id) as services:
        services.delivery.write_again(app.other_campus, theirs, ANOTHER, by=by(app, app.other_campus))
    assert doors(app, person_id, own_link=False) == {HERS, ANOTHER}

    mine = app.award(f"{ZOE};{HERS}").lines[0].award_id
    assert person_of(app, mine) == person_id
    assert doors(app, person_id) == {HERS}


# --- ways to add a first address to a record that a joint activity knows by name alone


def by_list(app: App) -> None:
    with app.process.visit(campus_id=app.other_campus.id) as services:
        services.activities.record(
            app.other_campus,
            app.activity.id,
            listed(f"{ZOE};{ANOTHER}"),
            by=by(app, app.other_campus),
        )


def by_award(app: App) -> None:
    awarded(app, app.other_campus, f"{ZOE};{ANOTHER}", app.activity.id)


def by_import_of_a_name(app: App) -> None:
    line = f"P-1;{app.activity.title};24/11/2026;Dijon;MARTIN;Zoé;{ANOTHER};Apprenant;3;"
    imported(app, app.other_campus, line)


def by_course(app: App) -> None:
    """By the list of course participants, with the answer that it is the same person."""
    with app.process.visit(campus_id=app.other_campus.id) as services:
        services.participant_upserts.upsert_all(
            app.other_campus,
            app.activity.id,
            [("e-1", *listed(f"{ZOE};{ANOTHER}"))],
            {1: True},
            by=COMMAND,
            may_replace=lambda _: False,
        )


def by_phone_there(app: App) -> None:
    signed(app, app.other_campus, app.activity.id, ANOTHER)
    confirmed_by_a_trainer(app, app.other_campus, app.activity.id)


@pytest.mark.parametrize("way", [by_list, by_award, by_import_of_a_name, by_course, by_phone_there])
def test_no_campus_gives_a_name_of_a_joint_activity_its_first_address(app: App, way: Callable[[App], None]):
    person_id = person_of(app, app.award(ZOE).lines[0].award_id)
    joint(app)
    way(app)
    assert doors(app, person_id, own_link=False) == set()


# --- phones


def test_phone_gives_a_listed_name_no_address(app: App):
    award_id = app.award(ZOE).lines[0].award_id
    assert signed(app, app.campus, app.activity.id, ANOTHER) is Signed.WAITING
    assert doors(app, person_of(app, award_id), own_link=False) == set()


def test_confirmed_signature_gives_no_address_after_a_badge_was_claimed(app: App):
    award_id = app.award(ZOE).lines[0].award_id
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.delivery.claim_by_code(services.delivery.codes_for([record])[award_id].code)
    signed(app, app.campus, app.activity.id, ANOTHER)
    confirmed_by_a_trainer(app, app.campus, app.activity.id)
    assert doors(app, record.person.id, own_link=False) == set()
    with app.unit_of_work() as services, pytest.raises(Conflict, match=IS_CLAIMED):
        services.delivery.write_again(app.campus, award_id, ANOTHER, by=COMMAND)


def test_import_gives_no_address_to_a_name_with_a_badge(app: App):
    award_id = app.award(ZOE).lines[0].award_id
    imported(app, app.campus, f"P-1;{app.activity.title};24/11/2026;Dijon;MARTIN;Zoé;{ANOTHER};Apprenant;3;")
    assert doors(app, person_of(app, award_id), own_link=False) == set()


# --- what a campus may do


def test_line_of_an_import_names_why_its_address_is_left_out(app: App):
    app.award(f"{ZOE};{HERS}")
    line = "P-1;Poterie;03/10/2025;Dijon;MARTIN;Zoé;{};Apprenant;3;"
    imported(app, app.other_campus, line.format(HERS))
    assert imported(app, app.other_campus, line.format(ANOTHER)) == [NOT_THEIRS_ALONE]


def test_campus_that_alone_knows_a_learner_corrects_a_mistyped_address(app: App):
    award_id = app.award(f"{ZOE};zeo@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        services.delivery.write_again(app.campus, award_id, HERS, by=COMMAND)
    assert doors(app, person_of(app, award_id), own_link=False) == {HERS}


def test_private_link_names_the_first_address_where_one_campus_knows_the_person(app: App):
    person_id = person_of(app, app.award(ZOE).lines[0].award_id)
    assert doors(app, person_id) == {HERS, ANOTHER}
    joint(app)
    assert doors(app, person_id) == {HERS, ANOTHER}, "no campus has an address of theirs"
    awarded(app, app.other_campus, ZOE, app.activity.id)
    assert doors(app, person_id) == set()


def test_comparison_of_an_address_counts_what_the_holder_proved(app: App):
    award_id = app.award(f"{ZOE};{HERS}").lines[0].award_id
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.awards.set_visibility(award_id, "open", by=Actor(person.id))
        services.awards.answer_checks(award_id, True, by=Actor(person.id))
        services.stores.people.add_address(person, ANOTHER)
        assert services.holders.is_known_at(award_id, ANOTHER)
        services.sign_in.own_addresses.verify(person, HERS, at=app.clock())
        assert services.holders.is_known_at(award_id, HERS)
        assert not services.holders.is_known_at(award_id, ANOTHER)


# --- age


def older_by_phone(app: App) -> None:
    assert signed(app, app.campus, app.activity.id, "") is Signed.LISTED


def older_by_confirmed_phone(app: App) -> None:
    assert signed(app, app.campus, app.activity.id, ANOTHER) is Signed.WAITING
    confirmed_by_a_trainer(app, app.campus, app.activity.id)


def older_by_list_of_co_organiser(app: App) -> None:
    joint(app)
    with app.process.visit(campus_id=app.other_campus.id) as services:
        line = replace(*listed(f"{ZOE};{HERS}"), under_15=False)
        services.activities.record(app.other_campus, app.activity.id, [line], by=by(app, app.other_campus))


def older_by_program(app: App) -> None:
    with app.process.visit(campus_id=app.other_campus.id) as services:
        line = PersonLine("e-1", "Zoé", "Martin", HERS, under_15=False)
        services.people_upserts.upsert(app.other_campus, line, by=COMMAND)


@pytest.mark.parametrize(
    ("way", "line"),
    [
        (older_by_phone, f"{ZOE};{HERS}"),
        (older_by_confirmed_phone, ZOE),
        (older_by_list_of_co_organiser, f"{ZOE};{HERS}"),
        (older_by_program, f"{ZOE};{HERS}"),
    ],
)
def test_protection_of_a_child_is_lowered_by_no_phone_and_no_other_campus(
    app: App, way: Callable[[App], None], line: str
):
    award_id = app.award(f"{line};moins de 15 ans").lines[0].award_id
    way(app)
    with app.unit_of_work(reading=True) as services:
        person = services.awards.record(award_id).person
    assert (person.age_group, person.needs_guardian) == (AgeGroup.UNDER_15, True)


def test_phone_raises_the_protection_of_a_listed_person(app: App):
    award_id = app.award(f"{ZOE};{HERS}").lines[0].award_id
    signed(app, app.campus, app.activity.id, "", under_15=True)
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(award_id).person.needs_guardian
