"""The only mapping from a campus's rows to Open Badges."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.lists import format_list
from babel.numbers import format_decimal
from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from app.domain.activities import Activity, PartKind
from app.domain.awards import Award
from app.domain.awards.skills import (
    NO_PRACTICE,
    Attested,
    Numbers,
    Practice,
    assessed_how,
    competency_alignment,
    public_alignment,
    result_descriptions,
    results_of,
)
from app.domain.badges import Badge, BadgeKind, BadgeVersion, join_criteria, split_criteria
from app.domain.badges.rules import criteria_words, rule_of, rule_words
from app.domain.campus.campus import Campus
from app.domain.core import (
    as_signed,
    enum_column,
    foreign_key,
    json_column,
    name_as_signed,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.frameworks import PublicAlignment
from app.domain.people import normal_address
from app.domain.publishing import Addresses
from app.language import current_locale, french, plain_day, speaking
from app.language import gettext as _
from sceau_credentials.errors import MalformedInput
from sceau_credentials.model import (
    Achievement,
    AchievementSubject,
    BitstringStatusListEntry,
    Criteria,
    Evidence,
    IdentityObject,
    Image,
    OpenBadgeCredential,
    Profile,
)
from sceau_credentials.model.value import written_moment
from sceau_credentials.values import JsonObject, JsonValue, parse_timestamp

CONTEXT_PATH: Final = "/contextes/preuves-v1.jsonld"
SCHEMA_PATH: Final = "/schemas/preuves-v1.json"


class AwardEvidence(SQLModel, table=True):
    """The log entries that prove an award, named by `digest` in its credential.

    The document is regenerated on every request: log and checkpoint always give the same bytes.
    """

    __tablename__ = "award_evidence"
    award_id: uuid.UUID = Field(sa_column=primary_foreign_key("award"))
    log_id: uuid.UUID = Field(sa_column=foreign_key("campus_log", index=False))
    size: int = Field(sa_type=BigInteger)
    decision: int = Field(sa_type=BigInteger)
    entries: list[int] = Field(sa_column=json_column())
    digest: str = Field(max_length=80)


class DisclosedContent(StrEnum):
    """How much of one log entry the holder discloses."""

    ALL = "all"
    SUMMARY = "summary"
    EXISTENCE = "existence"


_RANK: Final = {DisclosedContent.EXISTENCE: 0, DisclosedContent.SUMMARY: 1, DisclosedContent.ALL: 2}


def least_shown(*levels: DisclosedContent) -> DisclosedContent:
    """The most private of these levels."""
    return min(levels, key=_RANK.__getitem__)


@dataclass(frozen=True)
class Disclosed:
    """How much of each part of an award its signed documents contain.

    By default a summary: the part, the hours and the dates, without any free text.
    """

    activity: DisclosedContent = DisclosedContent.SUMMARY
    grounds: DisclosedContent = DisclosedContent.SUMMARY
    assessment: DisclosedContent = DisclosedContent.SUMMARY

    @staticmethod
    def uniform(shown: DisclosedContent) -> Disclosed:
        return Disclosed(shown, shown, shown)


@dataclass(frozen=True)
class DisclosureBounds:
    """The default and the maximum disclosure of an award's log entries."""

    default: DisclosedContent = DisclosedContent.SUMMARY
    most: DisclosedContent = DisclosedContent.ALL

    def apply(self, chosen: DisclosedContent | None) -> DisclosedContent:
        return self.default if chosen is None else least_shown(chosen, self.most)


OF_ADULTS: Final = DisclosureBounds()
OF_MINORS: Final = DisclosureBounds(default=DisclosedContent.EXISTENCE, most=DisclosedContent.SUMMARY)
"""Titles, addresses and comments identify a class or a school, which is never public for a minor."""


def bounds_for(*, is_minor: bool) -> DisclosureBounds:
    return OF_MINORS if is_minor else OF_ADULTS


class EvidenceDisclosure(SQLModel, table=True):
    """A holder's choice for one log entry of an award; without a row, `DisclosureBounds` gives the level."""

    __tablename__ = "evidence_disclosure"
    award_id: uuid.UUID = Field(sa_column=primary_foreign_key("award"))
    number: int = Field(primary_key=True, sa_type=BigInteger)
    shown: DisclosedContent = Field(sa_column=enum_column(DisclosedContent, name="evidence_shown"))
    set_at: datetime = Field(sa_column=utc_datetime())


NEVER_SHOWN: Final = frozenset({"person", "by", "corrects", "reason"})
"""The award decision already identifies the person; other people involved are never disclosed."""
_SUMMARY: Final = frozenset(
    {
        "activityKind",
        "startsOn",
        "endsOn",
        "minutes",
        "part",
        "present",
        "badge",
        "kind",
        "confirmed",
        "mediaType",
        "contentDigest",
        "removed",
    }
)


def fields_shown(facts: Mapping[str, Any], shown: DisclosedContent) -> frozenset[str]:
    """The fields of a log entry that readers of the award may see."""
    match shown:
        case DisclosedContent.ALL:
            return frozenset(facts) - NEVER_SHOWN
        case DisclosedContent.SUMMARY:
            return frozenset(facts) & _SUMMARY
        case DisclosedContent.EXISTENCE:
            return frozenset()


_MATERIAL: Final = ("minutes", "startsOn", "endsOn", "part", "present", "confirmed", "contribution")
_TEXT: Final = "contribution"


@dataclass(frozen=True)
class Correction:
    """Of the entries that an award depends on, after it was awarded; `facts`: those corrected that its holder shows."""

    facts: frozenset[str]


def corrected(
    before: Mapping[str, Any], after: Mapping[str, Any], shown: frozenset[str]
) -> list[frozenset[str]]:
    """What a later entry states otherwise of what is `shown`; empty if nothing that matters to a reader.

    A title corrected does not change what happened; a contribution that is not shown changes nothing for readers.
    """
    changed = frozenset(name for name in _MATERIAL if before.get(name) != after.get(name))
    return [changed & shown] if changed - ({_TEXT} - shown) else []


# Open Badges terms that claim no more than the kind does: never Diploma, Degree, Certificate or
# Certification.
_ACHIEVEMENT_TYPES = {
    BadgeKind.BELONGING: "Membership",
    BadgeKind.PARTICIPATION: "Badge",
    BadgeKind.ENGAGEMENT: "CommunityService",
    BadgeKind.ATTITUDE: "Badge",
    BadgeKind.COMPETENCY: "Competency",
    BadgeKind.REALISATION: "Achievement",
}


def profile_of(campus: Campus, addresses: Addresses) -> Profile:
    """The campus as issuer: the same small Profile in every credential and at the campus's address."""
    return Profile(
        id=campus.did,
        name=name_as_signed(campus.name),
        url=addresses.campus(campus.slug),
        description=as_signed(campus.description or "") or None,
        email=campus.contact_email or None,
    )


def achievement_of(
    badge: Badge,
    version: BadgeVersion,
    competencies: Attested,
    addresses: Addresses,
    *,
    caption: str = "",
    numbers: Numbers = MappingProxyType({}),
) -> Achievement:
    """The definition that a version publishes and every award contains; `caption` describes its picture."""
    return Achievement(
        id=addresses.version(badge.id, version.number),
        name=name_as_signed(version.name),
        description=as_signed(version.description),
        criteria=Criteria(
            id=addresses.version(badge.id, version.number), narrative=as_signed(_criteria_of(version))
        ),
        achievement_type=_ACHIEVEMENT_TYPES[version.kind],
        image=Image(
            id=addresses.picture(badge.id, version.number, "png"),
            caption=name_as_signed(caption or version.name),
        ),
        in_language=version.language,
        version=str(version.number),
        tag=(*filter(None, map(as_signed, version.tags)), version.kind.value),
        alignment=(
            *(
                competency_alignment(
                    competency, framework, addresses, numbers.get(competency.id), level=link.level
                )
                for link, competency, framework in competencies
            ),
            *(public_alignment(PublicAlignment.read(each), version.language) for each in version.alignments),
        ),
        result_description=result_descriptions(
            version, addresses.version(badge.id, version.number), competencies, addresses, numbers
        ),
    )


def _criteria_of(version: BadgeVersion) -> str:
    """The written criteria, plus the rule as text if they do not already contain it."""
    rule = rule_of(version.rule)
    if rule is None:
        return version.criteria
    with speaking(version.language):
        said = criteria_words(rule)
    if said in version.criteria:
        return version.criteria
    criteria, assessment = split_criteria(version.criteria)
    return join_criteria(f"{criteria}\n\n{said}", assessment, version.language)


def credential_of(
    award: Award,
    *,
    achievement: Achievement,
    issuer: Profile,
    campus: Campus,
    version: BadgeVersion,
    activity: Activity | None,
    status: BitstringStatusListEntry,
    addresses: Addresses,
    disclosed: Disclosed = Disclosed(),
    practice: Practice = NO_PRACTICE,
) -> OpenBadgeCredential:
    """The credential to sign: a random URN as holder, the name by consent only, only `disclosed` evidence."""
    dated = activity if disclosed.activity is not DisclosedContent.EXISTENCE else None
    narrative = assessed_how(achievement, version)
    return OpenBadgeCredential(
        id=addresses.award(award.id),
        name=name_as_signed(version.name),
        issuer=issuer,
        valid_from=award.awarded_at,
        valid_until=award.valid_until,
        awarded_date=award.awarded_at,
        credential_subject=AchievementSubject(
            id=f"urn:uuid:{award.subject_id}",
            identifier=_name_of_holder(award),
            achievement=achievement,
            activity_start_date=_start_of(dated.starts_on, campus) if dated else None,
            activity_end_date=_end_of(dated.ends_on, campus) if dated else None,
            role=award.part if disclosed.activity is not DisclosedContent.EXISTENCE else None,
            narrative=as_signed(narrative) or None,
            source=Profile(id=issuer.id, name=issuer.name) if narrative else None,
            result=results_of(achievement, award, practice, shows_activity=dated is not None),
        ),
        evidence=evidence_of(award, version, activity, addresses.award(award.id), disclosed, practice),
        credential_status=status,
    )


class BadgeDocuments:
    """The credentials of one badge as documents; awards share all parts that do not depend on the holder."""

    def __init__(
        self,
        *,
        achievement: Achievement,
        issuer: Profile,
        campus: Campus,
        version: BadgeVersion,
        activity: Activity | None,
        addresses: Addresses,
        practice: Practice = NO_PRACTICE,
    ) -> None:
        self._practice = practice
        self._achievement = achievement
        self._issuer = issuer
        self._campus = campus
        self._version = version
        self._activity = activity
        self._addresses = addresses
        self._alike: dict[tuple[object, ...], JsonObject] = {}

    def document_of(self, award: Award, status: JsonObject, disclosed: Disclosed = Disclosed()) -> JsonObject:
        """What `credential_of` returns, as a document."""
        alike = (
            disclosed,
            award.awarded_at,
            award.valid_until,
            award.part,
            award.hours,
            award.contribution,
            award.evidence,
            award.grounds,
            award.holder_name is None,
        )
        document = self._alike.get(alike)
        if document is None:
            document = self._written(award, status, disclosed)
            if len(self._alike) < _MOST_ALIKE:
                self._alike[alike] = document
            return document
        subject = _object(document["credentialSubject"])
        own: JsonObject = {"id": f"urn:uuid:{award.subject_id}"}
        if award.holder_name is not None:
            (entry,) = _objects(subject["identifier"])
            own["identifier"] = [{**entry, "identityHash": name_as_signed(award.holder_name)}]
        page = self._addresses.award(award.id)
        named: JsonObject = {
            "id": page,
            "credentialSubject": {**subject, **own},
            "credentialStatus": status,
        }
        if "evidence" in document:
            pieces = _objects(document["evidence"])
            named["evidence"] = [{**piece, "id": page + _place_in(piece)} for piece in pieces]
        return {**document, **named}

    def _written(self, award: Award, status: JsonObject, disclosed: Disclosed) -> JsonObject:
        return credential_of(
            award,
            achievement=self._achievement,
            issuer=self._issuer,
            campus=self._campus,
            version=self._version,
            activity=self._activity,
            status=BitstringStatusListEntry.from_document(status),
            addresses=self._addresses,
            disclosed=disclosed,
            practice=self._practice,
        ).to_document()


_MOST_ALIKE = 1_000


def _place_in(piece: JsonObject) -> str:
    _, sign, place = str(piece["id"]).partition("#")
    return sign + place


def _object(value: JsonValue) -> JsonObject:
    assert isinstance(value, dict)
    return value


def _objects(value: JsonValue) -> list[JsonObject]:
    assert isinstance(value, list)
    return [_object(each) for each in value]


def _name_of_holder(award: Award) -> tuple[IdentityObject, ...]:
    if award.holder_name is None:
        return ()
    return (
        IdentityObject(hashed=False, identity_hash=name_as_signed(award.holder_name), identity_type="name"),
    )


def evidence_of(
    award: Award,
    version: BadgeVersion,
    activity: Activity | None,
    page: str,
    disclosed: Disclosed = Disclosed(),
    practice: Practice = NO_PRACTICE,
) -> tuple[Evidence, ...]:
    """What the award rests on, in the language of the badge, as far as it is `disclosed`.

    Each item has an anchor on the award's page, which shows the log entries. None includes the activity's
    audience: it would reveal the holder's age or situation.
    """
    with speaking(version.language):
        pieces = []
        if activity is not None:
            pieces.append(
                Evidence(
                    id=f"{page}#journal",
                    name=name_as_signed(activity.title)
                    if disclosed.activity is DisclosedContent.ALL
                    else _("Participation à une activité du campus"),
                    genre=_("Participation"),
                    narrative=as_signed(
                        _participation_sentence(award, activity, disclosed.activity, practice)
                    ),
                )
            )
        if award.grounds and disclosed.grounds is not DisclosedContent.EXISTENCE:
            pieces.append(
                Evidence(
                    id=f"{page}#lignes" if activity else f"{page}#journal",
                    name=_("Journal d’activité du campus"),
                    genre=_("Participation"),
                    narrative=as_signed(_grounds_sentence(award, version)),
                )
            )
        if award.evidence and disclosed.assessment is DisclosedContent.ALL:
            pieces.append(
                Evidence(
                    id=f"{page}#appreciation",
                    name=_("Appréciation"),
                    genre=_("Observation"),
                    narrative=as_signed(award.evidence),
                )
            )
        return tuple(pieces)


def activity_as_logged(activity: Activity, facts: Mapping[str, Any]) -> Activity:
    """A copy outside the session, with what an entry about a participation states: title, days, location."""
    stated = {
        "title": facts["activity"],
        "starts_on": date.fromisoformat(facts["startsOn"]),
        "ends_on": date.fromisoformat(facts["endsOn"]),
        "place": facts["place"],
    }
    return Activity(**{**activity.model_dump(), **stated})


def with_disclosed(
    document: JsonObject,
    award: Award,
    *,
    version: BadgeVersion,
    campus: Campus,
    activity: Activity | None,
    addresses: Addresses,
    disclosed: Disclosed,
    practice: Practice = NO_PRACTICE,
) -> JsonObject:
    """`document`, with the evidence details replaced by what is `disclosed`."""
    before = _object(document["credentialSubject"])
    written = credential_of(
        award,
        achievement=Achievement.from_document(_object(before["achievement"])),
        issuer=Profile.from_document(_object(document["issuer"])),
        campus=campus,
        version=version,
        activity=activity,
        status=BitstringStatusListEntry.from_document(_object(document["credentialStatus"])),
        addresses=addresses,
        disclosed=disclosed,
        practice=practice,
    ).to_document()
    details = {
        name: value for name, value in _object(written["credentialSubject"]).items() if name in _DETAILS
    }
    subject = {name: value for name, value in before.items() if name not in _DETAILS} | details
    rest = {name: value for name, value in document.items() if name != "evidence"}
    evidence = {"evidence": written["evidence"]} if "evidence" in written else {}
    return {**rest, "credentialSubject": subject, **evidence}


_DETAILS = frozenset({"activityStartDate", "activityEndDate", "role", "result"})


def _grounds_sentence(award: Award, version: BadgeVersion) -> str:
    counted, rule = _("Comptées au journal : {lines}.").format(lines=award.grounds), rule_of(version.rule)
    return f"{_('Règle du badge : {rule}.').format(rule=rule_words(rule))} {counted}" if rule else counted


def _participation_sentence(
    award: Award, activity: Activity, shown: DisclosedContent, practice: Practice
) -> str:
    if shown is DisclosedContent.EXISTENCE:
        return _("Inscrite au journal d’activité du campus. La personne n’en montre que l’existence.")
    role = _("Rôle : ressource") if award.part == PartKind.RESOURCE else _("Rôle : apprenant")
    facts = [french(role) if current_locale() == "fr" else role]
    if award.hours:
        facts.append(_("{hours} h").format(hours=format_decimal(award.hours, locale=current_locale())))
    facts.append(_dates(activity.starts_on, activity.ends_on))
    if activity.place and shown is DisclosedContent.ALL:
        facts.append(activity.place)
    sentence = " ".join([", ".join(facts) + ".", *_practice_sentences(practice)])
    return f"{sentence} {award.contribution}".strip() if shown is DisclosedContent.ALL else sentence


def _practice_sentences(practice: Practice) -> list[str]:
    """Campuses, never people: those who supervise are in the log, and are not published."""
    found = []
    if practice.organisers:
        names = format_list(practice.organisers, locale=current_locale())
        found.append(_("Encadrement : {names}.").format(names=names))
    if practice.alignments:
        mark = " ; " if current_locale() == "fr" else "; "
        statements = mark.join(each.target_name for each in practice.alignments)
        found.append(_("Compétences pratiquées : {statements}.").format(statements=statements))
    return [french(each) if current_locale() == "fr" else each for each in found]


def _dates(first: date, last: date) -> str:
    if first == last:
        return _("le {day}").format(day=plain_day(first))
    return _("du {first} au {last}").format(first=plain_day(first), last=plain_day(last))


def _start_of(day: date, campus: Campus) -> datetime:
    """The first second that falls on this day both in the campus's time zone and in UTC.

    An activity has days but no hours. A wallet that shows the text, and one that converts it to UTC, both
    show that day.
    """
    here, in_utc = (
        datetime.combine(day, time(), ZoneInfo(campus.time_zone)),
        datetime.combine(day, time(), UTC),
    )
    return _with_offset(max(here, in_utc), campus)


def _end_of(day: date, campus: Campus) -> datetime:
    """The last second that falls on this day both in the campus's time zone and in UTC."""
    last = time(23, 59, 59)
    here, in_utc = datetime.combine(day, last, ZoneInfo(campus.time_zone)), datetime.combine(day, last, UTC)
    return _with_offset(min(here, in_utc), campus)


def _with_offset(moment: datetime, campus: Campus) -> datetime:
    return written_moment(moment.astimezone(ZoneInfo(campus.time_zone)).isoformat(timespec="seconds"))


def is_dated_in_utc(document: JsonObject, time_zone: str) -> bool:
    """Whether the activity's days are campus midnights written in UTC, as they were until December 2026."""
    subject = document.get("credentialSubject")
    written = subject.get("activityStartDate") if isinstance(subject, dict) else None
    if not isinstance(written, str) or not written.endswith("Z"):
        return False
    try:
        here = parse_timestamp(written).astimezone(ZoneInfo(time_zone))
    except (MalformedInput, OverflowError):
        return False
    return here.time() == time()


def hash_of_address(address: str) -> str:
    """`salt$digest`, as in Open Badges 2.0: hashes the lower-case address followed by the salt."""
    salt = secrets.token_hex(16)
    return f"{salt}${hashlib.sha256((normal_address(address) + salt).encode()).hexdigest()}"


def hashed_recipient(kept: str) -> dict[str, JsonValue]:
    salt, _, digest = kept.partition("$")
    return {"type": "email", "hashed": True, "salt": salt, "identity": f"sha256${digest}"}
