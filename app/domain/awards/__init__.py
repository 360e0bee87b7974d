"""Rows and rules: eligibility, issuing, batches, revocation, delivery."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Text
from sqlmodel import Field, Index, SQLModel

from app.domain.activities import Activity, Participation, holds_results_alone, hours_of
from app.domain.badges import Badge, BadgeKind, BadgeVersion, Repeat
from app.domain.badges.rules import Progress, Rule, asked_of, asked_words, missing_of, rule_words
from app.domain.core import (
    ALPHABET,
    enum_column,
    foreign_key,
    index_where,
    indexes_apart,
    new_id,
    new_row,
    primary_foreign_key,
    utc_datetime,
    whole_second,
)
from app.domain.people import Person, are_spellings
from app.errors import Conflict, InvalidInput, Unavailable
from app.language import N_, number

# --- Awards: a badge given to a person for what they did, and the eligibility rules


def rule_facts(progress: Progress) -> dict[str, Any]:
    """The rule and what is missing on the nearest way, as plain values that can be stored."""
    return {"rule": progress.rule.to_document(), "missing": missing_of(progress.nearest)}


def in_words(values: Mapping[str, Any] | None) -> dict[str, str]:
    """The values for a reason's sentence, formatted in the current language."""
    return {name: _said(value) for name, value in (values or {}).items()}


def _said(value: Any) -> str:
    match value:
        case {"any": _}:
            return rule_words(Rule.from_document(value))
        case list():
            return asked_words(asked_of(value))
        case bool() | str():
            return str(value)
        case int() | float():
            return number(value)
        case _:
            return str(value)


class AwardState(StrEnum):
    ISSUED = "issued"
    REVOKED = "revoked"


class Visibility(StrEnum):
    CLOSED = "closed"
    OPEN = "open"


class LineOutcome(StrEnum):
    """The actual or projected outcome of one line of a list."""

    READY = "ready"
    AWARDED = "awarded"
    ALREADY_HELD = "already_held"
    INVALID_ADDRESS = "invalid_address"
    MISSING_NAME = "missing_name"
    MISSING_EVIDENCE = "missing_evidence"
    TOO_FEW_HOURS = "too_few_hours"
    ONESELF = "oneself"
    REPEATED_LINE = "repeated_line"
    UNREADABLE = "unreadable"
    NOT_ALLOWED = "not_allowed"
    ABSENT = "absent"
    SEVERAL_OF_NAME = "several_of_name"

    @property
    def is_refused(self) -> bool:
        return self not in (LineOutcome.READY, LineOutcome.AWARDED, LineOutcome.ALREADY_HELD)


class Award(SQLModel, table=True):
    """`once_key` is unique, so that a person cannot be awarded the same badge twice.

    `undone_at`: revoked before it was delivered, so that no recipient needs to be notified. `edition` counts
    how often it was signed: the newest one is the badge, at the same address.
    """

    __tablename__ = "award"
    __table_args__ = (
        Index("awards_of_campus_by_time", "campus_id", "awarded_at", "id"),
        Index("awards_of_person", "person_id", "awarded_at"),
        Index(
            "awards_of_campus_by_person", "campus_id", "person_id", "state", "claimed_at", "visibility"
        ),  # all that counts and row-level security read
        Index("awards_of_campus_by_hours", "campus_id", "hours", "id"),
        Index("awards_of_campus_by_end", "campus_id", "valid_until", "id"),
        Index("awards_of_campus_by_claim", "campus_id", "claimed_at", "id"),
        Index("awards_of_badge_by_person", "badge_id", "person_id"),
        Index("awards_of_badge_by_time", "badge_id", "awarded_at", "id"),
        Index("one_award_per_person_of_a_batch", "batch_id", "person_id", unique=True),
        index_where("awards_to_align", "campus_id", "align_due_at", known="align_due_at"),
        index_where("awards_withdrawn", "campus_id", "awarded_at", "id", known="revoked_at"),
        index_where("awards_that_end", "valid_until", "campus_id", known="valid_until"),
        index_where(
            "awards_that_end_by_time", "campus_id", "awarded_at", "id", "valid_until", known="valid_until"
        ),
        index_where("awards_suspended", "campus_id", "suspended_until", known="suspended_until"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    badge_id: uuid.UUID = Field(sa_column=foreign_key("badge", index=False))
    version_id: uuid.UUID = Field(sa_column=foreign_key("badge_version"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person", index=False))
    activity_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("activity", nullable=True))
    subject_id: uuid.UUID = Field(default_factory=new_id)
    state: AwardState = Field(
        default=AwardState.ISSUED, sa_column=enum_column(AwardState, name="award_state")
    )
    visibility: Visibility = Field(
        default=Visibility.CLOSED, sa_column=enum_column(Visibility, name="award_visibility")
    )
    is_findable: bool = False
    """The holder allows search engines to index its page while that is open."""
    holder_name: str | None = Field(default=None, max_length=250)
    accepted_name: str = Field(default="", max_length=250, sa_column_kwargs={"server_default": ""})
    """The last name that the campus wrote or accepted for this badge, in it or not; never published. See `campus_name`."""
    evidence: str = Field(default="", max_length=4000)
    part: str | None = Field(default=None, max_length=20)
    hours: float | None = None
    contribution: str = Field(default="", max_length=1000)
    grounds: str = Field(default="", max_length=300)
    """A summary of the log entries it rests on, in the badge's language."""
    awarded_at: datetime = Field(sa_column=utc_datetime())
    awarded_by: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    valid_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    revoked_reason: str = Field(default="", max_length=500)
    undone_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    suspended_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    suspended_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """The end of its suspension, exclusive; null once the suspension is lifted."""
    suspended_reason: str = Field(default="", max_length=500, sa_column_kwargs={"server_default": ""})
    batch_id: uuid.UUID | None = None
    once_key: str | None = Field(default=None, unique=True, max_length=120)
    edition: int = 1
    disclosures: int = 0
    """How often the holder changed what is disclosed of the evidence: part of every page cache key."""
    align_due_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """When its signed documents are next compared with what the holder discloses; not published until then.
    """
    reissued_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    older_recipient: str = Field(default="", max_length=120)
    """Salt and hash of the holder's address in Open Badges 2.0; empty unless the holder asked for it."""
    answers_checks: bool = False
    """The holder lets anyone who sees the open page check whether an address is theirs."""
    counts_views: bool = True
    """Openings of the page by others are counted for the holder, by day."""
    link_generation: int = 0
    link_opened_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    claimed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def campus_name(self) -> str:
        """The only name, but for its spelling, that is signed in this badge; empty if unknown.

        Rows written before the column existed have the name in the badge alone.
        """
        return self.accepted_name or self.holder_name or ""

    def suspended_through(self, *, at: datetime) -> datetime | None:
        """The last second of its suspension, to show its last day; None unless it is suspended.

        A method, so that a verdict can ask for it where no table is imported.
        """
        until = self.suspended_until
        return until - timedelta(seconds=1) if until is not None and is_suspended(self, at=at) else None


class SignedDocument(SQLModel, table=True):
    """An award's signed credential in both forms: the bytes are the badge, and never change (I14).

    Both are None once an object store has them (`signed_bytes.py`).
    """

    __tablename__ = "signed_credential"
    __table_args__ = indexes_apart("signed_bytes", "signed_at", "award_id", known="embedded")
    award_id: uuid.UUID = Field(sa_column=primary_foreign_key("award"))
    embedded: bytes | None
    token: str | None = Field(sa_type=Text)
    embedded_digest: str = Field(max_length=64)
    token_digest: str = Field(max_length=64)
    signed_at: datetime = Field(sa_column=utc_datetime())


class NewerDocument(SQLModel, table=True):
    """The same award signed again with a changed or removed holder name; supersedes earlier editions."""

    __tablename__ = "newer_credential"
    __table_args__ = indexes_apart("newer_bytes", "signed_at", "award_id", known="embedded")
    award_id: uuid.UUID = Field(sa_column=primary_foreign_key("award"))
    edition: int = Field(primary_key=True)
    embedded: bytes | None
    token: str | None = Field(sa_type=Text)
    embedded_digest: str = Field(max_length=64)
    token_digest: str = Field(max_length=64)
    signed_at: datetime = Field(sa_column=utc_datetime())


@dataclass(frozen=True)
class EligibilityResult:
    """Whether one badge may be awarded to one person, and why not.

    `sentence` is a French msgid; `in_words` formats `values` for its placeholders.
    """

    outcome: LineOutcome
    sentence: str = ""
    values: dict[str, Any] | None = None

    @property
    def is_ready(self) -> bool:
        return self.outcome is LineOutcome.READY


ONESELF = EligibilityResult(LineOutcome.ONESELF, N_("On ne s’attribue pas un badge à soi-même."))

ABSENT = EligibilityResult(
    LineOutcome.ABSENT,
    N_("Notée absente de cette activité. Si elle y était, notez-la d’abord présente."),
)

HELD = EligibilityResult(
    LineOutcome.ALREADY_HELD, N_("A déjà ce badge, qui est donné une seule fois par personne.")
)
HELD_IN_ACTIVITY = EligibilityResult(
    LineOutcome.ALREADY_HELD,
    N_("A déjà reçu ce badge dans cette activité, et il y est donné une seule fois par personne."),
)


class AlreadyRevoked(Conflict): ...


class AlreadySuspended(Conflict): ...


class DocumentsToAlign(Unavailable):
    """The signed documents of an open award may contain more than its holder discloses."""

    def __init__(self, award_id: uuid.UUID) -> None:
        super().__init__(
            N_(
                "Ce badge est en train d’être signé de nouveau, pour ne montrer que ce que son titulaire a choisi. "
                "Réessayez dans un instant. Rien n’est dit de sa valeur."
            )
        )
        self.award_id = award_id


def check_aligned(award: Award) -> None:
    """Raises if an open award may not be published yet."""
    if award.visibility is Visibility.OPEN and award.align_due_at is not None:
        raise DocumentsToAlign(award.id)


def check_eligibility(
    version: BadgeVersion,
    *,
    person: Person,
    giver_id: uuid.UUID | None,
    activity: Activity | None,
    participation: Participation | None,
    evidence: str,
    held: Award | None,
    repeat: Repeat = Repeat.ONCE,
    progress: Progress | None = None,
) -> EligibilityResult:
    """Each person is checked alone, on their own record, whatever list they are on (T02, I25)."""
    if giver_id is not None and person.id == giver_id:
        return ONESELF
    if held is not None:
        return HELD_IN_ACTIVITY if repeat is Repeat.ONCE_PER_ACTIVITY else HELD
    return judge_evidence(
        version, activity=activity, participation=participation, evidence=evidence, progress=progress
    )


def judge_evidence(
    version: BadgeVersion,
    *,
    activity: Activity | None,
    participation: Participation | None,
    evidence: str,
    progress: Progress | None = None,
) -> EligibilityResult:
    """The badge's rule and kind decide what evidence an award needs; `progress` is None if it has no rule."""
    if participation is not None and not participation.is_present:
        return ABSENT
    if progress is not None and not progress.is_met:
        return EligibilityResult(
            LineOutcome.TOO_FEW_HOURS,
            N_("Ce badge demande {rule} ; il manque {missing}."),
            rule_facts(progress),
        )
    hours = hours_of(participation, activity) if participation and activity else None
    if version.required_hours is not None and (hours or 0) < version.required_hours:
        return EligibilityResult(
            LineOutcome.TOO_FEW_HOURS,
            N_("Ce badge demande {required} h. Durée notée : {noted} h."),
            {"required": version.required_hours, "noted": hours or 0},
        )
    if version.kind is BadgeKind.PARTICIPATION and participation is None and progress is None:
        return EligibilityResult(
            LineOutcome.MISSING_EVIDENCE, N_("Ce badge repose sur une activité : aucune n’est indiquée.")
        )
    contributed = participation.contribution.strip() if participation else ""
    text = evidence.strip() or ("" if holds_results_alone(contributed) else contributed)
    if version.kind.is_assessed and len(text) < 5:
        return EligibilityResult(
            LineOutcome.MISSING_EVIDENCE,
            N_(
                "Ce badge demande de dire ce que la personne a fait : notez sa contribution ou une preuve commune."
            ),
        )
    return EligibilityResult(LineOutcome.READY)


def once_key(badge: Badge, person_id: uuid.UUID, activity_id: uuid.UUID | None) -> str | None:
    match badge.repeat:
        case Repeat.ONCE:
            return f"{badge.id}/{person_id}"
        case Repeat.ONCE_PER_ACTIVITY:
            return f"{badge.id}/{person_id}/{activity_id or '-'}"
        case Repeat.ALWAYS:
            return None


def new_award(
    badge: Badge,
    version: BadgeVersion,
    *,
    person: Person,
    activity: Activity | None,
    participation: Participation | None,
    evidence: str,
    show_name: bool,
    name: str = "",
    giver_id: uuid.UUID | None,
    at: datetime,
    zone: str,
    award_id: uuid.UUID | None = None,
    batch_id: uuid.UUID | None = None,
    grounds: str = "",
) -> Award:
    """An award decided at `at`; nothing is signed yet. `name`: by which the campus knows the person, if not their own.

    `zone`: of the campus, where its last day ends.
    """
    known_as = name or person.name
    awarded_at = whole_second(at)
    return new_row(
        Award,
        id=award_id or new_id(),
        campus_id=badge.campus_id,
        badge_id=badge.id,
        version_id=version.id,
        person_id=person.id,
        activity_id=activity.id if activity else None,
        holder_name=known_as if show_name else None,
        accepted_name=known_as,
        evidence=evidence.strip(),
        part=participation.part.value if participation else None,
        hours=hours_of(participation, activity) if participation and activity else None,
        contribution=participation.contribution if participation else "",
        grounds=grounds,
        awarded_at=awarded_at,
        awarded_by=giver_id,
        valid_until=last_moment(awarded_at, version.validity_days, zone) if version.validity_days else None,
        once_key=once_key(badge, person.id, activity.id if activity else None),
        batch_id=batch_id,
    )


def check_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput("Dites en une phrase pourquoi le badge est retiré : la personne la lira.")
    if len(reason) > 500:
        raise InvalidInput("Le motif tient en 500 signes.")


def revoke(award: Award, reason: str, *, at: datetime) -> None:
    """Permanent: a revocation is never undone (D-007); the badge may be awarded again."""
    check_reason(reason)
    if award.state is AwardState.REVOKED:
        raise AlreadyRevoked(N_("Ce badge est déjà retiré."))
    award.state = AwardState.REVOKED
    award.revoked_at = max(whole_second(at), award.awarded_at)
    award.revoked_reason = reason.strip()
    award.once_key = None
    lift_suspension(award)


LONGEST_SUSPENSION = timedelta(days=366)
WITHDRAWN_BEFORE = N_("Retrait rétabli après une panne : le badge avait été retiré.")
SUSPENDED_BEFORE = N_("Suspension rétablie après une panne : le campus va la confirmer ou la lever.")
REASONS_OF_A_RESTORE = frozenset((WITHDRAWN_BEFORE, SUSPENDED_BEFORE))
"""Stored as reasons where a restore found none; shown in the reader's language."""


def is_suspended(award: Award, *, at: datetime) -> bool:
    """A suspension ends on time, whenever its end is written down."""
    return award.suspended_until is not None and at < award.suspended_until


def is_in_force(award: Award, *, at: datetime) -> bool:
    """Neither withdrawn, expired nor suspended: what counts for anything that is built on badges.

    Who holds a badge (whether it may be awarded again, renamed, withdrawn) is another question: a suspended
    one is held.
    """
    is_over = award.valid_until is not None and award.valid_until <= at
    return award.state is AwardState.ISSUED and not is_over and not is_suspended(award, at=at)


def check_suspension_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput("Dites en une phrase pourquoi le badge est suspendu : la personne la lira.")
    if len(reason) > 500:
        raise InvalidInput("Le motif tient en 500 signes.")


def check_suspension_end(until: datetime, *, at: datetime) -> None:
    if until <= at:
        raise InvalidInput("La fin de la suspension doit être dans le futur.")
    if until > at + LONGEST_SUSPENSION:
        raise InvalidInput("Une suspension dure un an au plus. Vous pourrez suspendre de nouveau le badge.")


def suspend(award: Award, reason: str, *, until: datetime, at: datetime) -> None:
    """For a time, unlike a revocation; the badge may be revoked meanwhile. One that is over may be followed by another."""
    check_suspension_reason(reason)
    check_suspension_end(until, at=at)
    if award.state is AwardState.REVOKED:
        raise AlreadyRevoked(N_("Ce badge est retiré : il ne peut plus être suspendu."))
    if award.valid_until is not None and award.valid_until <= at:
        raise Conflict("Ce badge a expiré : il n’y a rien à suspendre.")
    if is_suspended(award, at=at):
        raise AlreadySuspended(N_("Ce badge est déjà suspendu. Levez d’abord la suspension."))
    award.suspended_at = whole_second(at)
    award.suspended_until = whole_second(until)
    award.suspended_reason = reason.strip()


def last_moment(start: datetime, days: int, zone: str) -> datetime:
    """Of a badge that is valid for so many days: « jusqu’au 24 novembre » includes that day, where the campus is."""
    last_day = start.astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
    return end_of_last_day(last_day, zone) - timedelta(seconds=1)


def end_of_last_day(day: date, zone: str) -> datetime:
    """A suspension « until » a day includes that day, where the campus is."""
    following = min(day, date.max - timedelta(days=2)) + timedelta(days=1)
    return datetime.combine(following, time(), ZoneInfo(zone)).astimezone(UTC)


def lift_suspension(award: Award) -> None:
    award.suspended_at = award.suspended_until = None
    award.suspended_reason = ""


def next_edition_at(award: Award, *, at: datetime) -> datetime:
    """At least one second after the previous edition, so that verifiers can order them (A-034)."""
    return max(whole_second(at), (award.reissued_at or award.awarded_at) + timedelta(seconds=1))


def reissue(award: Award, holder_name: str | None, *, at: datetime, also_revoked: bool = False) -> None:
    """A new edition. Another name is one that the campus wrote or accepted, or a spelling of it.

    A revoked award is signed again only to contain less (`also_revoked`); its status stays.
    """
    if award.state is AwardState.REVOKED and not also_revoked:
        raise AlreadyRevoked(N_("Ce badge est retiré : il n’est plus signé de nouveau."))
    if holder_name is not None and holder_name != award.holder_name:
        if not are_spellings(award.campus_name, holder_name):
            raise ValueError("the campus neither wrote nor accepted this name")
        award.accepted_name = holder_name
    award.accepted_name = award.campus_name
    award.holder_name = holder_name
    award.edition += 1
    award.reissued_at = next_edition_at(award, at=at)


RENEWED_FROM = timedelta(days=60)
"""How long before its end a badge may be renewed at most; afterwards it always may."""


def may_renew(award: Award, *, days: int | None, at: datetime) -> bool:
    """`days`: of the badge. Only in the second half of a term: two clicks do not give two of them."""
    if award.state is not AwardState.ISSUED or award.valid_until is None or is_suspended(award, at=at):
        return False
    window = min(RENEWED_FROM, timedelta(days=days) / 2) if days else RENEWED_FROM
    return award.valid_until <= at + window


def renew(award: Award, *, days: int, evidence: str, at: datetime, zone: str) -> None:
    """A later end, counted from the present one unless it has passed; `evidence` is added to what the badge has."""
    if not may_renew(award, days=days, at=at):
        raise Conflict("Ce badge ne peut pas être renouvelé maintenant.")
    assert award.valid_until is not None, "only what ends is renewed"
    both = "\n".join(filter(None, (award.evidence, evidence.strip())))
    check_evidence_text(both)
    award.evidence = both
    award.valid_until = last_moment(max(award.valid_until, at), days, zone)


def undo(award: Award, *, at: datetime) -> None:
    """As if it had not been awarded, except that its status slot and its audit log entries remain."""
    award.state = AwardState.REVOKED
    award.revoked_at = award.undone_at = whole_second(at)
    award.once_key = None
    lift_suspension(award)


def check_evidence_text(text: str) -> None:
    if len(text) > 4000:
        raise InvalidInput("La preuve commune tient en 4 000 signes.")


# --- Short claim codes for one award: read aloud, typed on a phone, valid for one claim within some weeks

CODE_LIFE = timedelta(days=60)
LENGTH = 8
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BETWEEN = " -–—._/\u00a0\u202f"


class ClaimCode(SQLModel, table=True):
    """An issued code. Only its keyed digest is stored, so that reading this table reveals no code."""

    __tablename__ = "claim_code"
    award_id: uuid.UUID = Field(sa_column=primary_foreign_key("award"))
    digest: str = Field(unique=True, max_length=64)
    expires_at: datetime = Field(sa_column=utc_datetime())


def code_of(secret: bytes, award_id: uuid.UUID, generation: int, turn: int = 0) -> str:
    """Seven unguessable characters and a check character; `turn` gives another code."""
    text = b"claim-code|" + award_id.bytes + generation.to_bytes(4, "big") + turn.to_bytes(4, "big")
    number = int.from_bytes(hmac.digest(secret, text, hashlib.sha256)[:5], "big") >> 5
    signs = "".join(ALPHABET[(number >> 5 * place) & 31] for place in range(LENGTH - 1))
    return signs + _check_sign(signs)


def code_digest(secret: bytes, code: str) -> str:
    return hmac.new(secret, b"claim-code-digest|" + code.encode(), hashlib.sha256).hexdigest()


def shown_code(code: str) -> str:
    """7KQ2-M4XD"""
    return f"{code[:4]}-{code[4:]}"


def read_code(typed: str) -> str:
    """The code that was typed, normalised; raises InvalidInput if it cannot be one."""
    signs = "".join(sign for sign in typed.upper() if sign not in _BETWEEN).translate(_MEANT)
    if len(signs) != LENGTH:
        raise InvalidInput(
            "Le code a {length} signes, par exemple 7KQ2-M4XD. Vérifiez qu’il est entier.", length=LENGTH
        )
    if any(sign not in ALPHABET for sign in signs) or _check_sign(signs[:-1]) != signs[-1]:
        raise InvalidInput("Il y a une faute de frappe dans ce code. Relisez-le signe par signe.")
    return signs


def _check_sign(signs: str) -> str:
    """Luhn over 32 characters: detects every single wrong character, and nearly all swaps of neighbours."""
    total = 0
    for place, sign in enumerate(reversed(signs)):
        value = ALPHABET.index(sign) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
