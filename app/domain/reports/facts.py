"""What an activity adds for the yearly report: audiences, partners, establishments, objective, sector, survey."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final

from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

from app.domain.campus.places import departement_of, establishment_number, is_siren, sector_of
from app.domain.core import (
    check_signed_name,
    enum_column,
    foreign_key,
    new_id,
    plain_text,
    primary_foreign_key,
    utc_datetime,
)
from app.errors import AppError, InvalidInput, faults_of_fields
from app.language import N_

MOST_PEOPLE: Final = 1_000_000
MOST_ORGANISATIONS: Final = 200
DOMAIN: Final = re.compile(r"(?=.{4,120}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}")
OBJECTIVE_CODE: Final = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}")


def words_in(text: str) -> list[str]:
    return re.findall(r"\w+", plain_text(text))


class Audience(StrEnum):
    MIDDLE_SCHOOL = "middle_school"
    HIGH_SCHOOL = "high_school"
    STUDENTS = "students"
    APPRENTICES = "apprentices"
    EMPLOYEES = "employees"
    JOB_SEEKERS = "job_seekers"
    TEACHERS = "teachers"
    RESEARCHERS = "researchers"
    ENTREPRENEURS = "entrepreneurs"
    PUBLIC = "public"


class OrganisationPart(StrEnum):
    INFORMED = "informed"
    INVOLVED = "involved"
    MOBILISED = "mobilised"
    CO_ORGANISER = "co_organiser"
    CHALLENGER = "challenger"
    HOST = "host"


class OrganisationType(StrEnum):
    COMPANY = "company"
    SCHOOL = "school"
    RESEARCH = "research"
    AUTHORITY = "authority"
    ASSOCIATION = "association"
    FEDERATION = "federation"
    PUBLIC_SERVICE = "public_service"
    OTHER = "other"


AUDIENCES: Final = {
    Audience.MIDDLE_SCHOOL: N_("Collégiens"),
    Audience.HIGH_SCHOOL: N_("Lycéens"),
    Audience.STUDENTS: N_("Étudiants"),
    Audience.APPRENTICES: N_("Apprentis"),
    Audience.EMPLOYEES: N_("Salariés"),
    Audience.JOB_SEEKERS: N_("Demandeurs d’emploi"),
    Audience.TEACHERS: N_("Enseignants"),
    Audience.RESEARCHERS: N_("Chercheurs"),
    Audience.ENTREPRENEURS: N_("Entrepreneurs"),
    Audience.PUBLIC: N_("Grand public"),
}
ORGANISATION_PARTS: Final = {
    OrganisationPart.INFORMED: N_("Informée"),
    OrganisationPart.INVOLVED: N_("Impliquée"),
    OrganisationPart.MOBILISED: N_("Mobilisée"),
    OrganisationPart.CO_ORGANISER: N_("Co-organisatrice"),
    OrganisationPart.CHALLENGER: N_("Porteuse de défi"),
    OrganisationPart.HOST: N_("Accueil"),
}
ORGANISATION_TYPES: Final = {
    OrganisationType.COMPANY: N_("Entreprise"),
    OrganisationType.SCHOOL: N_("Établissement de formation"),
    OrganisationType.RESEARCH: N_("Laboratoire"),
    OrganisationType.AUTHORITY: N_("Collectivité"),
    OrganisationType.ASSOCIATION: N_("Association"),
    OrganisationType.FEDERATION: N_("Fédération ou pôle"),
    OrganisationType.PUBLIC_SERVICE: N_("Service public"),
    OrganisationType.OTHER: N_("Autre"),
}


class ActivityFacts(SQLModel, table=True):
    """`invited`: people invited to a council or a meeting."""

    __tablename__ = "activity_facts"
    __table_args__ = (CheckConstraint("invited IS NULL OR invited >= 0", name="invited_not_negative"),)
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    departement: str = Field(default="", max_length=3)
    sector: str = Field(default="", max_length=8)
    invited: int | None = None
    cancelled_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class ActivityAudience(SQLModel, table=True):
    """`women` is declared for the group, never per person; None where not counted."""

    __tablename__ = "activity_audience"
    __table_args__ = (
        UniqueConstraint("activity_id", "audience", name="one_count_per_audience"),
        CheckConstraint("people > 0", name="audience_is_positive"),
        CheckConstraint("women IS NULL OR (women >= 0 AND women <= people)", name="women_among_people"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity", index=False))
    audience: Audience = Field(sa_column=enum_column(Audience, name="activity_audience_kind"))
    people: int
    women: int | None = None


class ActivityOrganisation(SQLModel, table=True):
    """`key` identifies the same organisation in several activities: by SIREN, else domain, else name."""

    __tablename__ = "activity_organisation"
    __table_args__ = (UniqueConstraint("activity_id", "key", name="one_part_per_organisation"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity", index=False))
    name: str = Field(max_length=120)
    key: str = Field(max_length=140, index=True)
    part: OrganisationPart = Field(sa_column=enum_column(OrganisationPart, name="organisation_part"))
    type: OrganisationType = Field(sa_column=enum_column(OrganisationType, name="organisation_type"))


class ActivityEstablishment(SQLModel, table=True):
    """The establishment of a group of participants; `number` is a valid UAI or SIRET."""

    __tablename__ = "activity_establishment"
    __table_args__ = (UniqueConstraint("activity_id", "number", name="establishment_once"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity", index=False))
    number: str = Field(max_length=14, index=True)
    name: str = Field(default="", max_length=120)


class ReportObjective(SQLModel, table=True):
    """One line of the campus's tree of axes and objectives: « 1 », « 1.2 »; the code holds the tree."""

    __tablename__ = "report_objective"
    __table_args__ = (UniqueConstraint("campus_id", "code", name="one_objective_per_code"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    code: str = Field(max_length=20)
    title: str = Field(max_length=200)


class ActivityObjective(SQLModel, table=True):
    __tablename__ = "activity_objective"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    objective_id: uuid.UUID = Field(sa_column=primary_foreign_key("report_objective"))


class ActivitySurvey(SQLModel, table=True):
    """Answers to « was it useful? » in four steps, and to « would you recommend it? », as counts alone."""

    __tablename__ = "activity_survey"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    asked: int
    not_at_all: int = 0
    rather_not: int = 0
    rather: int = 0
    fully: int = 0
    recommends: int = 0
    recommends_not: int = 0

    @property
    def answered(self) -> int:
        return self.not_at_all + self.rather_not + self.rather + self.fully


class Declared(StrEnum):
    SIZE = "size"
    ESTABLISHMENTS = "establishments"
    ORGANISATIONS = "organisations"
    FIRST_DAY = "first_day"


class DeclaredFigure(SQLModel, table=True):
    """A figure that another document gives for an activity; the settled one is used, the others are notes."""

    __tablename__ = "declared_figure"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity"))
    about: Declared = Field(sa_column=enum_column(Declared, name="declared_about"))
    value: str = Field(max_length=40)
    source: str = Field(max_length=200)
    reason: str = Field(default="", max_length=300)
    is_settled: bool = False
    declared_at: datetime = Field(sa_column=utc_datetime())


OF_ACTIVITY: Final = (
    ActivityFacts,
    ActivityAudience,
    ActivityOrganisation,
    ActivityEstablishment,
    ActivityObjective,
    ActivitySurvey,
    DeclaredFigure,
)
"""Tables of facts of one activity."""


@dataclass(frozen=True, slots=True)
class AudienceCount:
    audience: Audience
    people: int
    women: int | None = None


@dataclass(frozen=True, slots=True)
class InvolvedOrganisation:
    """`number`: a SIREN or a domain, empty if unknown. `key` follows from the name and it."""

    name: str
    part: OrganisationPart = OrganisationPart.INVOLVED
    type: OrganisationType = OrganisationType.COMPANY
    number: str = ""
    key: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", _key_of(self.name, self.number))


def _key_of(name: str, number: str) -> str:
    if is_siren(number):
        return f"siren:{number}"
    return f"domain:{number}" if number else f"name:{' '.join(words_in(name))}"


def number_of(key: str) -> str:
    """The SIREN or domain of an organisation's key; empty for a name."""
    kind, _, number = key.partition(":")
    return "" if kind == "name" else number


@dataclass(frozen=True, slots=True)
class Establishment:
    number: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class SurveyCounts:
    """`answers`: not at all, rather not, rather, fully."""

    asked: int
    answers: tuple[int, int, int, int] = (0, 0, 0, 0)
    recommends: int = 0
    recommends_not: int = 0


@dataclass(frozen=True)
class ReportFacts:
    """The facts of one activity for the report; `objectives` are codes of the campus's tree."""

    declared_size: int | None = None
    audiences: tuple[AudienceCount, ...] = ()
    organisations: tuple[InvolvedOrganisation, ...] = ()
    establishments: tuple[Establishment, ...] = ()
    objectives: tuple[str, ...] = ()
    departement: str = ""
    sector: str = ""
    survey: SurveyCounts | None = None
    invited: int | None = None
    is_cancelled: bool = False

    @property
    def missing(self) -> list[str]:
        """Names of the fields that a report still needs."""
        found = {
            "publics": self.audiences,
            "organisations": self.organisations,
            "objectif": self.objectives,
            "departement": self.departement,
            "secteur": self.sector,
        }
        return [] if self.is_cancelled else [name for name, value in found.items() if not value]


def check_facts(facts: ReportFacts) -> None:
    for number in (facts.declared_size, facts.invited):
        check_people(number)
    if len({each.audience for each in facts.audiences}) != len(facts.audiences):
        raise InvalidInput("Un public est compté une seule fois par activité.")
    for count in facts.audiences:
        check_people(count.people)
        if count.people < 1:
            raise InvalidInput("Un public compte au moins une personne.")
        if count.women is not None and not 0 <= count.women <= count.people:
            raise InvalidInput("Il y a plus de femmes que de personnes dans un public : vérifiez.")
    if len(facts.organisations) > MOST_ORGANISATIONS or len(facts.establishments) > MOST_ORGANISATIONS:
        raise InvalidInput("Une activité a 200 organisations et 200 établissements au plus.")
    for one in facts.organisations:
        _check_organisation(one)
    if len({one.key for one in facts.organisations}) != len(facts.organisations):
        raise InvalidInput("Une organisation est notée une seule fois par activité.")
    for place in facts.establishments:
        establishment_number(place.number)
        if len(place.name) > 120:
            raise InvalidInput("Un nom d’établissement tient en 120 signes.")
        check_signed_name(place.name)
    if len({each.number for each in facts.establishments}) != len(facts.establishments):
        raise InvalidInput("Un établissement est noté une seule fois par activité.")
    departement_of(facts.departement)
    sector_of(facts.sector)
    if facts.survey is not None:
        _check_survey(facts.survey)


def check_people(number: int | None) -> None:
    if number is not None and not 0 <= number <= MOST_PEOPLE:
        raise InvalidInput("Un nombre de personnes est compris entre 0 et 1 000 000.")


def _check_organisation(one: InvolvedOrganisation) -> None:
    if not words_in(one.name) or len(one.name) > 120:
        raise InvalidInput("Une organisation a un nom, de 120 signes au plus.")
    check_signed_name(one.name)
    if one.number.isdigit() and not is_siren(one.number):
        raise InvalidInput("Le SIREN {word} n’est pas valable : vérifiez ses chiffres.", word=one.number[:20])
    if one.number and not one.number.isdigit() and not DOMAIN.fullmatch(one.number):
        raise InvalidInput("« {word} » n’est ni un SIREN ni un nom de domaine.", word=one.number[:40])


def _check_survey(survey: SurveyCounts) -> None:
    answered, recommended = sum(survey.answers), survey.recommends + survey.recommends_not
    for number in (survey.asked, *survey.answers, survey.recommends, survey.recommends_not):
        check_people(number)
    if max(answered, recommended) > survey.asked:
        raise InvalidInput("L’enquête a plus de réponses que de personnes interrogées : vérifiez.")


def check_objective(objective: ReportObjective) -> None:
    if not OBJECTIVE_CODE.fullmatch(objective.code):
        raise InvalidInput("Un objectif a un numéro, comme 1 ou 2.3.")
    if not objective.title.strip() or len(objective.title) > 200:
        raise InvalidInput("Un objectif a un titre, de 200 signes au plus.")


def objectives_in(typed: str) -> dict[str, str]:
    """Titles by code, from one line each: « 2.3 Promouvoir les métiers »."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        code, _, title = line.partition(" ")
        objective = ReportObjective(
            campus_id=uuid.UUID(int=0), code=code.rstrip("."), title=title.strip(" –-:")
        )
        check_objective(objective)
        if objective.code in found:
            raise InvalidInput("L’objectif {word} est écrit deux fois.", word=objective.code)
        found[objective.code] = objective.title
    return found


def objective_order(code: str) -> tuple[int, ...]:
    return tuple(map(int, code.split(".")))


# --- Facts of an activity as a person writes them in one cell each: in a spreadsheet, or in the table of
# activities
#
# `cells_of` writes what `with_cells` reads.

LONGEST_CELL: Final = 4_000
_AUDIENCE_WORDS: Final = {
    Audience.MIDDLE_SCHOOL: ("collegien", "college", "middle school"),
    Audience.HIGH_SCHOOL: ("lyceen", "lycee", "high school"),
    Audience.STUDENTS: ("etudiant", "student"),
    Audience.APPRENTICES: ("apprenti", "alternant", "apprentice"),
    Audience.EMPLOYEES: ("salarie", "employee"),
    Audience.JOB_SEEKERS: ("demandeur", "chomeur", "job seeker"),
    Audience.TEACHERS: ("enseignant", "professeur", "formateur", "teacher"),
    Audience.RESEARCHERS: ("chercheur", "researcher"),
    Audience.ENTREPRENEURS: ("entrepreneur", "chef d entreprise", "cheffe d entreprise"),
    Audience.PUBLIC: ("grand public", "public", "visiteur", "habitant"),
}
_PART_WORDS: Final = {
    OrganisationPart.INFORMED: ("informe", "informed"),
    OrganisationPart.INVOLVED: ("implique", "involved"),
    OrganisationPart.MOBILISED: ("mobilise", "mobilised"),
    OrganisationPart.CO_ORGANISER: ("co organis", "coorganis", "co-organiser"),
    OrganisationPart.CHALLENGER: ("porteuse", "porteur", "defi", "challenge"),
    OrganisationPart.HOST: ("accueil", "host"),
}
_TYPE_WORDS: Final = {
    OrganisationType.COMPANY: ("entreprise", "societe", "company"),
    OrganisationType.SCHOOL: ("etablissement", "ecole", "lycee", "cfa", "universite", "school"),
    OrganisationType.RESEARCH: ("laboratoire", "recherche", "laboratory"),
    OrganisationType.AUTHORITY: ("collectivite", "mairie", "commune", "region", "authority"),
    OrganisationType.ASSOCIATION: ("association",),
    OrganisationType.FEDERATION: ("federation", "pole", "branche", "cluster", "syndicat"),
    OrganisationType.PUBLIC_SERVICE: ("service public", "public service", "france travail", "administration"),
    OrganisationType.OTHER: ("autre", "other"),
}


def with_cells(facts: ReportFacts, cells: Mapping[str, str]) -> ReportFacts:
    """The facts with these cells read into them; an empty cell empties its fact. Raises InvalidInput."""
    read_facts = replace(facts, **dict(_read(name, cell) for name, cell in cells.items()))
    check_facts(read_facts)
    return read_facts


def faults_of_cells(cells: Mapping[str, str]) -> dict[str, AppError]:
    """Of each cell that cannot be read by itself."""
    return faults_of_fields({name: partial(_read, name, cell) for name, cell in cells.items()})


def _read(name: str, cell: str) -> tuple[str, Any]:
    """The fact that a cell is about, and its value."""
    if len(cell) > LONGEST_CELL:
        raise InvalidInput("Cette case est trop longue : 4 000 signes au plus.")
    field, read = _READERS[name]
    return field, read(cell.strip())


def cells_of(facts: ReportFacts) -> dict[str, str]:
    """One cell per fact, empty where unknown."""
    return {
        "effectif": "" if facts.declared_size is None else str(facts.declared_size),
        "publics": ", ".join(map(_audience_cell, facts.audiences)),
        "organisations": " ; ".join(map(_organisation_cell, facts.organisations)),
        "etablissements": " ; ".join(f"{one.number} {one.name}".strip() for one in facts.establishments),
        "objectif": " ".join(facts.objectives),
        "departement": facts.departement,
        "secteur": facts.sector.replace(":", " ").upper(),
        "enquete": _survey_cell(facts.survey),
        "invites": "" if facts.invited is None else str(facts.invited),
    }


def _audience_cell(count: AudienceCount) -> str:
    name = AUDIENCES[count.audience].lower()
    women = "" if count.women is None else f" dont {count.women} femmes"
    return f"{count.people} {name}{women}"


def _organisation_cell(one: InvolvedOrganisation) -> str:
    part, kind = ORGANISATION_PARTS[one.part].lower(), ORGANISATION_TYPES[one.type].lower()
    number = f" [{one.number}]" if one.number else ""
    return f"{one.name}{number} ({part}, {kind})"


def _survey_cell(survey: SurveyCounts | None) -> str:
    if survey is None:
        return ""
    answers = " ".join(map(str, survey.answers))
    return f"{survey.asked} : {answers} ; {survey.recommends} {survey.recommends_not}"


def _number(cell: str) -> int | None:
    digits = re.sub(r"[\s\u00a0\u202f]", "", cell)
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) < 9):
        raise InvalidInput("« {word} » n’est pas un nombre : écrivez 24.", word=cell[:40])
    return int(digits)


def _audiences(cell: str) -> tuple[AudienceCount, ...]:
    return tuple(_audience(part) for part in re.split(r"[,;\n]", cell) if part.strip())


def _audience(part: str) -> AudienceCount:
    plain = " ".join(words_in(part))
    numbers = [int(each) for each in re.findall(r"\b\d{1,7}\b", plain)]
    names = re.sub(r"\d+", " ", plain)
    found = _named(names, _AUDIENCE_WORDS)
    if found is None or not 1 <= len(numbers) <= 2:
        raise InvalidInput(
            "« {word} » n’est pas lisible : écrivez « 24 lycéens dont 10 femmes ».",
            word=part.strip()[:60],
        )
    counts_women = re.search(r"\bdont\b|\bfemme|\bfille|\bwomen|\bgirl|\bf\b", names) is not None
    if len(numbers) == 2 and not counts_women:
        raise InvalidInput(
            "« {word} » n’est pas lisible : écrivez « 24 lycéens dont 10 femmes ».",
            word=part.strip()[:60],
        )
    return AudienceCount(found, numbers[0], numbers[1] if len(numbers) == 2 else None)


def _named(text: str, wordings: Mapping[Any, tuple[str, ...]]) -> Any:
    """The value of the longest wording found in the text."""
    hits = [
        (len(wording), value)
        for value, some in wordings.items()
        for wording in some
        if re.search(rf"\b{wording}", text)
    ]
    return max(hits, key=lambda hit: hit[0])[1] if hits else None


def _organisations(cell: str) -> tuple[InvolvedOrganisation, ...]:
    return tuple(_organisation(part.strip()) for part in re.split(r"[;\n]", cell) if part.strip())


def _organisation(text: str) -> InvolvedOrganisation:
    """« Ateliers du Morvan [123456782] (mobilisée, entreprise) »; only the name is required."""
    number, found = "", re.search(r"\[([^\[\]]*)\]", text)
    if found:
        number = re.sub(r"\s", "", found[1]).lower()
        text = f"{text[: found.start()].rstrip()} {text[found.end() :].lstrip()}".strip()
    last = re.search(r"\(([^()]*)\)$", text)
    wordings = last[1] if last else ""
    part = _named(" ".join(words_in(wordings)), _PART_WORDS)
    kind = _named(" ".join(words_in(wordings)), _TYPE_WORDS)
    name = text[: last.start()].strip() if last and (part or kind) else text
    if number and not number.isdigit() and not DOMAIN.fullmatch(number):
        raise InvalidInput("« {word} » n’est ni un SIREN ni un nom de domaine.", word=number[:40])
    return InvolvedOrganisation(
        " ".join(name.split()), part or OrganisationPart.INVOLVED, kind or OrganisationType.COMPANY, number
    )


def _establishments(cell: str) -> tuple[Establishment, ...]:
    found = []
    for part in re.split(r"[,;\n]", cell):
        text = " ".join(part.split())
        if not text:
            continue
        number = re.match(r"(?:\d{7} ?[A-Za-z]|(?:\d ?){14})(?!\w)", text)
        head = number[0] if number else text
        found.append(Establishment(establishment_number(head), text[len(head) :].strip()))
    return tuple(found)


def _objectives(cell: str) -> tuple[str, ...]:
    codes = re.split(r"[\s,;]+", cell)
    for code in filter(None, codes):
        if not OBJECTIVE_CODE.fullmatch(code):
            raise InvalidInput("« {word} » n’est pas un numéro d’objectif, comme 2.3.", word=code[:40])
    return tuple(dict.fromkeys(filter(None, codes)))


def _survey(cell: str) -> SurveyCounts | None:
    numbers = [int(each) for each in re.findall(r"\d{1,7}", cell)]
    if not numbers:
        return None
    if len(numbers) not in (1, 5, 7):
        raise InvalidInput(
            "L’enquête s’écrit : demandées : pas du tout, plutôt non, plutôt oui, tout à fait ; oui, non. "
            "Exemple : 30 : 0 2 12 9 ; 20 3"
        )
    numbers += [0] * (7 - len(numbers))
    asked, *rest = numbers
    return SurveyCounts(asked, (rest[0], rest[1], rest[2], rest[3]), rest[4], rest[5])


_READERS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "effectif": ("declared_size", _number),
    "publics": ("audiences", _audiences),
    "organisations": ("organisations", _organisations),
    "etablissements": ("establishments", _establishments),
    "objectif": ("objectives", _objectives),
    "departement": ("departement", departement_of),
    "secteur": ("sector", sector_of),
    "enquete": ("survey", _survey),
    "invites": ("invited", _number),
}
CELLS: Final = tuple(_READERS)
