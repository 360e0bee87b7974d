"""The preview of an award: counts, lines that need a person, lines that are ready."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from app.domain.activities import disambiguated
from app.domain.awards import Award, LineOutcome, in_words
from app.domain.awards.batches import check_hour
from app.domain.awards.open_badges import evidence_of
from app.domain.badges.rules import grounds_words
from app.domain.people import suggested_address
from app.domain.publishing import Addresses
from app.errors import InvalidInput
from app.http.pages.forms import text_of
from app.http.pages.words import OUTCOME_COUNTS, OUTCOMES, StateLabel, hours_text
from app.http.request_scope import sentence_of
from app.http.workplaces import AtWork
from app.language import translated
from app.services.awards.awards import CheckedLine, Preview

GIVE_LATER = "plus-tard"
MOST_CARDS = 100
SHOWN_AT_ONCE = 30
MOST_READY = 500
MOST_NOTES = 100
NEED_A_PERSON = [
    outcome for outcome in LineOutcome if outcome.is_refused and outcome is not LineOutcome.REPEATED_LINE
]
# What a trainer can correct on the page itself.
_FIELDS = {
    LineOutcome.INVALID_ADDRESS: ("adresse",),
    LineOutcome.MISSING_NAME: ("prenom", "nom"),
    LineOutcome.MISSING_EVIDENCE: ("contribution",),
    LineOutcome.TOO_FEW_HOURS: ("heures",),
    LineOutcome.UNREADABLE: ("heures",),
}


@dataclass(frozen=True)
class Card:
    """A line that needs a person. `fields` are (name, value, trouble) of what can be corrected here."""

    key: str
    name: str
    state: StateLabel
    reason: str
    fields: Sequence[tuple[str, str, str]]
    suggestion: str
    held_href: str
    held_since: datetime | None


@dataclass(frozen=True)
class ReadyLine:
    """`note` is the field name for a description of what this person did."""

    note: str
    name: str
    address: str
    hours: float | None
    contribution: str
    counted: str = ""
    """Totals of the lines used as evidence."""
    trouble: str = ""
    """Why the typed note is invalid."""
    withdrawn: tuple[datetime, str] | None = None
    """When this badge was withdrawn from the person, and why."""


@dataclass(frozen=True)
class Sample:
    """The badge as the first ready person would receive it. `evidence` are (title, text)."""

    holder: str
    description: str
    criteria: str
    evidence: Sequence[tuple[str, str]]
    language: str
    awarded_at: datetime
    valid_until: datetime | None

    @staticmethod
    def of(preview: Preview, addresses: Addresses) -> Sample | None:
        award, version = preview.sample, preview.version
        if award is None:
            return None
        return Sample(
            award.holder_name or "",
            version.description,
            version.criteria,
            [
                (piece.name or "", piece.narrative or "")
                for piece in evidence_of(
                    award,
                    version,
                    preview.activity,
                    addresses.award(award.id),
                    preview.disclosed,
                    preview.practice,
                )
            ],
            version.language,
            award.awarded_at,
            award.valid_until,
        )


@dataclass(frozen=True)
class PreviewView:
    total: int
    ready: Sequence[ReadyLine]
    ready_count: int
    held: Sequence[Card]
    held_count: int
    refused: Sequence[Card]
    refused_count: int
    repeated: Sequence[str]
    repeated_count: int
    figures: Sequence[tuple[str, int]]
    lacks_evidence: bool
    sample: Sample | None

    @staticmethod
    def of(
        preview: Preview,
        home: str,
        typed: Mapping[str, str],
        troubles: Mapping[str, str],
        addresses: Addresses,
    ) -> PreviewView:
        ready = preview.ready
        held = preview.with_outcome(LineOutcome.ALREADY_HELD)
        repeated = preview.with_outcome(LineOutcome.REPEATED_LINE)
        refused = [line for line in preview.lines if line.eligibility.outcome in NEED_A_PERSON]
        return PreviewView(
            total=len(preview.lines),
            ready=[_ready(line, typed, troubles, preview.withdrawn) for line in ready[:MOST_READY]],
            ready_count=len(ready),
            held=[_card(line, home, typed, troubles) for line in held[:MOST_CARDS]],
            held_count=len(held),
            refused=[_card(line, home, typed, troubles) for line in refused[:MOST_CARDS]],
            refused_count=len(refused),
            repeated=[_name_of(line) for line in repeated[:MOST_CARDS]],
            repeated_count=len(repeated),
            figures=_figures(preview),
            lacks_evidence=any(line.eligibility.outcome is LineOutcome.MISSING_EVIDENCE for line in refused),
            sample=Sample.of(preview, addresses),
        )


def _figures(preview: Preview) -> list[tuple[str, int]]:
    """Count of lines by outcome; ready lines are counted even when there are none."""
    counts = Counter(line.eligibility.outcome for line in preview.lines)
    counts.setdefault(LineOutcome.READY, 0)
    return [(translated(OUTCOME_COUNTS[one]), counts[one]) for one in LineOutcome if one in counts]


def _noted(line: CheckedLine) -> tuple[float | None, str]:
    """Projected hours and contribution: recorded values, else those of the list."""
    hours, contribution = line.line.hours, line.line.contribution
    if line.participation is None:
        return hours, contribution
    there = line.participation
    return (hours if there.hours is None else there.hours), there.contribution or contribution


def _ready(
    line: CheckedLine,
    typed: Mapping[str, str],
    troubles: Mapping[str, str],
    withdrawn: Mapping[uuid.UUID, Award],
) -> ReadyLine:
    counted = grounds_words(line.rests_on) if line.rests_on else ""
    note, (hours, contribution) = f"contribution-{_key_of(line)}", _noted(line)
    trouble = troubles.get(note, "")
    said = typed[note] if trouble else contribution
    before = withdrawn.get(line.person.id) if line.person else None
    return ReadyLine(
        note, _name_of(line), line.line.address, hours, said, counted, trouble,
        (before.revoked_at, before.revoked_reason) if before and before.revoked_at else None,
    )  # fmt: skip


def _name_of(line: CheckedLine) -> str:
    there = line.participation
    return line.line.disambiguated if there is None else disambiguated(there, line.line.name)


def _key_of(line: CheckedLine) -> str:
    """Key by participation for recorded people, by line number for the others."""
    return str(line.participation.id if line.participation else line.line.line)


def _card(line: CheckedLine, home: str, typed: Mapping[str, str], troubles: Mapping[str, str]) -> Card:
    said, eligibility = line.line, line.eligibility
    hours, contribution = _noted(line)
    key = _key_of(line)
    values = {
        "adresse": said.address,
        "prenom": said.given_name,
        "nom": said.family_name,
        "heures": said.hours_as_written or hours_text(hours),
        "contribution": contribution,
    }
    # Nothing is recorded here for a person missing from both list and activity.
    noted = line.participation is not None or said.line > 0
    names = [f"{field}-{key}" for field in _FIELDS.get(eligibility.outcome, ()) if noted]
    return Card(
        key=key,
        name=_name_of(line),
        state=OUTCOMES[eligibility.outcome],
        reason=translated(eligibility.sentence).format(**in_words(eligibility.values)),
        fields=[
            (
                name,
                typed[name] if name in troubles else values[name.partition("-")[0]],
                troubles.get(name, ""),
            )
            for name in names
        ],
        suggestion=(suggested_address(said.address) or "")
        if eligibility.outcome is LineOutcome.INVALID_ADDRESS
        else "",
        held_href=f"{home}/attributions/{line.held.id}" if line.held else "",
        held_since=line.held.awarded_at if line.held else None,
    )


@dataclass(frozen=True)
class Hour:
    """When to award: `moment` is None for immediately, or where `trouble` explains an invalid entry."""

    typed: str = ""
    moment: datetime | None = None
    trouble: str = ""

    @staticmethod
    def of(form: FormData, work: AtWork, *, at: datetime) -> Hour:
        """The typed day and hour, in the time zone of the campus."""
        typed = text_of(form, "quand")
        if text_of(form, "geste") != GIVE_LATER:
            return Hour(typed)
        try:
            there = datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(work.campus.time_zone))
            moment = there.astimezone(UTC)
            check_hour(moment, at=at)
        except InvalidInput as error:
            return Hour(typed, trouble=sentence_of(error))
        except (ValueError, OverflowError):
            return Hour(typed, trouble=translated("Donnez le jour et l’heure."))
        return Hour(typed, moment)
