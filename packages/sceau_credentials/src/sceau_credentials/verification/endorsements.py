"""Endorsements inside a badge: each verified and reported on its own, bound to its subject (C-009 to C-013)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.model import EndorsementCredential
from sceau_credentials.values.json_text import JsonObject, JsonValue, pointer_to
from sceau_credentials.verification.checks import issuer_of
from sceau_credentials.verification.findings import Reason, found
from sceau_credentials.verification.report import CheckResult, EndorsementAnswer, Outcome
from sceau_credentials.verification.secured import Secured, secured_from_text

MOST: Final = 10  # T49: each may cost a key document and a signature
HOLDS: Final = "endorsement_holds"
ENDORSES_ANOTHER: Final = "endorses_another"
TOO_MANY: Final = "too_many_endorsements"
_LONGEST_COMMENT: Final = 4000

Ask = Callable[[Secured], Sequence[CheckResult]]
"""Runs the checks of a credential on an endorsement: signature, key, period, status."""


@dataclass(frozen=True)
class _Place:
    """An endorsement as found, and the object that contains it."""

    pointer: str
    about: str | None
    written: JsonValue


def endorsements_in(document: JsonObject, ask: Ask) -> tuple[EndorsementAnswer, ...]:
    """One result for each endorsement of the credential, its achievement and its profiles.

    None of them affects the verdict on the badge (C-013).
    """
    answers = []
    for count, place in enumerate(_places(document)):
        if count == MOST:
            answers.append(_answer(place, None, Outcome.UNKNOWN, TOO_MANY))
            break
        answers.append(_judged(place, ask))
    return tuple(answers)


def judge_endorsement(secured: Secured, about: str | None, ask: Ask) -> EndorsementAnswer:
    """A single endorsement; `about` is the subject it must endorse, None for any."""
    place = _Place("", about, None)
    against = _first_against((_shape(secured.document), *ask(secured)))
    if against is not None:
        return _answer(place, secured.document, against.outcome, against.reason)
    if about is not None and _subject(secured.document).get("id") != about:  # C-012
        return _answer(place, secured.document, Outcome.FAILED, ENDORSES_ANOTHER)
    return _answer(place, secured.document, Outcome.PASSED, HOLDS)


def _judged(place: _Place, ask: Ask) -> EndorsementAnswer:
    try:
        secured = _secured(place.written)
    except MalformedInput:
        is_token = isinstance(place.written, str)
        reason = Reason.MALFORMED_JWT if is_token else Reason.MALFORMED_JSON
        return _answer(place, None, Outcome.FAILED, reason.value)
    answer = judge_endorsement(secured, place.about or "", ask)
    return _answer(place, secured.document, answer.outcome, answer.reason)


def _secured(written: JsonValue) -> Secured:
    if isinstance(written, str):
        return secured_from_text(written)
    if not isinstance(written, dict):
        raise MalformedInput("not_an_object")
    unsigned = {name: value for name, value in written.items() if name != "proof"}
    return Secured("data_integrity", written, unsigned)


def _places(document: JsonObject) -> Iterator[_Place]:
    subject = _object(document.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    endorsed = (
        (document, ()),
        (achievement, ("credentialSubject", "achievement")),
        *_organisations(document.get("issuer"), "issuer"),
        *_organisations(achievement.get("creator"), "credentialSubject", "achievement", "creator"),
        *_organisations(subject.get("source"), "credentialSubject", "source"),
    )
    for thing, path in endorsed:
        about = thing.get("id")
        for member in ("endorsement", "endorsementJwt"):
            for index, written in enumerate(_listed(thing.get(member))):
                pointer = pointer_to(*path, member, index)
                yield _Place(pointer, about if isinstance(about, str) else None, written)


def _organisations(profile: JsonValue, *path: str) -> Iterator[tuple[JsonObject, tuple[str, ...]]]:
    """A profile, the organisation it is part of, and so on upwards."""
    while isinstance(profile, dict):
        yield profile, path
        profile, path = profile.get("parentOrg"), (*path, "parentOrg")


def _shape(document: JsonObject) -> CheckResult:
    try:
        EndorsementCredential.from_document(document)
    except MalformedInput:
        return found(Reason.SCHEMA_VIOLATION)
    return found(Reason.SCHEMA_CONFORMS)


def _first_against(answers: Sequence[CheckResult]) -> CheckResult | None:
    """A failed check first, then an undetermined one, then a skipped one."""
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN, Outcome.SKIPPED):
        for answer in answers:
            # The reason why the key was unavailable is more specific.
            if answer.outcome is outcome and not answer.void and answer.reason != Reason.KEY_NOT_AT_HAND:
                return answer
    return None


def _answer(place: _Place, document: JsonObject | None, outcome: Outcome, reason: str) -> EndorsementAnswer:
    """Issuer and comment are reported only where it holds: unsigned text is not an endorsement."""
    told = document if document is not None and outcome is Outcome.PASSED else {}
    comment = _subject(told).get("endorsementComment")
    return EndorsementAnswer(
        pointer=place.pointer,
        about=place.about or str(_subject(told).get("id", "")),
        issuer=issuer_of(document) if document is not None else None,
        comment=comment[:_LONGEST_COMMENT] if isinstance(comment, str) else "",
        outcome=outcome,
        reason=reason,
    )


def _subject(document: JsonObject) -> JsonObject:
    return _object(document.get("credentialSubject"))


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [] if value is None else [value]
