"""The hand-written demo files, parsed into validated values."""

from __future__ import annotations

import hashlib
import tomllib
import unicodedata
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.domain.activities import ActivityKind, PartKind
from app.domain.badges import BadgeKind, Repeat
from app.domain.campus.campus import LabelCategory
from app.domain.learners.portfolios import Grouping, Naming
from app.domain.people import AgeGroup, Role
from app.domain.reports.facts import Declared

# --- Invented learners: a pure function of a seed and of the lists of names, the same on every machine

SEED = "sceau-2026"
DOMAINS = ("courriel.example", "courriel.example", "messagerie.example", "boite.example")
_WITHOUT_DECOMPOSITION = str.maketrans(
    {"đ": "d", "ł": "l", "ı": "i", "œ": "oe", "æ": "ae", "ø": "o", "ß": "ss"}
)
_AGE_GROUPS = {"collegiens": AgeGroup.UNDER_15, "lyceens": AgeGroup.FROM_15}


@dataclass(frozen=True)
class Learner:
    """One invented person; `addresses` may be empty, and siblings may share one."""

    slug: str
    given: str
    family: str
    addresses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def age_group(self) -> AgeGroup:
        return _AGE_GROUPS.get(self.slug.rpartition("-")[0], AgeGroup.ADULT)


def invent(
    cohorts: Mapping[str, int], given: Sequence[str], family: Sequence[str], *, seed: str = SEED
) -> dict[str, tuple[Learner, ...]]:
    """The learners of each cohort, with unique names: `lyceens-001`, `lyceens-002`…"""
    taken: set[str] = set()
    people: dict[str, tuple[Learner, ...]] = {}
    for cohort, count in cohorts.items():
        members: list[Learner] = []
        for number in range(1, count + 1):
            learner = _learner(cohort, number, members, given, family, taken, seed)
            taken.update((learner.name, *learner.addresses))
            members.append(learner)
        people[cohort] = tuple(members)
    return people


def _learner(
    cohort: str,
    number: int,
    members: Sequence[Learner],
    given: Sequence[str],
    family: Sequence[str],
    taken: set[str],
    seed: str,
) -> Learner:
    slug = f"{cohort}-{number:03}"
    sibling = members[-1] if number % 29 == 8 and members[-1].addresses else None
    for attempt in range(1000):
        key = f"{seed}/{slug}/{attempt}"
        first = given[_draw(f"{key}/given", len(given))]
        last = sibling.family if sibling else _family_name(key, family)
        learner = Learner(slug, first, last, _addresses(key, number, first, last, taken, sibling))
        if learner.name not in taken:
            return learner
    raise ValueError(f"the lists of names are too short for {slug}")


def _family_name(key: str, family: Sequence[str]) -> str:
    """One name, or two with a hyphen for about one person in six."""
    first = family[_draw(f"{key}/family", len(family))]
    second = family[_draw(f"{key}/second", len(family))]
    may_be_joined = "-" not in first + second and first != second
    return f"{first}-{second}" if may_be_joined and _draw(f"{key}/double", 6) == 0 else first


def _addresses(
    key: str, number: int, given: str, family: str, taken: set[str], sibling: Learner | None
) -> tuple[str, ...]:
    if sibling:
        return sibling.addresses
    if number % 11 == 5:
        return ()
    local = f"{ascii_letters(given)}.{ascii_letters(family)}"
    domain = DOMAINS[_draw(f"{key}/domain", len(DOMAINS))]
    plain = f"{local}@{domain}"
    return (f"{local}{number}@{domain}" if plain in taken else plain,)


def ascii_letters(name: str) -> str:
    """`Nguyễn-L’Écuyer` becomes `nguyen-lecuyer`: the local part of an address."""
    lowered = unicodedata.normalize("NFKD", name.casefold().translate(_WITHOUT_DECOMPOSITION))
    return "".join(letter for letter in lowered.replace(" ", "-") if letter.isascii() and letter not in "'’")


def _draw(key: str, below: int) -> int:
    """A number from 0 to `below` - 1, derived from the key alone: Python's own generators may change."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % below


# --- content

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9-]+$")]  # campus/slug
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
ExampleAddress = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+@[a-z0-9-]+\.example$")]


class Section(BaseModel):
    """A table of a TOML file: an unknown or misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(Section):
    """A badge request, so many days before the demo is loaded."""

    person: Slug
    badge: Reference
    days_ago: int = Field(ge=0)
    narrative: Prose
    links: tuple[Prose, ...] = ()


class Peer(Section):
    """Two lines of a person who worked with a learner; the learner accepts them, or has not read them yet."""

    address: Annotated[str, StringConstraints(pattern=r"^[a-z.]+@exemple\.example$")]
    signature: str
    words: str
    accepted: bool


class Portfolio(Section):
    person: Slug
    peers: tuple[Peer, ...] = ()
    line: Prose
    naming: Naming
    grouping: Grouping
    findable: bool


class Contribution(Section):
    """A participant's contribution; `person` is their position in the activity's list, counted from one."""

    activity: Reference
    person: int = Field(ge=1)
    days_ago: int = Field(ge=0)
    title: Prose
    telling: Prose
    part: PartKind
    hours: float
    note: Prose = ""
    """The text of an attached file."""
    links: tuple[Prose, ...] = ()
    confirmed: bool = False


class Endorsement(Section):
    """A company's endorsement of a badge, or of the campus; without text, a request that is not answered
    yet."""

    about: Slug | Reference
    organisation: Prose
    address: Annotated[str, StringConstraints(pattern=r"^[a-z.]+@[a-z0-9-]+\.example$")]
    role: str = ""
    words: str = ""
    days_ago: int = Field(ge=0)


FOLDER = Path(__file__).parent

_ModelT = TypeVar("_ModelT", bound="Section")


class Network(Section):
    slug: Slug
    name: Prose
    region: Prose
    contact: ExampleAddress
    description: Prose


class CampusGroup(Section):
    slug: Slug
    name: Prose
    campuses: tuple[Slug, ...]
    description: Prose


class Label(Section):
    """A label with the dates in the report; `since` and `renewed` are a year, a month or a day.

    `years` count from the renewal where there was one.
    """

    category: LabelCategory
    since: Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")] | None = None
    renewed: Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")] | None = None
    years: int | None = None
    note: Prose | None = None

    @property
    def valid_from(self) -> date | None:
        return date.fromisoformat((self.since + "-01-01")[:10]) if self.since else None

    @property
    def valid_until(self) -> date | None:
        """The last possible day of validity; a start known to the month leaves that whole month open."""
        beginning = self.renewed or self.since
        if beginning is None or self.years is None:
            return None
        year, month, day = (int(part) for part in (beginning + "-0-0").split("-")[:3])
        if day:
            return date(year + self.years, month, day) - timedelta(days=1)
        month = month or 12
        return date(year + self.years, month, monthrange(year + self.years, month)[1])


class Competency(Section):
    code: str
    statement: Prose
    rubric: tuple[Prose, ...] = ()
    related: tuple[str, ...] = ()
    """Codes of registers: trades, certifications, ESCO skills."""


class Framework(Section):
    code: Slug
    name: Prose
    description: Prose
    levels: tuple[Prose, ...]
    competencies: tuple[Competency, ...]


class Attested(Section):
    """A competency attested by a badge, at a level counted from 1."""

    code: str
    level: int = Field(ge=1)


class Aligned(Section):
    """An entry of a register that the demo imports: its label is read there."""

    framework: str
    code: str


class EarlierVersion(Section):
    """An awarded wording, replaced since; kind, name and competencies are the current ones."""

    version: int = Field(ge=1)
    superseded_on: date
    change: Prose
    required_hours: float | None = None
    description: Prose
    criteria: Prose


class Badge(Section):
    slug: Slug
    kind: BadgeKind
    name: Prose
    language: str = "fr"
    tags: tuple[Prose, ...] = ()
    repeat: Repeat = Repeat.ONCE
    competencies: tuple[Attested, ...] = ()
    alignments: tuple[Aligned, ...] = ()
    validity_years: int | None = None
    required_hours: float | None = None
    rule: dict[str, Any] = Field(default_factory=dict)
    """As stored in a version."""
    description: Prose
    criteria: Prose
    earlier: tuple[EarlierVersion, ...] = ()

    @property
    def version(self) -> int:
        return len(self.earlier) + 1

    @property
    def validity_days(self) -> int | None:
        return round(365.25 * self.validity_years) if self.validity_years else None


class Activity(Section):
    """An activity with fixed dates, or with dates counted in days from the day the demo is loaded."""

    slug: Slug
    kind: ActivityKind
    title: Prose
    campuses: tuple[Slug, ...]
    start: date | None = None
    end: date | None = None
    start_in_days: int | None = None
    end_in_days: int | None = None
    date_known: bool = True
    place: Prose | None = None
    hours: float
    audience: tuple[Prose, ...]
    declared_size: int | None = None
    description: Prose
    start_time: time | None = None
    end_time: time | None = None
    sessions: tuple[date, ...] = ()
    """The days of a series; the hours are distributed evenly."""
    facts: dict[str, str] = Field(default_factory=dict)
    """What the yearly report needs, one cell for each fact."""
    declared: tuple[tuple[Declared, str, str], ...] = ()
    """Figures that other documents give: about what, value, source."""

    @model_validator(mode="after")
    def _has_one_pair_of_dates(self) -> Self:
        fixed = self.start is not None and self.end is not None
        counted = self.start_in_days is not None and self.end_in_days is not None
        if fixed == counted:
            raise ValueError(f"{self.slug}: give start and end, or start_in_days and end_in_days")
        return self

    def starts_on(self, today: date) -> date:
        return self.start or today + timedelta(days=self.start_in_days or 0)

    def ends_on(self, today: date) -> date:
        return self.end or today + timedelta(days=self.end_in_days or 0)


class Module(Section):
    title: Prose
    contents: tuple[Prose, ...]
    audience: Prose
    hours: float
    badge: Slug


class ModuleSet(Section):
    title: Prose
    description: Prose
    badge: Slug
    modules: tuple[Module, ...]


class Campus(Section):
    slug: Slug
    short: str
    name: Prose
    sector: Prose
    carrier: Prose | None = None
    site: Prose | None = None
    town: Prose | None = None
    department: str = ""
    contact: ExampleAddress
    hue: int = Field(ge=0, lt=360)
    liveliness: float = Field(ge=0, le=0.14)
    description: Prose
    labels: tuple[Label, ...] = ()
    frameworks: tuple[Framework, ...] = ()
    badges: tuple[Badge, ...]
    module_sets: tuple[ModuleSet, ...] = ()
    activities: tuple[Activity, ...]


class StaffMember(Section):
    slug: Slug
    name: Prose
    address: ExampleAddress
    campus: Slug
    role: Role


class Slice(Section):
    """Learners of one cohort, from number `first` (counted from 1)."""

    cohort: Slug
    first: int = Field(ge=1)
    count: int = Field(ge=1)


class GroupAward(Section):
    """A badge for the first `count` of a group (for all when absent); the first `open` of them are public."""

    badge: Reference
    version: int | None = None
    count: int | None = None
    awarded_on: date
    open: int = 0


class Group(Section):
    activity: Reference
    people: tuple[Slug, ...] = ()
    cohorts: tuple[Slice, ...] = ()
    part: PartKind = PartKind.LEARNER
    hours: float
    contributions: tuple[Prose, ...] = ()
    awards: tuple[GroupAward, ...] = ()

    def members(self, learners: Mapping[str, Learner]) -> tuple[Learner, ...]:
        invented = (f"{s.cohort}-{n:03}" for s in self.cohorts for n in range(s.first, s.first + s.count))
        return tuple(learners[slug] for slug in (*self.people, *invented))

    def contribution(self, position: int) -> str | None:
        """Contribution of the member at this position (from 0): the contributions are used in turn."""
        return self.contributions[position % len(self.contributions)] if self.contributions else None


class SingleAward(Section):
    person: Slug
    badge: Reference
    version: int | None = None
    activity: Reference
    part: PartKind = PartKind.LEARNER
    hours: float
    contribution: Prose | None = None
    awarded_on: date
    open: bool
    revoked_on: date | None = None
    revocation_reason: Prose | None = None


@dataclass(frozen=True)
class DemoContent:
    network: Network
    groups_of_campuses: tuple[CampusGroup, ...]
    campuses: Mapping[str, Campus]
    staff: tuple[StaffMember, ...]
    learners: Mapping[str, Learner]
    groups: tuple[Group, ...]
    awards: tuple[SingleAward, ...]
    requests: tuple[Request, ...]
    portfolios: tuple[Portfolio, ...]
    contributions: tuple[Contribution, ...]
    endorsements: tuple[Endorsement, ...]
    objectives: str
    """Of every campus, for its report."""

    def badges(self) -> Iterator[tuple[str, Campus, Badge]]:
        for campus in self.campuses.values():
            for badge in campus.badges:
                yield f"{campus.slug}/{badge.slug}", campus, badge

    def activities(self) -> Iterator[tuple[str, Campus, Activity]]:
        for campus in self.campuses.values():
            for activity in campus.activities:
                yield f"{campus.slug}/{activity.slug}", campus, activity


def read_content() -> DemoContent:
    """The whole demo content; raises pydantic's ValidationError where a file is invalid."""
    network, awards = _toml(FOLDER / "network.toml"), _toml(FOLDER / "awards.toml")
    year = _toml(FOLDER / "year.toml")
    campuses = (_campus(_toml(path), year) for path in sorted((FOLDER / "campuses").glob("*.toml")))
    return DemoContent(
        network=Network.model_validate(network["network"]),
        groups_of_campuses=_sections(CampusGroup, network["groups"]),
        campuses={campus.slug: campus for campus in campuses},
        staff=_sections(StaffMember, _toml(FOLDER / "staff.toml")["staff"]),
        learners=_learners(_toml(FOLDER / "learners.toml")),
        groups=_sections(Group, awards["groups"]),
        awards=_sections(SingleAward, awards["awards"]),
        requests=_sections(Request, _toml(FOLDER / "requests.toml")["requests"]),
        portfolios=_sections(Portfolio, _toml(FOLDER / "portfolios.toml")["portfolios"]),
        contributions=_sections(Contribution, _toml(FOLDER / "contributions.toml")["contributions"]),
        endorsements=_sections(Endorsement, _toml(FOLDER / "endorsements.toml")["endorsements"]),
        objectives=year["objectives"],
    )


def _campus(own: dict[str, Any], year: dict[str, Any]) -> Campus:
    """The campus with its actions of the school year, and facts for those of its own file."""
    slug, facts = own["slug"], year["facts"]
    activities = [
        {**each, "facts": facts.get(f"{slug}/{each['slug']}", {})} for each in own["activities"]
    ] + [each for each in year["activities"] if each["campuses"][0] == slug]
    return Campus.model_validate({**own, "activities": activities})


def _learners(content: dict[str, Any]) -> dict[str, Learner]:
    named = [Learner(**{**person, "addresses": tuple(person["addresses"])}) for person in content["people"]]
    names = content["names"]
    invented = invent(content["cohorts"], names["given"], names["family"])
    everyone = [*named, *(learner for members in invented.values() for learner in members)]
    return {learner.slug: learner for learner in everyone}


def _sections(model: type[_ModelT], tables: list[dict[str, Any]]) -> tuple[_ModelT, ...]:
    return tuple(model.model_validate(table) for table in tables)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))
