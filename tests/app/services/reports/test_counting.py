"""Each figure equals a naive recount written separately, over generated years with merges, erasures and borders."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from app.db.engine.session import open_engine
from app.db.people.privacy import PersonalDataStore, owner_of
from app.db.reports import counting
from app.db.reports.counting import ReportCountStore
from app.db.reports.counts import CountStore
from app.domain.activities import (
    Activity,
    ActivityCampus,
    ActivityKind,
    ActivitySession,
    Attendance,
    Participation,
    PartKind,
)
from app.domain.awards import Award, AwardState, Visibility
from app.domain.badges import Badge, BadgeKind, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.people import CampusPerson, Person
from app.domain.reports import counts
from app.domain.reports.counts import DayOfAwards, count_distinct
from app.domain.reports.facts import (
    ActivityAudience,
    ActivityEstablishment,
    ActivityFacts,
    ActivityOrganisation,
    ActivitySurvey,
    Audience,
    OrganisationPart,
    OrganisationType,
)
from app.domain.reports.indicators import SMALL, figures
from app.domain.reports.ledger import Period
from tests.support.app import App
from tests.support.databases.engines import as_owner, on_postgres
from tests.support.running.examples import examples

PERIODS = (Period.civil(2026), Period.school(2025), Period(date(2026, 3, 1), date(2026, 3, 31)))
TODAY = date(2026, 11, 28)
PARIS = ZoneInfo("Europe/Paris")
DATA_SETS = {"sqlite": examples(60), "postgresql": examples(20)}


@dataclass
class Person_:
    """`stands_for`: the record it was merged into. After erasure, it counts as another person for each campus."""

    row: Person
    stands_for: Person_ | None = None
    is_erased: bool = False

    @property
    def real(self) -> Person_:
        return self.stands_for.real if self.stands_for else self

    def counted_at(self, campus_id: uuid.UUID) -> object:
        return (id(self.real), campus_id if self.real.is_erased else None)


@dataclass
class GeneratedYear:
    """One generated year, in plain Python."""

    campuses: list[Campus] = field(default_factory=list)
    activities: list[dict] = field(default_factory=list)
    people: list[Person_] = field(default_factory=list)
    awards: list[dict] = field(default_factory=list)


def generate(random: Random, session: Session) -> GeneratedYear:
    result, at = GeneratedYear(), datetime(2025, 1, 1, tzinfo=UTC)
    tag = uuid.uuid4().hex[:12]
    for number in range(3):
        slug = f"c{number}-{tag}"
        result.campuses.append(
            Campus(slug=slug, did=f"did:web:{slug}", short_name="C", name="Campus", created_at=at)
        )
    session.add_all(result.campuses)
    result.people = [
        Person_(Person(given_name="P", family_name=str(number), created_at=at)) for number in range(8)
    ]
    session.add_all(each.row for each in result.people)
    session.flush()
    for number in range(random.randint(1, 9)):
        result.activities.append(activity(random, session, result, number))
    badge = Badge(campus_id=result.campuses[0].id, slug="b", created_at=at)
    session.add(badge)
    session.flush()
    version = BadgeVersion(
        badge_id=badge.id, number=1, kind=BadgeKind.PARTICIPATION, name="B", description="", criteria="", created_at=at,
        alignments=[{"framework": "rome", "code": "H2201", "name": "x", "version": "4"}],
    )  # fmt: skip
    session.add(version)
    session.flush()
    for number in range(random.randint(0, 12)):
        result.awards.append(award(random, session, result, badge, version, number))
    session.flush()
    return result


def activity(random: Random, session: Session, result: GeneratedYear, number: int) -> dict:
    border = random.choice(
        [date(2026, 1, 1), date(2026, 9, 1), date(2026, 3, 1), date(2026, 4, 1), date(2026, 6, 10)]
    )
    starts = border + timedelta(days=random.randint(-3, 3))
    one = {
        "starts": starts,
        "ends": starts + timedelta(days=random.choice([0, 0, 1, 5])),
        "kind": random.choice(list(ActivityKind)),
        "hours": random.choice([None, 2.0, 3.5]),
        "size": random.choice([None, None, 0, 4, 30]),
        "sample": random.random() < 0.1,
        "cancelled": random.random() < 0.15,
        "invited": random.choice([None, 0, 10]),
        "parts": [],
        "campuses": set(),
        "sessions": [],
    }
    row = Activity(
        kind=one["kind"], title=f"A{number}", starts_on=one["starts"], ends_on=one["ends"], hours=one["hours"],
        declared_size=one["size"], is_sample=one["sample"], created_at=datetime(2025, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(row)
    session.flush()
    one["id"] = row.id
    for place, campus in enumerate(random.sample(result.campuses, random.randint(1, 3))):
        accepted = place == 0 or random.random() < 0.6
        session.add(
            ActivityCampus(
                activity_id=row.id, campus_id=campus.id, position=place,
                accepted_at=datetime(2025, 1, 1, tzinfo=UTC) if accepted else None,
            )
        )  # fmt: skip
        if accepted:
            one["campuses"].add(campus.id)
        if place == 0:
            one["lead"] = campus.id
    facts(random, session, one, row.id)
    if random.random() < 0.4:
        for day in range(random.randint(1, 3)):
            held = ActivitySession(
                activity_id=row.id, held_on=one["starts"] + timedelta(days=day), hours=random.choice([None, 1.0, 2.0]),
                cancelled_at=datetime(2026, 1, 1, tzinfo=UTC) if random.random() < 0.3 else None,
            )  # fmt: skip
            session.add(held)
            one["sessions"].append(held)
        session.flush()
    for person in random.sample(result.people, random.randint(0, 6)):
        part = Participation(
            activity_id=row.id, person_id=person.row.id, line_key=uuid.uuid4().hex, recorded_at=row.created_at,
            part=random.choice([PartKind.LEARNER, PartKind.LEARNER, PartKind.RESOURCE]),
            hours=random.choice([None, 0.0, 1.5]), is_present=random.random() < 0.8,
        )  # fmt: skip
        session.add(part)
        session.flush()
        attended = [(held, random.choice([None, 0.5])) for held in one["sessions"] if random.random() < 0.6]
        session.add_all(
            Attendance(session_id=held.id, participation_id=part.id, noted_at=row.created_at, hours=hours)
            for held, hours in attended
        )
        one["parts"].append(
            {
                "row": part, "person": person, "part": part.part, "hours": part.hours, "present": part.is_present,
                "attended": attended,
            }
        )  # fmt: skip
    return one


def facts(random: Random, session: Session, one: dict, activity_id: uuid.UUID) -> None:
    one["departement"] = random.choice(["", "71", "21"])
    if one["cancelled"] or one["invited"] is not None or one["departement"]:
        session.add(
            ActivityFacts(
                activity_id=activity_id, invited=one["invited"], departement=one["departement"],
                cancelled_at=datetime(2026, 1, 1, tzinfo=UTC) if one["cancelled"] else None,
            )
        )  # fmt: skip
    one["audiences"] = {
        audience: (people := random.randint(1, 12), random.choice([None, random.randint(0, people)]))
        for audience in random.sample(list(Audience), random.randint(0, 3))
    }
    session.add_all(
        ActivityAudience(activity_id=activity_id, audience=audience, people=people, women=women)
        for audience, (people, women) in one["audiences"].items()
    )
    one["organisations"] = {
        key: random.choice(list(OrganisationPart))
        for key in random.sample(["siren:1", "siren:2", "domain:a.fr", "name:x"], random.randint(0, 3))
    }
    session.add_all(
        ActivityOrganisation(
            activity_id=activity_id, name=key, key=key, part=part, type=OrganisationType.COMPANY
        )
        for key, part in one["organisations"].items()
    )
    one["places"] = random.sample(["0710012C", "0750654D", "73282932000074"], random.randint(0, 3))
    session.add_all(ActivityEstablishment(activity_id=activity_id, number=each) for each in one["places"])
    one["survey"] = None
    if random.random() < 0.5:
        answers = [random.randint(0, 6) for _ in range(4)]
        one["survey"] = (sum(answers) + 3, answers, random.randint(0, 6), random.randint(0, 3))
        asked, (a, b, c, d), yes, no = one["survey"]
        session.add(
            ActivitySurvey(
                activity_id=activity_id, asked=asked, not_at_all=a, rather_not=b, rather=c, fully=d, recommends=yes,
                recommends_not=no,
            )
        )  # fmt: skip


def award(
    random: Random, session: Session, result: GeneratedYear, badge: Badge, version: BadgeVersion, number: int
) -> dict:
    border = random.choice([datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC),
                            datetime(2026, 8, 31, 22, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)])  # fmt: skip
    issued = border + timedelta(seconds=random.choice([-1, 0, 1, -30 * 86400, 3600, -86400]))
    person = random.choice(result.people)
    one = {
        "person": person, "issued": issued, "open": random.random() < 0.5,
        "revoked": issued + timedelta(days=random.choice([1, 400])) if random.random() < 0.3 else None,
        "until": issued + timedelta(days=random.choice([20, 800])) if random.random() < 0.4 else None,
        "undone": random.random() < 0.1,
        "claimed": random.choice([None, issued, issued + timedelta(days=30), issued + timedelta(days=30, seconds=1)]),
        "campus": result.campuses[0].id,
    }  # fmt: skip
    row = Award(
        campus_id=badge.campus_id, badge_id=badge.id, version_id=version.id, person_id=person.row.id, awarded_at=issued,
        valid_until=one["until"], revoked_at=one["revoked"], claimed_at=one["claimed"],
        state=AwardState.REVOKED if one["revoked"] else AwardState.ISSUED,
        undone_at=issued if one["undone"] else None, visibility=Visibility.OPEN if one["open"] else Visibility.CLOSED,
    )  # fmt: skip
    session.add(row)
    one["row"] = row
    return one


def merge(random: Random, session: Session, result: GeneratedYear) -> None:
    """Merge as the service does: two participations in one activity become one, with the longer hours."""
    kept, gone = random.sample([each for each in result.people if each.stands_for is None], 2)
    for one in result.activities:
        mine = next((part for part in one["parts"] if part["person"] is kept), None)
        theirs = next((part for part in one["parts"] if part["person"] is gone), None)
        if mine and theirs:
            if theirs["present"]:
                hours = [each for each in (mine["hours"], theirs["hours"]) if each]
                mine["hours"] = max(hours, default=mine["hours"])
                mine["present"], theirs["present"] = True, False
                mine["row"].hours, mine["row"].is_present = mine["hours"], True
                theirs["row"].is_present = False
        elif theirs:
            theirs["row"].person_id = kept.row.id
            theirs["person"] = kept
    for each in result.awards:
        if each["person"] is gone:
            each["row"].person_id, each["person"] = kept.row.id, kept
    gone.stands_for = kept
    session.flush()


def store_counts(random: Random, session: Session) -> None:
    """Store no counts, some, or all, as workers may have done."""
    counts = CountStore(session)
    for _ in range(random.choice([0, 1, 100])):
        if not counts.recount_some():
            break
    found = counts.check()
    assert (found.activities, found.months, found.days) == ([], [], [])


def change(random: Random, session: Session, result: GeneratedYear) -> None:
    """Corrections after counts were stored, in the rows and in the generated year."""
    one = random.choice(result.activities)
    row = session.get_one(Activity, one["id"])
    match random.randrange(6):
        case 0:
            one["hours"] = row.hours = random.choice([None, 1.0, 9.0])
        case 1:
            move = timedelta(days=random.choice([-40, 40]))
            one["starts"], one["ends"] = one["starts"] + move, one["ends"] + move
            row.starts_on, row.ends_on = one["starts"], one["ends"]
        case 2 if one["parts"]:
            part = random.choice(one["parts"])
            if part["row"] is not None and not part["person"].real.is_erased:
                part["present"] = part["row"].is_present = not part["present"]
        case 3 if one["sessions"]:
            random.choice(one["sessions"]).cancelled_at = random.choice(
                [None, datetime(2026, 1, 1, tzinfo=UTC)]
            )
        case 4 if len(one["campuses"]) > 1:
            left = next(each for each in one["campuses"] if each != one["lead"])
            session.delete(session.get_one(ActivityCampus, (one["id"], left)))
            one["campuses"].discard(left)
        case 5 if result.awards:
            given = random.choice(result.awards)
            if not given["person"].real.is_erased:
                given["claimed"] = given["row"].claimed_at = random.choice([None, given["issued"]])
                given["revoked"] = given["row"].revoked_at = random.choice([None, given["issued"]])
    session.flush()


def recount(result: GeneratedYear, campuses: set, period: Period) -> dict:
    """Plain loops over the generated year, without code of the service."""
    inside = [
        one
        for one in result.activities
        if one["campuses"] & campuses and not one["sample"]
        and one["starts"] <= period.last and one["ends"] >= period.first
    ]  # fmt: skip
    acts = [one for one in inside if not one["cancelled"]]
    named = unnamed = 0
    hours, learners = 0.0, set()
    organisations, places = defaultdict(set), set()
    known = women = women_of = 0
    ratios = []
    survey = [0, 0, 0, 0, 0, 0, 0]
    for one in acts:
        here = [part for part in one["parts"] if part["present"]]
        size = one["size"]
        if size is None:
            size = sum(people for people, _ in one["audiences"].values())
        named += len(here)
        more = max(0, size - len(here))
        unnamed += more
        for part in here:
            if part["part"] is PartKind.LEARNER:
                learners.add(part["person"].counted_at(one["lead"]))
                held = [(each, own) for each, own in part["attended"] if each.cancelled_at is None]
                if held:
                    hours += sum(
                        (own if own is not None else each.hours or 0)
                        for each, own in held
                        if period.first <= each.held_on <= period.last
                    )
                else:
                    hours += part["hours"] if part["hours"] is not None else (one["hours"] or 0)
        for key, part in one["organisations"].items():
            organisations[key].add(part.value)
        places |= {each for each in one["places"] if len(each) == 8}
        for people, of_whom in one["audiences"].values():
            known += people
            if of_whom is not None:
                women, women_of = women + of_whom, women_of + people
        if one["kind"] is ActivityKind.COUNCIL and one["invited"]:
            ratios.append((len(here) + more) / one["invited"])
        if one["survey"]:
            asked, answers, yes, no = one["survey"]
            survey = [a + b for a, b in zip(survey, [asked, *answers, yes, no], strict=True)]
    start = datetime.combine(period.first, datetime.min.time(), PARIS)
    end = datetime.combine(period.last + timedelta(days=1), datetime.min.time(), PARIS)
    due_end = datetime.combine(period.last + timedelta(days=1 - 30), datetime.min.time(), PARIS)
    issued = [
        each for each in result.awards
        if each["campus"] in campuses and not each["undone"] and start <= each["issued"] < end
    ]  # fmt: skip
    valid = [
        each for each in issued
        if not (each["revoked"] and each["revoked"] <= end) and not (each["until"] and each["until"] <= end)
    ]  # fmt: skip
    due = [each for each in issued if each["issued"] < due_end]
    claimed = [each for each in due if each["claimed"]]
    answered = sum(survey[1:5])
    mobilised = {key for key, parts in organisations.items() if parts & {"mobilised", "host", "challenger"}}
    informed = {key for key, parts in organisations.items() if "informed" in parts} | mobilised

    def percent(part: float, of: float) -> float | None:
        return 100 * part / of if of else None

    return {
        "actions": len(acts),
        "participations": named + unnamed,
        "apprenants": len(learners),
        "apprenants-estimes": len(learners) + unnamed,
        "attestation": percent(
            len({each["person"].counted_at(each["campus"]) for each in valid} & learners), len(learners)
        ),
        "reclamation": percent(
            sum(1 for each in due if each["claimed"] and each["claimed"] <= each["issued"] + timedelta(days=30)),
            len(due),
        ),
        "ouverture": percent(sum(1 for each in claimed if each["open"]), len(claimed)),
        "heures": hours,
        "publics": percent(known, max(known, named + unnamed)),
        "femmes": percent(women, women_of),
        "mobilisees": len(mobilised),
        "informees": len(informed),
        "partenaires": len(organisations),
        "etablissements": len(places),
        "satisfaction": percent(survey[3] + survey[4], answered) if answered >= 10 else None,
        "recommandation": percent(survey[5], survey[5] + survey[6]) if survey[5] + survey[6] >= 10 else None,
        "conseils": sum(1 for one in acts if one["kind"] is ActivityKind.COUNCIL),
        "presence": percent(sum(ratios), len(ratios)),
        "competences": 0,
        "metiers": 1 if valid else 0,
        "domaines": 1 if valid else 0,
        "recommandations": 0,
        "realise": percent(sum(1 for one in acts if one["starts"] <= TODAY), len(inside)),
    }  # fmt: skip


def differences(random: Random, result: GeneratedYear, session: Session) -> list[str]:
    """Differences for one campus and for all three together, in one period each."""
    wrong = []
    everywhere = {campus.id for campus in result.campuses}
    for campuses in ({random.choice(result.campuses).id}, everywhere):
        period = random.choice(PERIODS)
        ledger = ReportCountStore(session).ledger(campuses, period, today=TODAY)
        counted = {name: figure.value for name, figure in figures(ledger).items()}
        expected = recount(result, campuses, period)
        assert counted.keys() == expected.keys()
        wrong += [
            f"{name} of {period.key}: {counted[name]} and {expected[name]}"
            for name in counted
            if counted[name] != pytest.approx(expected[name])
        ]
    return wrong


def test_each_figure_equals_a_naive_recount(database_url: str):
    engine = open_engine(as_owner(database_url))
    for seed in range(DATA_SETS[engine.dialect.name]):
        random = Random(seed)
        with Session(engine) as session:
            result = generate(random, session)
            store_counts(random, session)
            for _ in range(random.randint(0, 4)):
                change(random, session, result)
                store_counts(random, session)
            for _ in range(random.randint(0, 2)):
                merge(random, session, result)
                store_counts(random, session)
            for person in random.sample(
                [each for each in result.people if not each.stands_for], random.randint(0, 2)
            ):
                PersonalDataStore(session).erase(owner_of(person.row, []))
                person.is_erased = True
                session.flush()
                store_counts(random, session)
            assert differences(random, result, session) == [], f"data set {seed}"
            session.rollback()
    engine.dispose()


def test_a_year_begins_and_ends_at_midnight_in_paris():
    year = Period.civil(2026)
    assert (year.begins_at, year.ends_at) == (
        datetime(2025, 12, 31, 23, tzinfo=UTC),
        datetime(2026, 12, 31, 23, tzinfo=UTC),
    )
    assert Period.school(2026).begins_at == datetime(2026, 8, 31, 22, tzinfo=UTC)
    assert Period.civil(2024).until(date(2024, 2, 29)).before.last == date(2023, 2, 28)


def test_the_badges_held_most_are_those_of_a_count_of_all() -> None:
    random, people = Random(11), [uuid.UUID(int=number).bytes for number in range(40)]
    year, before = Period.civil(2026), Period(date(2026, 1, 1), date(2026, 6, 30))
    for _ in range(200):
        badges = [uuid.UUID(int=number) for number in range(random.choice((3, 12, 30)))]
        awards = [day_of_awards(random, random.choice(badges), people) for _ in range(60)]
        for beside in (None, before):
            counts = {badge_id: len(holders(awards, badge_id, year)) for badge_id in badges}
            if beside is not None:
                counts = {
                    badge_id: held
                    for badge_id, held in counts.items()
                    if not 0 < abs(held - len(holders(awards, badge_id, beside))) < SMALL
                }
            most = sorted((-held, badge_id) for badge_id, held in counts.items() if held)
            assert counting._most_held(awards, year, beside) == most[: counting.TOP_BADGES]


def test_ids_are_counted_once_while_they_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = (uuid.uuid4().bytes for _ in range(3))
    read = list[bytes]()
    unpacked = counts.unpacked
    monkeypatch.setattr(counts, "unpacked", lambda packed: (read.append(packed), unpacked(packed))[1])
    monkeypatch.setattr(counts, "_counted", {})
    monkeypatch.setattr(counts, "_MOST_COUNTED", 3)
    for _ in range(2):
        assert count_distinct(one + two + one) == 2
        assert count_distinct(one + two + one, two + three) == 1
        assert count_distinct(b"", two) == 0
    assert read == [one + two + one, one + two + one, two + three, b"", two]
    assert count_distinct(three) == 1
    assert len(counts._counted) == 1


def day_of_awards(random: Random, badge_id: uuid.UUID, people: list[bytes]) -> DayOfAwards:
    day = date(2025, 6, 1) + timedelta(days=random.randrange(500))
    holders, ending = random.choices(people, k=random.randint(1, 9)), random.randint(0, 4)
    ends = [
        int(datetime(random.choice((2026, 2027)), random.randint(1, 12), 1, tzinfo=UTC).timestamp())
        for _ in range(min(ending, len(holders)))
    ]
    return DayOfAwards(uuid.UUID(int=1), day, badge_id, badge_id, 0, 0, 0, b"".join(holders), tuple(ends))


def holders(awards: list[DayOfAwards], badge_id: uuid.UUID, period: Period) -> set[bytes]:
    """Counted one by one, unlike the program."""
    found, end = set(), int(period.ends_at.timestamp())
    for each in awards:
        if each.badge_id != badge_id or each.day > period.last:
            continue
        ids = [each.holders[at : at + 16] for at in range(0, len(each.holders), 16)]
        lasting = len(ids) - len(each.ends)
        found |= {
            *ids[:lasting],
            *(one for one, at in zip(ids[lasting:], each.ends, strict=True) if at > end),
        }
    return found


def test_first_by_name_is_the_same_for_few_and_for_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    people = [
        Person(given_name="Zoé", family_name=f"Nom{n % 7}", listed_as=f"nom{n % 7} zoe", created_at=now)
        for n in range(40)
    ]
    with Session(engine) as session:
        campus, other = (
            Campus(slug=slug, short_name=slug, name=slug, did=f"did:web:{slug}", created_at=now)
            for slug in ("ici", "ailleurs")
        )
        session.add_all([*people, campus, other])
        session.flush()
        session.add_all(
            CampusPerson(
                campus_id=each.id,
                person_id=person.id,
                listed_as=person.listed_as,
                created_at=person.created_at,
            )
            for each, some in ((campus, people[:30]), (other, people))
            for person in some
        )
        session.flush()
        store, ids = ReportCountStore(session), {each.id.bytes for each in people[:30:2]}
        found = []
        for few, first_page in ((3, 2), (3, 500), (5_000, 500)):
            monkeypatch.setattr(counting, "FEW_PEOPLE", few)
            monkeypatch.setattr(counting, "_FIRST_PAGE", first_page)
            found.append((store.first_by_name(campus.id, ids, 8), store.first_by_name(campus.id, ids, 100)))
        session.rollback()
    assert found[0] == found[1] == found[2]
    first, everybody = found[0]
    assert (first, {person_id.bytes for person_id, _ in everybody}) == (everybody[:8], ids)
    assert [name for _, name in everybody] == sorted(name for _, name in everybody)


@on_postgres
def test_names_of_thousands_of_people_are_found_by_their_ids(app: App) -> None:
    """Formerly PostgreSQL compared each person with all these ids, which took seconds; now the list is hashed once."""
    people = (
        "INSERT INTO person (id, given_name, family_name, allows_name, wants_reminders, accepts_links, is_sample, "
        "created_at, listed_as) SELECT gen_random_uuid(), 'Zoé', n::text, true, true, true, false, now(), n::text "
        "FROM generate_series(1, 15000) n"
    )
    with app.owner.begin() as connection:
        connection.execute(text(people))
        connection.execute(text("ANALYZE person"))
        ids = [row[0].bytes for row in connection.execute(text("SELECT id FROM person LIMIT 5000"))]
    plans: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "listed_as" in statement:
            plans.extend(row[0] for row in cursor.connection.execute(f"EXPLAIN {statement}", values))

    event.listen(app.process.engine, "before_cursor_execute", explain)
    with app.process.visit(reading=True, campus_id=app.campus.id) as services:
        services.stores.report_counts.first_by_name(app.campus.id, ids, 200)
    event.remove(app.process.engine, "before_cursor_execute", explain)
    assert any(re.search(r"\bid = ANY \('\{", each) for each in plans)
    assert not any("people_by_name" in each for each in plans)
