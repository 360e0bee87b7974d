"""Who may be given which badge, and what becomes of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity, ActivityKind, Participation
from app.domain.awards import (
    AlreadyRevoked,
    Award,
    AwardState,
    LineOutcome,
    check_eligibility,
    is_in_force,
    new_award,
    once_key,
    renew,
    revoke,
)
from app.domain.awards.batches import AwardBatch, check_same_request
from app.domain.badges import Badge, BadgeKind, BadgeVersion, Repeat
from app.domain.people import Person
from app.errors import InvalidInput

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def person() -> Person:
    return Person(given_name="Zoé", family_name="Martin", created_at=NOON)


def badge(repeat: Repeat = Repeat.ONCE) -> Badge:
    return Badge(campus_id=uuid.uuid4(), slug="robotique", repeat=repeat, created_at=NOON)


def version(kind: BadgeKind = BadgeKind.PARTICIPATION, **more: object) -> BadgeVersion:
    return BadgeVersion(
        badge_id=uuid.uuid4(),
        number=1,
        kind=kind,
        name="Robotique pour tous",
        description="Une découverte.",
        criteria="La personne a monté et programmé un robot.",
        created_at=NOON,
        **more,
    )


def activity() -> Activity:
    return Activity(
        kind=ActivityKind.WORKSHOP,
        title="Atelier",
        starts_on=date(2026, 11, 25),
        ends_on=date(2026, 11, 25),
        hours=3,
        created_at=NOON,
    )


@dataclass
class Case:
    person: Person = field(default_factory=person)
    version: BadgeVersion = field(default_factory=version)
    activity: Activity | None = field(default_factory=activity)
    contribution: str = ""
    hours: float | None = None
    evidence: str = ""
    giver_id: uuid.UUID | None = field(default_factory=uuid.uuid4)
    held: Award | None = None

    def outcome(self) -> LineOutcome:
        participation = self.activity and Participation(
            activity_id=self.activity.id,
            person_id=self.person.id,
            line_key="zoe",
            hours=self.hours,
            contribution=self.contribution,
            recorded_at=NOON,
        )
        return check_eligibility(
            self.version,
            person=self.person,
            giver_id=self.giver_id,
            activity=self.activity,
            participation=participation,
            evidence=self.evidence,
            held=self.held,
        ).outcome


def test_somebody_present_is_ready_for_a_badge_of_participation() -> None:
    assert Case().outcome() is LineOutcome.READY


def test_nobody_gives_themselves_a_badge() -> None:
    someone = person()
    assert Case(person=someone, giver_id=someone.id).outcome() is LineOutcome.ONESELF


def test_a_badge_of_participation_rests_on_an_activity() -> None:
    assert Case(activity=None).outcome() is LineOutcome.MISSING_EVIDENCE


@pytest.mark.parametrize("kind", [kind for kind in BadgeKind if kind.is_assessed])
def test_a_judged_badge_says_what_the_person_did(kind: BadgeKind) -> None:
    assert Case(version=version(kind)).outcome() is LineOutcome.MISSING_EVIDENCE
    assert Case(version=version(kind), contribution="A animé le stand.").outcome() is LineOutcome.READY
    results = "Résultats (Moodle) : Quiz 15,5/20 ; Projet final 8/10"
    assert Case(version=version(kind), contribution=results).outcome() is LineOutcome.MISSING_EVIDENCE
    assert Case(version=version(kind), contribution=f"{results}, soigné").outcome() is LineOutcome.READY
    assert Case(version=version(kind), evidence="Observé sur trois pièces.").outcome() is LineOutcome.READY


def test_belonging_needs_no_more_than_being_there() -> None:
    assert Case(version=version(BadgeKind.BELONGING), activity=None).outcome() is LineOutcome.READY


def test_too_few_hours_are_distinguished_from_enough() -> None:
    twelve = version(required_hours=12.0)
    assert Case(version=twelve, hours=11.5).outcome() is LineOutcome.TOO_FEW_HOURS
    assert Case(version=twelve, hours=12).outcome() is LineOutcome.READY
    assert Case(version=twelve).outcome() is LineOutcome.TOO_FEW_HOURS  # the activity lasts three hours


def award_of(
    the_badge: Badge, the_version: BadgeVersion, someone: Person, zone: str = "Europe/Paris"
) -> Award:
    return new_award(
        the_badge,
        the_version,
        person=someone,
        activity=None,
        participation=None,
        evidence=" Vu. ",
        show_name=True,
        giver_id=None,
        at=NOON + timedelta(microseconds=1),
        zone=zone,
    )


def test_who_holds_the_badge_is_not_given_it_again() -> None:
    someone = person()
    assert (
        Case(person=someone, held=award_of(badge(), version(), someone)).outcome() is LineOutcome.ALREADY_HELD
    )


def test_an_award_is_dated_to_the_second_and_ends_as_its_version_says() -> None:
    award = award_of(badge(), version(validity_days=30), person())
    assert award.awarded_at == NOON
    assert award.valid_until == datetime(2026, 12, 25, 22, 59, 59, tzinfo=UTC), "the end of the thirtieth day"


@pytest.mark.parametrize(
    ("zone", "days", "end"),
    [
        ("Europe/Paris", 200, "2027-06-13T21:59:59"),
        ("America/Martinique", 30, "2026-12-26T03:59:59"),
        ("Pacific/Noumea", 30, "2026-12-25T12:59:59"),
        ("Indian/Reunion", 1, "2026-11-26T19:59:59"),
    ],
)
def test_the_last_day_of_a_badge_is_a_whole_day_where_the_campus_is(zone: str, days: int, end: str) -> None:
    award = award_of(badge(), version(validity_days=days), person(), zone)
    assert award.valid_until == datetime.fromisoformat(f"{end}+00:00")
    assert is_in_force(award, at=award.valid_until - timedelta(seconds=1))
    renew(award, days=days, evidence="Vu.", at=award.valid_until, zone=zone)
    assert award.valid_until.astimezone(ZoneInfo(zone)).time() == time(23, 59, 59)


def test_a_name_stands_in_the_award_only_where_it_may() -> None:
    someone = person()
    kept = new_award(
        badge(),
        version(),
        person=someone,
        activity=None,
        participation=None,
        evidence="",
        show_name=False,
        giver_id=None,
        at=NOON,
        zone="Europe/Paris",
    )
    assert (kept.holder_name, award_of(badge(), version(), someone).holder_name) == (None, "Zoé Martin")


def test_the_holder_is_a_random_urn_and_never_the_person() -> None:
    someone = person()
    first, second = award_of(badge(), version(), someone), award_of(badge(), version(), someone)
    assert len({first.subject_id, second.subject_id, someone.id}) == 3


def test_how_often_a_badge_may_be_held_is_what_its_repeat_says() -> None:
    someone, monday, tuesday = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    once, each, always = badge(), badge(Repeat.ONCE_PER_ACTIVITY), badge(Repeat.ALWAYS)
    assert once_key(once, someone, monday) == once_key(once, someone, tuesday)
    assert once_key(each, someone, monday) != once_key(each, someone, tuesday)
    assert once_key(each, someone, monday) == once_key(each, someone, monday)
    assert once_key(always, someone, monday) is None


def test_withdrawing_needs_a_reason_happens_once_and_frees_the_place() -> None:
    award = award_of(badge(), version(), person())
    with pytest.raises(InvalidInput):
        revoke(award, "  ", at=NOON)
    assert award.state is AwardState.ISSUED
    revoke(award, "Erreur de personne.", at=NOON)
    assert (award.state, award.revoked_at, award.once_key) == (AwardState.REVOKED, NOON, None)
    with pytest.raises(AlreadyRevoked):
        revoke(award, "Encore une fois.", at=NOON)


def test_an_idempotency_key_stands_for_one_request() -> None:
    batch = AwardBatch(campus_id=uuid.uuid4(), version_id=uuid.uuid4(), requested_at=NOON, request_digest="a")
    check_same_request(batch, "a")
    with pytest.raises(InvalidInput):
        check_same_request(batch, "b")


@given(
    st.sampled_from(BadgeKind),
    st.one_of(st.none(), st.floats(0, 100)),
    st.one_of(st.none(), st.floats(0.5, 100)),
    st.sampled_from(["", "A animé le stand."]),
)
def test_each_line_is_judged_alone(
    kind: BadgeKind, hours: float | None, required: float | None, result: str
) -> None:
    """The same person gets the same answer whoever was judged before them (I25)."""
    case = Case(version=version(kind, required_hours=required), hours=hours, contribution=result)
    alone = case.outcome()
    Case(version=case.version, hours=0).outcome()
    assert case.outcome() is alone


def test_who_holds_the_badge_is_shown_what_the_badge_says_of_repeating() -> None:
    def said(repeat: Repeat) -> str:
        someone = person()
        held = award_of(badge(repeat), version(), someone)
        return check_eligibility(
            version(),
            person=someone,
            giver_id=None,
            activity=None,
            participation=None,
            evidence="",
            held=held,
            repeat=repeat,
        ).sentence

    assert "une seule fois par personne" in said(Repeat.ONCE)
    assert "dans cette activité" in said(Repeat.ONCE_PER_ACTIVITY)
