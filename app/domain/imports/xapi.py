"""xAPI statements (IEEE 9274.1.1) in our narrow profile: who attended, completed or contributed to what."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.activities import ActivityKind, PartKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.core import as_stored
from app.domain.imports.imports import MOST_AT_THE_API, ActivityRecord, Record, fault_in, quoted
from app.domain.imports.lists.model import Column
from app.domain.imports.lists.vocabulary.names import order_of, split_name
from app.domain.people import check_name, normal_address
from app.errors import InvalidInput
from app.language import N_

VERSION: Final = "1.0.3"
ATTENDED: Final = "http://adlnet.gov/expapi/verbs/attended"
COMPLETED: Final = "http://adlnet.gov/expapi/verbs/completed"
CONTRIBUTED: Final = "urn:sceau:xapi:verbs:contributed"
"""Our own: ADL's vocabulary has no such verb."""
VOIDED: Final = "http://adlnet.gov/expapi/verbs/voided"
VERBS: Final[Mapping[str, PartKind]] = {
    ATTENDED: PartKind.LEARNER,
    COMPLETED: PartKind.LEARNER,
    CONTRIBUTED: PartKind.RESOURCE,
}
"""What each verb becomes, at a campus that chose nothing else."""
COMMON_VERBS: Final = (
    ATTENDED,
    COMPLETED,
    CONTRIBUTED,
    "http://adlnet.gov/expapi/verbs/passed",
    "http://adlnet.gov/expapi/verbs/mastered",
    "http://adlnet.gov/expapi/verbs/experienced",
    "http://adlnet.gov/expapi/verbs/answered",
    "http://adlnet.gov/expapi/verbs/registered",
    "http://adlnet.gov/expapi/verbs/launched",
)
"""Those that learning platforms send most, for the page on which a campus chooses."""
MOST_VERBS: Final = 60
_LONGEST_VERB: Final = 300
KINDS: Final = {
    "http://adlnet.gov/expapi/activities/course": ActivityKind.COURSE,
    "http://adlnet.gov/expapi/activities/module": ActivityKind.COURSE,
    "http://adlnet.gov/expapi/activities/lesson": ActivityKind.COURSE,
    "http://adlnet.gov/expapi/activities/meeting": ActivityKind.EVENT,
    "http://activitystrea.ms/schema/1.0/event": ActivityKind.EVENT,
    **{f"urn:sceau:xapi:activities:{kind.value}": kind for kind in ActivityKind},
}
_PART = r"(\d{1,8}(?:[.,]\d{1,12})?)"
_DURATION = re.compile(
    rf"P(?:{_PART}W|(?:0+Y)?(?:0+M)?(?:{_PART}D)?(?:T(?:{_PART}H)?(?:{_PART}M)?(?:{_PART}S)?)?)", re.ASCII
)
_VERB = re.compile(r"[a-z][a-z0-9+.-]*:[\x21-\x7e]+", re.IGNORECASE)
_IDENTIFIER_MOST = 300
_UNREADABLE = N_("Ce fichier ne se lit pas : un tableau JSON d’énoncés xAPI est attendu.")
# Maximum recursion of the JSON reader, well below Python's own limit.
_DEEPEST = 60
_BRACKETS = re.compile(rb"[\[\]{}]")


def is_version_read(version: str) -> bool:
    """Any patch of 1.0 (xAPI 1.0.3, part 3, 3.3): of another version, statements may mean something else."""
    return re.fullmatch(r"1\.0(\.[0-9]{1,4})?", version) is not None


def check_verbs(verbs: Mapping[str, PartKind]) -> None:
    """Raises InvalidInput unless each is the IRI of a verb that may be mapped."""
    if len(verbs) > MOST_VERBS:
        raise InvalidInput("Un campus choisit {most} verbes au plus.", most=MOST_VERBS)
    for verb in verbs:
        if verb == VOIDED:
            raise InvalidInput("Ce verbe annule un énoncé : il ne se choisit pas.")
        if not _VERB.fullmatch(verb) or len(verb) > _LONGEST_VERB:
            raise InvalidInput("« {verb} » n’est pas l’adresse d’un verbe xAPI.", verb=quoted(verb[:100]))


def statements_in(data: bytes) -> list[Any]:
    """One statement, a list, or the response of a statement store: `{"statements": [...]}`."""
    if _depth(data) > _DEEPEST:
        raise InvalidInput(_UNREADABLE)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidInput(_UNREADABLE) from None
    if isinstance(found, dict):
        found = found["statements"] if isinstance(found.get("statements"), list) else [found]
    if not isinstance(found, list) or not found:
        raise InvalidInput(_UNREADABLE)
    if len(found) > MOST_AT_THE_API:
        raise InvalidInput("Ce fichier dépasse 1 000 énoncés. Découpez-le en plusieurs fichiers.")
    return found


def _depth(data: bytes) -> int:
    """Nesting depth of brackets, including those inside strings."""
    deepest = depth = 0
    for each in _BRACKETS.findall(data):
        if each in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif each in b"]}":
            depth -= 1
    return deepest


def read_statements(statements: Any, zone: str, verbs: Mapping[str, PartKind] = VERBS) -> list[Record]:
    """Each statement as a line, counted from 1. Days are those of the campus's own `zone`; `verbs` are those it
    imports."""
    listed = statements if isinstance(statements, list) else [statements]
    return _with_common_days(
        [_read(number, one, ZoneInfo(zone), verbs) for number, one in enumerate(listed, 1)]
    )


def _read(number: int, statement: Any, zone: ZoneInfo, verbs: Mapping[str, PartKind]) -> Record:
    try:
        return _record(number, statement, zone, verbs)
    except InvalidInput as error:
        statement_body = statement.get("id") if isinstance(statement, dict) else ""
        known = str(statement_body)[:_IDENTIFIER_MOST] if isinstance(statement_body, str) else ""
        return Record(number, known).refused(error.sentence, **error.values)


def _record(number: int, statement: Any, zone: ZoneInfo, verbs: Mapping[str, PartKind]) -> Record:
    statement_body = _object(statement, N_("Ce n’est pas un énoncé xAPI."))
    identifier = _statement_id(statement_body.get("id"))
    verb = _object(statement_body.get("verb"), N_("Cet énoncé n’a pas de verbe.")).get("id")
    target = _object(statement_body.get("object"), N_("Cet énoncé n’a pas d’objet."))
    if verb == VOIDED:
        if target.get("objectType") != "StatementRef":
            raise InvalidInput("Cette annulation ne dit pas quel énoncé elle annule.")
        return Record(number, _statement_id(target.get("id")), withdrawn=True)
    if not isinstance(verb, str) or verb not in verbs:
        raise InvalidInput("Le verbe « {verb} » n’est pas de notre profil.", verb=quoted(str(verb)))
    result = statement_body.get("result")
    result = result if isinstance(result, dict) else {}
    if verb == COMPLETED and result.get("completion") is False:
        raise InvalidInput("Cet énoncé dit « terminé » et « pas terminé » à la fois.")
    is_resource = verbs[verb] is PartKind.RESOURCE
    response = result.get("response") if is_resource else ""
    person = replace(
        _person(number, statement_body.get("actor")),
        hours=_hours(result.get("duration")),
        contribution=response.strip() if isinstance(response, str) else "",
    )
    part = PartKind.RESOURCE if is_resource else None
    activity = _activity(target, statement_body.get("timestamp"), zone)
    account = "" if person.address else _account(statement_body["actor"].get("account"))
    record = Record(number, identifier, activity, person, part, account=account)
    check_name(person.given_name, person.family_name)
    if fault := fault_in(record):
        raise InvalidInput(fault.sentence, **fault.values)
    return record


def _object(value: Any, otherwise: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(otherwise)
    return value


def _statement_id(value: Any) -> str:
    """Required: without its own identifier, a repeated statement could not be recognised."""
    try:
        return str(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput("Il manque l’identifiant de l’énoncé, un UUID.") from None


def _person(number: int, actor: Any) -> ListedPerson:
    statement_body = _object(actor, N_("Cet énoncé n’a pas d’acteur."))
    if statement_body.get("objectType", "Agent") != "Agent":
        raise InvalidInput("L’acteur est un groupe : un énoncé par personne est attendu.")
    name, mbox, account = (
        statement_body.get("name"),
        statement_body.get("mbox"),
        statement_body.get("account"),
    )
    if not (isinstance(mbox, str) and mbox.lower().startswith("mailto:")) and not isinstance(account, dict):
        raise InvalidInput("L’acteur n’est connu ni par « mbox » ni par « account ».")
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput("L’acteur n’a pas de nom : la plateforme doit envoyer « actor.name ».")
    order, _ = order_of(name)
    given, family, _ = split_name(name, order or Column.GIVEN_FIRST)
    address = normal_address(mbox[len("mailto:") :]) if isinstance(mbox, str) else ""
    return ListedPerson(number, given_name=given, family_name=family, address=address)


def _account(value: Any) -> str:
    """« https://cours.exemple.fr/ 4711 »"""
    value = value if isinstance(value, dict) else {}
    return " ".join(str(value.get(name, ""))[:_IDENTIFIER_MOST] for name in ("homePage", "name")).strip()


def _activity(target: Mapping[str, Any], timestamp: Any, zone: ZoneInfo) -> ActivityRecord:
    identifier = target.get("id")
    if target.get("objectType", "Activity") != "Activity" or not isinstance(identifier, str):
        raise InvalidInput("L’objet de cet énoncé n’est pas une activité.")
    definition = target.get("definition")
    definition = definition if isinstance(definition, dict) else {}
    kind = definition.get("type")
    if kind is not None and (not isinstance(kind, str) or kind not in KINDS):
        raise InvalidInput("Le type d’activité « {kind} » n’est pas de notre profil.", kind=quoted(str(kind)))
    day = _day(timestamp, zone)
    return ActivityRecord(identifier, _title(definition.get("name")), KINDS.get(str(kind)), day, hours=None)


def _title(names: Any) -> str:
    """In French if there is a French title."""
    if not isinstance(names, dict):
        return ""
    written = {str(language).lower(): name for language, name in names.items() if isinstance(name, str)}
    french = sorted(language for language in written if language.partition("-")[0] == "fr")
    chosen = next(iter((*french, *written)), None)
    return " ".join(as_stored(written[chosen]).split()) if chosen is not None else ""


def _day(timestamp: Any, zone: ZoneInfo) -> date:
    try:
        moment = datetime.fromisoformat(timestamp)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(zone).date()
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(
            "Il manque le moment de l’énoncé, avec son fuseau : 2026-11-25T14:00:00+01:00."
        ) from None


def _hours(duration: Any) -> float | None:
    """ISO 8601. Months and years have no fixed length, and are refused."""
    if duration is None:
        return None
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None or not any(found.groups()):
        raise InvalidInput(
            "« {word} » n’est pas une durée : PT2H30M est attendu.", word=quoted(str(duration))
        )
    weeks, days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
    return round(weeks * 168 + days * 24 + hours + minutes / 60 + seconds / 3600, 2)


def _with_common_days(records: Sequence[Record]) -> list[Record]:
    """Statements of several days may be about one activity: it lasts from the first day to the last."""
    days: dict[str, list[date]] = {}
    for record in records:
        if record.activity.starts_on is not None:
            days.setdefault(record.activity.external_id, []).append(record.activity.starts_on)
    return [
        replace(
            record,
            activity=replace(
                record.activity,
                starts_on=min(days[record.activity.external_id]),
                ends_on=max(days[record.activity.external_id]),
            ),
        )
        if record.activity.starts_on is not None
        else record
        for record in records
    ]
