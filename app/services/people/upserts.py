"""People as a campus's own system names them: created, corrected, or recognised."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from app.adapters.secrets import KeyVault
from app.db.campus import CampusStore
from app.db.campus.directory import DirectoryStore
from app.db.campus.integration import IntegrationStore
from app.db.people import PeopleStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    ANSWER_LIFE,
    NAMED_OTHERWISE,
    NAMES_ANOTHER,
    TWICE,
    ApiAnswer,
    ExternalId,
    ExternalIdTaken,
    LineRefused,
    NamedKind,
    Receipt,
    UpsertOutcome,
    check_external_id,
    check_same_answer,
    named_otherwise,
)
from app.domain.core import Clock
from app.domain.people import GONE_MEANWHILE, Person, is_address, is_gone, name_key, read_name
from app.domain.people.consents import ALREADY_KNOWN
from app.errors import AppError, Conflict, Gone, InvalidInput, NotFound
from app.services.activity_log import ActivityLog
from app.services.people.corrections import CorrectionService
from app.services.people.names import AgeBands
from app.services.people.record_merge import Namesakes

# --- Identifiers that a campus's own system gives to people, activities and awards

_Line = TypeVar("_Line")


@dataclass(frozen=True, eq=False)
class ExternalIds:
    integration: IntegrationStore
    people: PeopleStore
    log: ActivityLog
    clock: Clock

    def named(self, campus: Campus, kind: NamedKind, values: Collection[str]) -> dict[str, uuid.UUID]:
        return self.integration.named(campus.id, kind, [each for each in values if each])

    def find(self, campus: Campus, kind: NamedKind, value: str) -> uuid.UUID | None:
        return self.named(campus, kind, [value]).get(value)

    def names_of(
        self, campus: Campus, kind: NamedKind, ids: Collection[uuid.UUID]
    ) -> Mapping[uuid.UUID, Sequence[str]]:
        return self.integration.names_of(campus.id, kind, ids)

    def check_free(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID | None) -> None:
        """Raises unless the identifier may name this row, or a new one: no identifier replaces another by itself."""
        held = self.find(campus, kind, check_external_id(value))
        if held is not None and held != noun_id:
            raise ExternalIdTaken(NAMES_ANOTHER, value=value, id=str(held))
        known = self.names_of(campus, kind, [noun_id]).get(noun_id, ()) if noun_id else ()
        if other := named_otherwise(value, known):
            raise ExternalIdTaken(NAMED_OTHERWISE, value=value, known=other)

    @staticmethod
    def check_lines(values: Sequence[str]) -> None:
        """Of one request: each identifier once, and fit to be stored."""
        seen: set[str] = set()
        for value in filter(None, values):
            if check_external_id(value) in seen:
                raise ExternalIdTaken(TWICE, value=value)
            seen.add(value)

    def give(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID) -> None:
        """Idempotent."""
        self.check_free(campus, kind, value, noun_id)
        if self.find(campus, kind, value) is None:
            self.integration.save(self.row(campus, kind, value, noun_id))

    def replace(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID) -> None:
        """The only identifier of the row from now on; none where empty. A person is locked first, as in upserts."""
        if kind is NamedKind.PERSON and (
            not self.people.lock_all([noun_id]) or is_gone(self.people.get(noun_id))
        ):
            raise Conflict(GONE_MEANWHILE)
        if value:
            held = self.find(campus, kind, check_external_id(value))
            if held is not None and held != noun_id:
                raise ExternalIdTaken(NAMES_ANOTHER, value=value, id=str(held))
        self.integration.take(campus.id, kind, noun_id)
        if value:
            self.integration.save(self.row(campus, kind, value, noun_id))

    def row(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID) -> ExternalId:
        of = {f"{kind.value}_id": noun_id}
        return ExternalId(campus_id=campus.id, kind=kind, value=value, given_at=self.clock(), **of)

    def receipts(
        self,
        lines: Sequence[_Line],
        external_id: Callable[[_Line], str],
        upsert: Callable[[_Line], Receipt],
    ) -> list[Receipt]:
        """One after the other; a refused line changes nothing, and none of the others."""
        found, seen = list[Receipt](), set[str]()
        for number, line in enumerate(lines, 1):
            value = external_id(line)
            try:
                with self.log.savepoint():
                    if value in seen:
                        raise ExternalIdTaken(TWICE, value=value)
                    receipt = upsert(line)
                seen.add(value)
            except AppError as error:
                receipt = Receipt(0, value, UpsertOutcome.REFUSED, fault=error)
            found.append(replace(receipt, line=number))
        return found


# --- upserts


@dataclass(frozen=True)
class PersonLine:
    """`same_person`: the answer where the campus knows the name at another address, or the address under another
    name."""

    external_id: str
    given_name: str
    family_name: str
    address: str = ""
    under_15: bool | None = None
    same_person: bool | None = None


@dataclass(frozen=True, eq=False)
class PeopleUpserts:
    people: PeopleStore
    campuses: CampusStore
    directory: DirectoryStore
    namesakes: Namesakes
    corrections: CorrectionService
    age_bands: AgeBands
    external_ids: ExternalIds
    clock: Clock

    def upsert_all(self, campus: Campus, lines: Sequence[PersonLine], *, by: Actor) -> list[Receipt]:
        self.campuses.lock(campus.id)  # a correction asks for it, and people are locked after it
        named = self.external_ids.named(campus, NamedKind.PERSON, [line.external_id for line in lines])
        self.age_bands.lock(self.people.list_by_id(named.values()))
        return self.external_ids.receipts(
            lines, lambda line: line.external_id, lambda line: self._upsert(campus, line, by)
        )

    def upsert(self, campus: Campus, line: PersonLine, *, by: Actor) -> Receipt:
        self.campuses.lock(campus.id)  # of two equal requests at once, one creates
        return self._upsert(campus, line, by)

    def _upsert(self, campus: Campus, line: PersonLine, by: Actor) -> Receipt:
        """Idempotent. An address that its person proved is never replaced, nor the name of who has an account."""
        given, family = read_name(line.given_name, line.family_name)
        if line.address and not is_address(line.address):
            raise InvalidInput("Cette adresse e-mail n’est pas valable.")
        known = self.external_ids.find(campus, NamedKind.PERSON, line.external_id)
        person = self.people.get(known) if known else self._recognised(campus, line, given, family)
        if person is None:
            new = Person(given_name=given, family_name=family, created_at=self.clock())
            person = self.people.get_or_add(new, line.address)
            outcome, changes = UpsertOutcome.CREATED, list[str]()
        elif known is None and not self._is_here(campus, person):
            outcome, changes = UpsertOutcome.CREATED, list[str]()
        else:
            self.external_ids.check_free(campus, NamedKind.PERSON, line.external_id, person.id)
            changes = self._corrected(campus, person, given, family, line.address, by) if known else []
            outcome = UpsertOutcome.CHANGED if changes else UpsertOutcome.SAME
        self.external_ids.give(campus, NamedKind.PERSON, line.external_id, person.id)
        if known is None and outcome is UpsertOutcome.SAME:
            outcome, changes = UpsertOutcome.CHANGED, ["external_id"]
        before = person.under_15_on
        self.age_bands.note(person, line.under_15, by=by, campus_id=campus.id)
        if person.under_15_on != before and outcome is not UpsertOutcome.CREATED:
            outcome, changes = UpsertOutcome.CHANGED, [*changes, "under_15"]
        return Receipt(0, line.external_id, outcome, person.id, changes)

    def _is_here(self, campus: Campus, person: Person) -> bool:
        return self.directory.find_person(campus.id, person.id) is not None

    def _recognised(self, campus: Campus, line: PersonLine, given: str, family: str) -> Person | None:
        """The person of that name at that address, or whom the answer means; None for a new person.

        Whom another campus alone knows is taken where a new person would be: the answers are the same.
        """
        found = self.people.find_named_at(line.address, name_key(given, family)) if line.address else None
        if found is not None and self._is_here(campus, found):
            return found
        asked = self.namesakes.known_beside(campus, None, [(given, family, line.address)], at_address=True)
        candidates = asked.get(0, ())
        if not candidates or line.same_person is False:
            return found
        if line.same_person and len(candidates) == 1:
            return candidates[0].person
        raise LineRefused(ALREADY_KNOWN, kind="several_of_name")

    def _corrected(
        self, campus: Campus, person: Person, given: str, family: str, address: str, by: Actor
    ) -> list[str]:
        current = self.people.addresses_of([person.id]).get(person.id, "")
        is_there = not address or address in self.people.all_addresses(person.id)
        changes = ["given_name"] if given != person.given_name else []
        changes += ["family_name"] if family != person.family_name else []
        changes += [] if is_there else ["address"]
        if changes:
            self.corrections.correct(
                campus, person.id, given, family, current if is_there else address, by=by
            )
        return changes

    def get(self, campus: Campus, person_id: uuid.UUID) -> Person:
        person = self.directory.find_person(campus.id, person_id)
        if person is None:
            raise NotFound("Cette personne n’existe pas ici.")
        return person


# --- Answers to programs under their idempotency keys: given again for a day, forgotten with an erased
# person


@dataclass(frozen=True, eq=False)
class ApiAnswers:
    """One effect and one answer for each idempotency key of a token, in the transaction of the effect."""

    integration: IntegrationStore
    vault: KeyVault
    clock: Clock

    def begin(self, campus: Campus, token: str, key: str, request_digest: str) -> ApiAnswer:
        """`status` is 0 where the request is still to be done; else the answer stands."""
        at = self.clock()
        fresh: dict[str, Any] = {
            "request_digest": request_digest,
            "expires_at": at + ANSWER_LIFE,
            "status": 0,
            "sealed": b"",
        }
        digest = hashlib.sha256(key.encode()).hexdigest()
        answer = self.integration.claim_answer(
            ApiAnswer(campus_id=campus.id, token=token, key_digest=digest, **fresh)
        )
        if answer.expires_at <= at:
            answer.sqlmodel_update(fresh)
        check_same_answer(answer, request_digest)
        return answer

    def finish(self, answer: ApiAnswer, status: int, body: bytes) -> None:
        answer.status, answer.sealed = status, self.vault.seal_bytes(body, _bound_to(answer))
        self.integration.save(answer)

    def forget_person(
        self, person: Person, addresses: Collection[str], campus_ids: Collection[uuid.UUID]
    ) -> None:
        """Empties the answers that name an erased person; their requests are not done again."""
        names = set(name_key(person.given_name, person.family_name).split())
        marks = {str(person.id), *filter(None, addresses)}
        for answer in self.integration.answers_of(campus_ids):
            text = json.dumps(json.loads(self.open(answer)), ensure_ascii=False)
            words = {part for word in set(text.split()) for part in name_key("", word).split()}
            if any(mark in text.lower() for mark in marks) or (names and names <= words):
                self.integration.empty_answer(answer)

    def open(self, answer: ApiAnswer) -> bytes:
        if not answer.sealed:
            raise Gone(
                "Cette demande a été exécutée. Sa réponse a été effacée avec les données d’une personne :"
                " lisez l’état actuel."
            )
        return self.vault.open_bytes(answer.sealed, _bound_to(answer))


def _bound_to(answer: ApiAnswer) -> bytes:
    return f"answer|{answer.campus_id}|{answer.token}|{answer.key_digest}".encode()
