"""Reasons why a line of a list cannot be recorded, before any badge is considered."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.activities.listed_people import KNOWN, ListedPerson, has_usable_address
from app.domain.awards import LineOutcome
from app.domain.imports.lists.vocabulary.hours import HOURS_UNREADABLE, hours_fault
from app.domain.people import check_name, consents, name_key
from app.domain.people.consents import SEVERAL_OF_NAME
from app.errors import AppError
from app.language import N_

_TOTALS = frozenset(
    ("total", "totaux", "general total", "sous total", "somme", "moyenne", "effectif", "nombre", "average", "sum")
)  # fmt: skip


@dataclass(frozen=True)
class LineFault:
    outcome: LineOutcome
    sentence: str


ALREADY_KNOWN = LineFault(LineOutcome.SEVERAL_OF_NAME, consents.ALREADY_KNOWN)
SEVERAL = LineFault(LineOutcome.SEVERAL_OF_NAME, SEVERAL_OF_NAME)


def fault_of(line: ListedPerson, *, needs_address: bool = False) -> LineFault | None:
    """Why the line cannot be recorded, before any badge is considered; None if it can."""
    if line.fault == "hours":
        return LineFault(LineOutcome.UNREADABLE, hours_fault(line.hours_as_written) or HOURS_UNREADABLE)
    if line.fault == KNOWN:
        return ALREADY_KNOWN
    if _is_total(line):
        return LineFault(
            LineOutcome.UNREADABLE,
            N_("Cette ligne a l’air d’un total et non d’une personne. Si c’en est une, ajoutez son prénom."),
        )
    try:
        check_name(line.given_name, line.family_name)
    except AppError as error:
        return LineFault(LineOutcome.MISSING_NAME, error.sentence)
    if not has_usable_address(line):
        return LineFault(LineOutcome.INVALID_ADDRESS, N_("Cette adresse e-mail n’est pas valable."))
    if needs_address and not line.address:
        # Without an activity as context, only an address disambiguates two people with the same name.
        return LineFault(LineOutcome.INVALID_ADDRESS, N_("Sans activité, il faut une adresse e-mail."))
    return None


def _is_total(line: ListedPerson) -> bool:
    """Whether the line is a spreadsheet total below the last person."""
    return not line.given_name and not line.address and name_key("", line.family_name) in _TOTALS
