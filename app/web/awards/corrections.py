"""What a trainer corrected on the preview: lines of the list, and what was noted of those already recorded."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData

from app.domain.activities.activities import Participation
from app.domain.activities.participant_lists import ListedPerson, hours_in
from app.domain.people.people import normal_address, suggested_address
from app.http.pages.forms import text_of
from app.http.pages.typography import say
from app.http.pages.wording import hours_text
from app.language import N_

_FIELD = re.compile(r"(nom|prenom|adresse|sans|heures|contribution)-(\d{1,6}|[0-9a-f-]{36})")
SUGGESTION, EVIDENCE, EVIDENCE_SEEN = "proposition", "preuve", "preuve-vue"


@dataclass(frozen=True)
class Noted:
    hours: float | None
    contribution: str


@dataclass(frozen=True)
class Corrections:
    """Only what differs from what the page had shown. Lines go by their number in the list."""

    lines: Mapping[int, ListedPerson] = field(default_factory=dict)
    amendments: Mapping[uuid.UUID, Noted] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    """By field name: why what was typed there cannot be kept."""
    typed: Mapping[str, str] = field(default_factory=dict)
    evidence_changed: bool = False

    @property
    def change_anything(self) -> bool:
        return bool(self.lines or self.amendments or self.troubles or self.evidence_changed)


def corrections_of(
    form: FormData, lines: Sequence[ListedPerson], participations: Sequence[Participation]
) -> Corrections:
    typed: dict[str, dict[str, str]] = {}
    for name in form:
        found = _FIELD.fullmatch(name)
        if found:
            typed.setdefault(found[2], {})[found[1]] = text_of(form, name)
    chosen = text_of(form, SUGGESTION)
    corrected = {
        line.line: better
        for line in lines
        if (better := _corrected(line, typed.get(str(line.line), {}), chosen == str(line.line))) != line
    }
    amendments, troubles = _amendments(typed, participations)
    return Corrections(
        corrected,
        amendments,
        troubles,
        {f"{field}-{key}": text for key, fields in typed.items() for field, text in fields.items()},
        text_of(form, EVIDENCE) != text_of(form, EVIDENCE_SEEN),
    )


def _corrected(line: ListedPerson, typed: Mapping[str, str], take_suggestion: bool) -> ListedPerson:
    address = normal_address(typed.get("adresse", line.address))
    if take_suggestion:
        address = suggested_address(address) or address
    hours, fault = hours_in(typed["heures"]) if "heures" in typed else (line.hours, line.fault)
    return replace(
        line,
        given_name=typed.get("prenom", line.given_name),
        family_name=typed.get("nom", line.family_name),
        address="" if "sans" in typed else address,
        hours=hours,
        fault=fault,
        hours_as_written=typed.get("heures", line.hours_as_written) if fault else "",
        contribution=typed.get("contribution", line.contribution),
    )


def _amendments(
    typed: Mapping[str, Mapping[str, str]], participations: Sequence[Participation]
) -> tuple[dict[uuid.UUID, Noted], dict[str, str]]:
    amendments: dict[uuid.UUID, Noted] = {}
    troubles: dict[str, str] = {}
    for participation in participations:
        fields = typed.get(str(participation.id), {})
        told = fields.get("heures", hours_text(participation.hours))
        hours, fault = hours_in(told)
        contribution = fields.get("contribution", participation.contribution)
        if fault or (hours is not None and hours > 10_000):
            troubles[f"heures-{participation.id}"] = say(
                N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5.")
            )
        elif len(contribution) > 1000:
            troubles[f"contribution-{participation.id}"] = say(N_("La contribution tient en 1 000 signes."))
        elif told != hours_text(participation.hours) or contribution != participation.contribution:
            amendments[participation.id] = Noted(hours, contribution)
    return amendments, troubles
