"""Competencies as data of a credential: alignments, described levels, and the level that a person reached."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from app.domain.awards import Award
from app.domain.badges import BadgeCompetency, BadgeKind, BadgeVersion, split_criteria
from app.domain.campus.campus import Campus
from app.domain.core import as_signed, name_as_signed
from app.domain.frameworks import (
    CERTIFICATIONS,
    FRAMEWORK_NAMES,
    LONGEST_NAME,
    Competency,
    Framework,
    Owner,
    PublicAlignment,
    PublicFramework,
)
from app.domain.publishing import Addresses
from app.language import gettext as _
from app.language import speaking
from sceau_credentials.model import (
    Achievement,
    Alignment,
    OpenBadgeCredential,
    Profile,
    Result,
    ResultDescription,
)
from sceau_credentials.model.achievement import RubricCriterionLevel
from sceau_credentials.values import JsonObject

Attested = Sequence[tuple[BadgeCompetency, Competency, Framework]]
Numbers = Mapping[uuid.UUID, int]
"""The newest version of each competency."""

_ACTIVITY: Final = "#activite"
_LEVEL: Final = "#niveau-"
HOURS: Final = "ext:Hours"
LEVEL: Final = "RubricCriterionLevel"
_OCCUPATION: Final = "ext:Occupation"
_OWN_ITEM: Final = re.compile(r"/competences/([0-9a-f-]{36})(?:/v\d+)?$")


@dataclass(frozen=True)
class Practice:
    """What credentials of one activity contain about it: competencies practised, and who organised it."""

    alignments: tuple[Alignment, ...] = ()
    organisers: tuple[str, ...] = ()


NO_PRACTICE: Final = Practice()


def competency_alignment(
    competency: Competency,
    framework: Framework,
    addresses: Addresses,
    number: int | None,
    *,
    level: int | None = None,
) -> Alignment:
    """A competency of a campus in the wording of its version `number`."""
    name = competency.levels[level - 1] if level else None
    return Alignment(
        target_name=name_as_signed(competency.statement),
        target_url=addresses.competency(competency.id, number),
        target_code=as_signed(competency.code),
        target_description=as_signed(name) if name else None,
        target_framework=as_signed(framework.name),
        target_type="CFItem",
    )


def practised_alignment(
    competency: Competency, framework: Framework, addresses: Addresses, number: int | None, language: str
) -> Alignment:
    """What an activity practises: an entry of a public register, in its release of today, or a competency."""
    if framework.owner is Owner.PUBLIC and framework.code in set(PublicFramework):
        entry = PublicAlignment(
            PublicFramework(framework.code), competency.code, competency.statement[:LONGEST_NAME]
        )
        return public_alignment(entry.of_release(framework.version, framework.published_on), language)
    return competency_alignment(competency, framework, addresses, number)


def as_published(
    version: BadgeVersion, attested: Attested
) -> list[tuple[BadgeCompetency, Competency, Framework]]:
    """What a frozen version attests, with the text published then: competencies may have been amended since.

    Those that were not are the same objects; the others are copies that no session knows.
    """
    if not version.definition:
        return list(attested)
    achievement = json.loads(version.definition)
    aligned = {_item(each): each for each in achievement.get("alignment", ())}
    described = {
        _item(each["alignment"][0]): each["rubricCriterionLevel"]
        for each in achievement.get("resultDescription", ())
        if each["resultType"] == LEVEL and each.get("alignment")
    }
    return [
        (
            link,
            _competency_as(competency, link.level, aligned.get(str(competency.id), {}), described),
            _framework_as(framework, aligned.get(str(competency.id), {})),
        )
        for link, competency, framework in attested
    ]


def _item(alignment: Mapping[str, Any]) -> str:
    """The identifier of the campus's competency that an alignment names; empty for public frameworks."""
    found = _OWN_ITEM.search(alignment["targetUrl"])
    return found[1] if found else ""


def _competency_as(
    competency: Competency,
    level: int | None,
    alignment: Mapping[str, Any],
    described: Mapping[str, Sequence[Mapping[str, str]]],
) -> Competency:
    """`described` lacks the versions frozen before December 2026: of them only the level attested is known."""
    if not alignment:
        return competency
    statement, levels = competency.statement, competency.levels
    if name_as_signed(statement) != alignment["targetName"]:
        statement = alignment["targetName"]
    if rubric := described.get(str(competency.id)):
        names = [each["name"] for each in rubric]
        levels = levels if [name_as_signed(name) for name in levels] == names else names
    elif level and as_signed(levels[level - 1]) != alignment.get("targetDescription", ""):
        levels = [*levels[: level - 1], alignment.get("targetDescription", ""), *levels[level:]]
    if (statement, levels) == (competency.statement, competency.levels):
        return competency
    return Competency(**{**competency.model_dump(), "statement": statement, "levels": levels})


def _framework_as(framework: Framework, alignment: Mapping[str, Any]) -> Framework:
    name = alignment.get("targetFramework")
    if name is None or name == as_signed(framework.name):
        return framework
    return Framework(**{**framework.model_dump(), "name": name})


def public_alignment(alignment: PublicAlignment, language: str) -> Alignment:
    """For certification registers: the badge is related to a certification, and never is one."""
    with speaking(language):
        beside = (
            _("En lien avec cette certification professionnelle : le badge n’est pas la certification.")
            if alignment.framework in CERTIFICATIONS
            else None
        )
    return Alignment(
        target_name=name_as_signed(alignment.name),
        target_url=f"{alignment.url}#version={quote(alignment.version)}"
        if alignment.version
        else alignment.url,
        target_code=alignment.code,
        target_description=as_signed(beside) if beside else None,
        target_framework=FRAMEWORK_NAMES[alignment.framework],
        target_type=_target_type(alignment),
    )


def _target_type(alignment: PublicAlignment) -> str:
    if alignment.framework in CERTIFICATIONS:
        return "ceterms:Credential"
    return "ceasn:Competency" if "/esco/skill/" in alignment.code else _OCCUPATION


def result_descriptions(
    version: BadgeVersion, page: str, competencies: Attested, addresses: Addresses, numbers: Numbers
) -> tuple[ResultDescription, ...]:
    """One for each competency with a level, and one for the hours of the activity; `page` is the version's."""
    described = [
        _described(f"{page}{_LEVEL}{position}", link.level, competency, framework, addresses, numbers)
        for position, (link, competency, framework) in enumerate(competencies, 1)
        if link.level
    ]
    if version.kind is not BadgeKind.BELONGING:
        with speaking(version.language):
            described.append(
                ResultDescription(
                    id=page + _ACTIVITY, name=_("Heures dans l’activité"), result_type=HOURS, value_min="0"
                )
            )
    return tuple(described)


def _described(
    identifier: str,
    level: int,
    competency: Competency,
    framework: Framework,
    addresses: Addresses,
    numbers: Numbers,
) -> ResultDescription:
    rubric = [*competency.rubric, *[""] * len(competency.levels)]
    return ResultDescription(
        id=identifier,
        name=name_as_signed(competency.statement),
        result_type=LEVEL,
        alignment=(competency_alignment(competency, framework, addresses, numbers.get(competency.id)),),
        required_level=f"{identifier}-{level}",
        rubric_criterion_level=tuple(
            RubricCriterionLevel(
                id=f"{identifier}-{rank}",
                name=name_as_signed(name),
                level=str(rank),
                description=as_signed(rubric[rank - 1]) or None,
            )
            for rank, name in enumerate(competency.levels, 1)
        ),
    )


def practice_as_signed(
    practice: Practice, documents: Sequence[JsonObject], award: Award, version: BadgeVersion, campus: Campus
) -> Practice:
    """With the competencies and the campuses that the award's documents name; the last is its newest."""
    known = [OpenBadgeCredential.from_document(each) for each in documents]
    listed = ((a for result in each.credential_subject.result for a in result.alignment) for each in known)
    aligned = next(filter(None, map(tuple, listed)), practice.alignments)
    today, issuer = name_as_signed(campus.name), known[-1].issuer
    signed = issuer.name if isinstance(issuer, Profile) else None
    organisers = tuple(signed or one if one == today else one for one in practice.organisers)
    named = next(filter(None, (_organisers_in(each, award, version) for each in documents)), "")
    return Practice(aligned, (named,) if named and organisers else organisers)


def _organisers_in(document: JsonObject, award: Award, version: BadgeVersion) -> str:
    """The campuses that a signed narrative names, as it writes them; empty where that is not certain."""
    with speaking(version.language):
        head, end = _plain(_("Encadrement : {names}.")).split("{names}")
        practised = _plain(_("Compétences pratiquées : {statements}.")).partition("{statements}")[0]
    evidence = document.get("evidence")
    for each in evidence if isinstance(evidence, list) else ():
        narrative = each.get("narrative") if isinstance(each, dict) else None
        rest = _plain(str(narrative or "")).partition(f" {head}")[2]
        names = rest.partition(f" {practised}")[0].removesuffix(_plain(award.contribution)).rstrip()
        if names.endswith(end) and ". " not in names:
            return names.removesuffix(end)
    return ""


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def describes_activity(definition: bytes) -> bool:
    """Whether awards of this definition contain hours and competencies practised as data."""
    return f'"{HOURS}"'.encode() in definition


def results_of(
    achievement: Achievement, award: Award, practice: Practice, *, shows_activity: bool
) -> tuple[Result, ...]:
    """Only what the definition describes: one frozen before December 2026 describes nothing."""
    found = []
    for each in achievement.result_description:
        if each.result_type == LEVEL and each.required_level is not None:
            found.append(Result(result_description=each.id, achieved_level=each.required_level))
        elif each.result_type == HOURS and shows_activity and (award.hours or practice.alignments):
            found.append(
                Result(
                    result_description=each.id,
                    value=f"{award.hours:g}" if award.hours else None,
                    alignment=practice.alignments,
                )
            )
    return tuple(found)


def assessed_how(achievement: Achievement, version: BadgeVersion) -> str:
    """The levels reached and how they were assessed, as one text; empty if the definition has no level."""
    described = [each for each in achievement.result_description if each.required_level is not None]
    _criteria, assessment = split_criteria(version.criteria)
    if not described or not assessment:
        return ""
    with speaking(version.language):
        reached = [
            _("« {competency} » : {level}, niveau {rank} sur {most}.").format(
                competency=each.name,
                level=level.name,
                rank=level.level,
                most=len(each.rubric_criterion_level),
            )
            for each in described
            for level in each.rubric_criterion_level
            if level.id == each.required_level
        ]
        return "\n\n".join([*reached, _("Comment c’est jugé : {how}").format(how=assessment)])
