"""Facts of an activity as a person writes them in one cell each: in a spreadsheet, or in the table of activities.

`cells_of` writes what `with_cells` reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from app.domain.reports.facts import (
    AUDIENCES,
    DOMAIN,
    OBJECTIVE_CODE,
    ORGANISATION_PARTS,
    ORGANISATION_TYPES,
    Audience,
    AudienceCount,
    Establishment,
    InvolvedOrganisation,
    OrganisationPart,
    OrganisationType,
    ReportFacts,
    SurveyCounts,
    check_facts,
    words_in,
)
from app.domain.reports.places import departement_of, establishment_number, sector_of
from app.errors import InvalidInput
from app.language import N_

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
    changed: dict[str, Any] = {}
    for name, cell in cells.items():
        if len(cell) > LONGEST_CELL:
            raise InvalidInput(N_("Cette case est trop longue : 4 000 signes au plus."))
        field, read = _READERS[name]
        changed[field] = read(cell.strip())
    read_facts = replace(facts, **changed)
    check_facts(read_facts)
    return read_facts


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
        raise InvalidInput(N_("« {word} » n’est pas un nombre : écrivez 24."), word=cell[:40])
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
            N_("« {word} » n’est pas lisible : écrivez « 24 lycéens dont 10 femmes »."),
            word=part.strip()[:60],
        )
    counts_women = re.search(r"\bdont\b|\bfemme|\bfille|\bwomen|\bgirl|\bf\b", names) is not None
    if len(numbers) == 2 and not counts_women:
        raise InvalidInput(
            N_("« {word} » n’est pas lisible : écrivez « 24 lycéens dont 10 femmes »."),
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
        raise InvalidInput(N_("« {word} » n’est ni un SIREN ni un nom de domaine."), word=number[:40])
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
            raise InvalidInput(N_("« {word} » n’est pas un numéro d’objectif, comme 2.3."), word=code[:40])
    return tuple(dict.fromkeys(filter(None, codes)))


def _survey(cell: str) -> SurveyCounts | None:
    numbers = [int(each) for each in re.findall(r"\d{1,7}", cell)]
    if not numbers:
        return None
    if len(numbers) not in (1, 5, 7):
        raise InvalidInput(
            N_(
                "L’enquête s’écrit : demandées : pas du tout, plutôt non, plutôt oui, tout à fait ; oui, non. "
                "Exemple : 30 : 0 2 12 9 ; 20 3"
            )
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
