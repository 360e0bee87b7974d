"""People as a campus's own system names them: created, corrected, or recognised."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.db.campus.directory import DirectoryStore
from app.db.people import PeopleStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import LineRefused, NamedKind, Receipt, UpsertOutcome
from app.domain.core import Clock
from app.domain.people import Person, is_address, name_key, read_name
from app.domain.people.parental_consent import ALREADY_KNOWN
from app.errors import InvalidInput, NotFound
from app.language import N_
from app.services.people.corrections import CorrectionService
from app.services.people.external_ids import ExternalIds
from app.services.people.name_disambiguation import Namesakes
from app.services.people.names import AgeBands


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
    directory: DirectoryStore
    namesakes: Namesakes
    corrections: CorrectionService
    age_bands: AgeBands
    external_ids: ExternalIds
    clock: Clock

    def upsert_all(self, campus: Campus, lines: Sequence[PersonLine], *, by: Actor) -> list[Receipt]:
        return self.external_ids.receipts(
            lines, lambda line: line.external_id, lambda line: self.upsert(campus, line, by=by)
        )

    def upsert(self, campus: Campus, line: PersonLine, *, by: Actor) -> Receipt:
        """Idempotent. An address that its person proved is never replaced, nor the name of who has an account."""
        given, family = read_name(line.given_name, line.family_name)
        if line.address and not is_address(line.address):
            raise InvalidInput(N_("Cette adresse e-mail n’est pas valable."))
        known = self.external_ids.find(campus, NamedKind.PERSON, line.external_id)
        person = self.people.get(known) if known else self._recognised(campus, line, given, family)
        if person is None:
            new = Person(given_name=given, family_name=family, created_at=self.clock())
            person = self.people.get_or_add(new, line.address)
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

    def _recognised(self, campus: Campus, line: PersonLine, given: str, family: str) -> Person | None:
        """The person of that name at that address, or whom the answer means; None for a new person."""
        if line.address:
            found = self.people.find_named_at(line.address, name_key(given, family))
            if found is not None:
                return found
        asked = self.namesakes.known_beside(campus, None, [(given, family, line.address)], at_address=True)
        candidates = asked.get(0, ())
        if not candidates or line.same_person is False:
            return None
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
            raise NotFound(N_("Cette personne n’existe pas ici."))
        return person
