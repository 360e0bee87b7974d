"""Every way in which a campus or a phone adds an address or an age: none opens, or exposes, whom another knows."""

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
from tests.support.house import COMMAND, House, _badge, listed

ZOE, HERS, ANOTHER = "MARTIN Zoé", "zoe@exemple.fr", "martin.z@exemple.fr"
HEAD = "Identifiant;Activité;Date;Lieu;Nom;Prénom;Courriel;Rôle;Heures;Contribution"
DAY = date(2026, 11, 24)


def by(house: House, campus: Campus) -> Actor:
    return Actor((house.trainer if campus.id == house.campus.id else house.stranger).id)


def awarded(house: House, campus: Campus, line: str, activity_id: uuid.UUID | None = None) -> uuid.UUID:
    """An award of that campus, in an activity of its own unless one is named."""
    with house.process.visit(campus_id=campus.id) as services:
        if activity_id is None:
            held = Activity(
                kind=ActivityKind.WORKSHOP,
                title="Cuisine",
                starts_on=DAY,
                ends_on=DAY,
                created_at=house.clock(),
            )
            activity_id = services.activities.create(held, [campus], by=COMMAND).id
        badge = _badge(
            services, campus, BadgeKind.PARTICIPATION, "Cuisine", f"cuisine-{uuid.uuid4().hex[:8]}"
        ).badge
        request = AwardRequest(badge.id, activity_id, lines=listed(line))
        award_id = services.awards.award(campus, request, by=by(house, campus)).lines[0].award_id
    assert award_id
    return award_id


def person_of(house: House, award_id: uuid.UUID) -> uuid.UUID:
    with house.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).person.id


def joint(house: House) -> None:
    """The other campus organises the house's activity too."""
    with house.unit_of_work() as services:
        services.activity_plans.plans.save_place(
            ActivityCampus(activity_id=house.activity.id, campus_id=house.other_campus.id, position=1)
        )
        services.activity_plans.answer(house.other_campus, house.activity.id, accepts=True, by=COMMAND)


def signed(
    house: House, campus: Campus, activity_id: uuid.UUID, address: str, *, under_15: bool = False
) -> Signed:
    with house.unit_of_work() as services:
        services.rooms.open(campus, activity_id, capacity=None, by=COMMAND)
    with house.unit_of_work(reading=True) as services:
        phone = new_phone()
        room = services.rooms.access(services.rooms.page(campus, activity_id).code, phone).room
    line = ListedPerson(1, given_name="Zoé", family_name="Martin", address=address, under_15=under_15)
    with house.unit_of_work() as services:
        return services.rooms.sign(Ticket(room.id, phone, house.clock.now), line)[1]


def confirmed_by_a_trainer(house: House, campus: Campus, activity_id: uuid.UUID) -> None:
    with house.process.visit(campus_id=campus.id) as services:
        for asked in services.rooms.page(campus, activity_id).asked:
            services.room_signatures.answer(
                campus,
                activity_id,
                asked.waiting.id,
                str(asked.question.namesakes[0].person.id),
                by=by(house, campus),
            )


def imported(house: House, campus: Campus, line: str) -> list[str]:
    with house.unit_of_work() as services:
        run = services.imports.drop(campus, "Suivi", f"{HEAD}\n{line}", by=by(house, campus)).id
    with house.unit_of_work() as services:
        services.imports.confirm(campus, run, ReadingPlan(), by=by(house, campus))
    with house.unit_of_work(reading=True) as services:
        return [each.reason for each in services.imports.lines(campus, run)]


# --- ways to add an address to a record that has one, and a badge of each campus; by the staff of the second


def by_import(house: House, theirs: uuid.UUID) -> None:
    for address in (HERS, ANOTHER):
        imported(house, house.other_campus, f"P-1;Poterie;03/10/2025;Dijon;MARTIN;Zoé;{address};Apprenant;3;")


def by_delivery(house: House, theirs: uuid.UUID) -> None:
    with house.process.visit(campus_id=house.other_campus.id) as services, pytest.raises(Conflict):
        services.delivery.write_again(house.other_campus, theirs, ANOTHER, by=by(house, house.other_campus))


def by_correction(house: House, theirs: uuid.UUID) -> None:
    with house.process.visit(campus_id=house.other_campus.id) as services, suppress(AppError):
        services.corrections.correct(
            house.other_campus, person_of(house, theirs), "Zoé", "Martin", ANOTHER, by=COMMAND
        )


def by_people_of_a_program(house: House, theirs: uuid.UUID) -> None:
    for address in (HERS, ANOTHER):
        with house.process.visit(campus_id=house.other_campus.id) as services, suppress(AppError):
            line = PersonLine("e-1", "Zoé", "Martin", address, same_person=True)
            services.people_upserts.upsert(house.other_campus, line, by=COMMAND)


def by_participants_of_a_program(house: House, theirs: uuid.UUID) -> None:
    by_people_of_a_program(house, theirs)
    with house.process.visit(campus_id=house.other_campus.id) as services, suppress(AppError):
        activity_id = services.awards.record(theirs).award.activity_id
        assert activity_id
        services.participant_upserts.upsert_all(
            house.other_campus, activity_id, [("e-1", *listed(f"{ZOE};{ANOTHER}"))], {}, by=COMMAND
        )


def by_merging(house: House, theirs: uuid.UUID) -> None:
    mine = awarded(house, house.other_campus, f"{ZOE};{ANOTHER}")
    with house.process.visit(campus_id=house.other_campus.id) as services, suppress(AppError):
        services.merging.merge_in_campus(
            house.other_campus,
            person_of(house, theirs),
            person_of(house, mine),
            "La même personne, deux adresses.",
            by=COMMAND,
        )


def by_request_from_the_link(house: House, theirs: uuid.UUID) -> None:
    badge_id = accepting(house, house.role.badge.id)
    with house.unit_of_work() as services, suppress(AppError):
        person = services.stores.people.get(person_of(house, theirs))
        asked = RequestOutcome("Zoé", "Martin", ANOTHER, "J’ai animé deux ateliers de robotique, seule.")
        request = services.asking.ask(badge_id, asked, known=KnownRequest(person, ""))
        services.asking.confirm(services.asking.token_of(request))


def by_phone(house: House, theirs: uuid.UUID) -> None:
    with house.unit_of_work(reading=True) as services:
        activity_id = services.awards.record(theirs).award.activity_id
    assert activity_id
    signed(house, house.other_campus, activity_id, ANOTHER)
    confirmed_by_a_trainer(house, house.other_campus, activity_id)


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


def doors(house: House, person_id: uuid.UUID, *, own_link: bool = True) -> set[str]:
    """The addresses to which a link may be sent that enters as that person; `own_link`: from a private link too."""
    opened = set[str]()
    for address in (HERS, ANOTHER):
        with house.unit_of_work() as services:
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
    house: House, way: Callable[[House, uuid.UUID], None]
):
    person_id = person_of(house, house.award(f"{ZOE};{HERS}").lines[0].award_id)
    theirs = awarded(house, house.other_campus, f"{ZOE};{HERS}")
    assert person_of(house, theirs) == person_id
    way(house, theirs)
    assert doors(house, person_id) == {HERS}


def test_an_address_given_before_opens_nothing_once_another_campus_knows_the_person(house: House):
    theirs = awarded(house, house.other_campus, f"{ZOE};{HERS}")
    person_id = person_of(house, theirs)
    with house.process.visit(campus_id=house.other_campus.id) as services:
        services.delivery.write_again(house.other_campus, theirs, ANOTHER, by=by(house, house.other_campus))
    assert doors(house, person_id, own_link=False) == {HERS, ANOTHER}

    mine = house.award(f"{ZOE};{HERS}").lines[0].award_id
    assert person_of(house, mine) == person_id
    assert doors(house, person_id) == {HERS}


# --- ways to add a first address to a record that a joint activity knows by name alone


def by_list(house: House) -> None:
    with house.process.visit(campus_id=house.other_campus.id) as services:
        services.activities.record(
            house.other_campus,
            house.activity.id,
            listed(f"{ZOE};{ANOTHER}"),
            by=by(house, house.other_campus),
        )


def by_award(house: House) -> None:
    awarded(house, house.other_campus, f"{ZOE};{ANOTHER}", house.activity.id)


def by_import_of_a_name(house: House) -> None:
    line = f"P-1;{house.activity.title};24/11/2026;Dijon;MARTIN;Zoé;{ANOTHER};Apprenant;3;"
    imported(house, house.other_campus, line)


def by_course(house: House) -> None:
    """As the participants of a course are listed, with the answer that it is the same person."""
    with house.process.visit(campus_id=house.other_campus.id) as services:
        services.participant_upserts.upsert_all(
            house.other_campus,
            house.activity.id,
            [("e-1", *listed(f"{ZOE};{ANOTHER}"))],
            {1: True},
            by=COMMAND,
            may_replace=lambda _: False,
        )


def by_phone_there(house: House) -> None:
    signed(house, house.other_campus, house.activity.id, ANOTHER)
    confirmed_by_a_trainer(house, house.other_campus, house.activity.id)


@pytest.mark.parametrize("way", [by_list, by_award, by_import_of_a_name, by_course, by_phone_there])
def test_no_campus_gives_a_name_of_a_joint_activity_its_first_address(
    house: House, way: Callable[[House], None]
):
    person_id = person_of(house, house.award(ZOE).lines[0].award_id)
    joint(house)
    way(house)
    assert doors(house, person_id, own_link=False) == set()


# --- phones


def test_phone_gives_a_listed_name_no_address(house: House):
    award_id = house.award(ZOE).lines[0].award_id
    assert signed(house, house.campus, house.activity.id, ANOTHER) is Signed.WAITING
    assert doors(house, person_of(house, award_id), own_link=False) == set()


def test_confirmed_signature_gives_no_address_once_somebody_opened_a_badge(house: House):
    award_id = house.award(ZOE).lines[0].award_id
    with house.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.delivery.claim_by_code(services.delivery.codes_for([record])[award_id].code)
    signed(house, house.campus, house.activity.id, ANOTHER)
    confirmed_by_a_trainer(house, house.campus, house.activity.id)
    assert doors(house, record.person.id, own_link=False) == set()
    with house.unit_of_work() as services, pytest.raises(Conflict, match=IS_CLAIMED):
        services.delivery.write_again(house.campus, award_id, ANOTHER, by=COMMAND)


def test_import_gives_no_address_to_a_name_with_a_badge(house: House):
    award_id = house.award(ZOE).lines[0].award_id
    imported(
        house, house.campus, f"P-1;{house.activity.title};24/11/2026;Dijon;MARTIN;Zoé;{ANOTHER};Apprenant;3;"
    )
    assert doors(house, person_of(house, award_id), own_link=False) == set()


# --- what a campus rightly does


def test_line_of_an_import_names_why_its_address_is_left_out(house: House):
    house.award(f"{ZOE};{HERS}")
    line = "P-1;Poterie;03/10/2025;Dijon;MARTIN;Zoé;{};Apprenant;3;"
    imported(house, house.other_campus, line.format(HERS))
    assert imported(house, house.other_campus, line.format(ANOTHER)) == [NOT_THEIRS_ALONE]


def test_campus_that_alone_knows_a_learner_corrects_a_mistyped_address(house: House):
    award_id = house.award(f"{ZOE};zeo@exemple.fr").lines[0].award_id
    with house.unit_of_work() as services:
        services.delivery.write_again(house.campus, award_id, HERS, by=COMMAND)
    assert doors(house, person_of(house, award_id), own_link=False) == {HERS}


def test_private_link_names_the_first_address_where_one_campus_knows_the_person(house: House):
    person_id = person_of(house, house.award(ZOE).lines[0].award_id)
    assert doors(house, person_id) == {HERS, ANOTHER}
    joint(house)
    assert doors(house, person_id) == {HERS, ANOTHER}, "no campus has an address of theirs"
    awarded(house, house.other_campus, ZOE, house.activity.id)
    assert doors(house, person_id) == set()


def test_comparison_of_an_address_counts_what_the_holder_proved(house: House):
    award_id = house.award(f"{ZOE};{HERS}").lines[0].award_id
    with house.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.awards.set_visibility(award_id, "open", by=Actor(person.id))
        services.awards.answer_checks(award_id, True, by=Actor(person.id))
        services.stores.people.add_address(person, ANOTHER)
        assert services.holders.is_known_at(award_id, ANOTHER)
        services.sign_in.own_addresses.verify(person, HERS, at=house.clock())
        assert services.holders.is_known_at(award_id, HERS)
        assert not services.holders.is_known_at(award_id, ANOTHER)


# --- age


def older_by_phone(house: House) -> None:
    assert signed(house, house.campus, house.activity.id, "") is Signed.LISTED


def older_by_confirmed_phone(house: House) -> None:
    assert signed(house, house.campus, house.activity.id, ANOTHER) is Signed.WAITING
    confirmed_by_a_trainer(house, house.campus, house.activity.id)


def older_by_list_of_co_organiser(house: House) -> None:
    joint(house)
    with house.process.visit(campus_id=house.other_campus.id) as services:
        line = replace(*listed(f"{ZOE};{HERS}"), under_15=False)
        services.activities.record(
            house.other_campus, house.activity.id, [line], by=by(house, house.other_campus)
        )


def older_by_program(house: House) -> None:
    with house.process.visit(campus_id=house.other_campus.id) as services:
        line = PersonLine("e-1", "Zoé", "Martin", HERS, under_15=False)
        services.people_upserts.upsert(house.other_campus, line, by=COMMAND)


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
    house: House, way: Callable[[House], None], line: str
):
    award_id = house.award(f"{line};moins de 15 ans").lines[0].award_id
    way(house)
    with house.unit_of_work(reading=True) as services:
        person = services.awards.record(award_id).person
    assert (person.age_group, person.needs_guardian) == (AgeGroup.UNDER_15, True)


def test_phone_raises_the_protection_of_a_listed_person(house: House):
    award_id = house.award(f"{ZOE};{HERS}").lines[0].award_id
    signed(house, house.campus, house.activity.id, "", under_15=True)
    with house.unit_of_work(reading=True) as services:
        assert services.awards.record(award_id).person.needs_guardian
