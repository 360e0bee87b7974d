"""Status lists: places reserved when awards are signed, bits raised on withdrawal, lists signed for the world."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.credentials.json_text import JsonObject, dump_json
from app.credentials.proofs.data_integrity import add_proof
from app.credentials.proofs.vc_jwt import sign_jwt
from app.credentials.status_list import StatusList as Bits
from app.credentials.status_list import status_entry, status_list_credential
from app.db.campus import CampusStore
from app.db.status import Place, StatusStore
from app.domain.addresses import Addresses
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.status import LIST_LIFE, LIST_TTL, SignedList, StatusList, has_room, signed_form
from app.services.signing import Signing


@dataclass(frozen=True)
class Places:
    """The place of each award in a status list."""

    by_award: Mapping[uuid.UUID, Place]
    addresses: Addresses

    def only(self, award_ids: Collection[uuid.UUID]) -> Places:
        return Places({award_id: self.by_award[award_id] for award_id in award_ids}, self.addresses)

    def entry_of(self, award_id: uuid.UUID) -> JsonObject:
        """The status entry of the award's credential."""
        place = self.by_award[award_id]
        return status_entry(self.addresses.status_list(place.list_id), place.position)


class StatusService:
    def __init__(
        self,
        status: StatusStore,
        campuses: CampusStore,
        signing: Signing,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.status = status
        self.campuses = campuses
        self.signing = signing
        self.addresses = addresses
        self.clock = clock

    def reserve(self, campus: Campus, award_ids: Sequence[uuid.UUID], *, at: datetime) -> Places:
        """A random free place for each award, in the campus's open list or in a new one (D-012, K-002)."""
        places: dict[uuid.UUID, Place] = {}
        waiting = list(award_ids)
        while waiting:
            status_list = self._open_list(campus, at=at)
            count = min(len(waiting), status_list.size // 2 - status_list.used)
            for position in self._free_places(status_list, count):
                places[waiting.pop()] = Place(status_list.id, position)
            status_list.used += count
            if not has_room(status_list):
                status_list.closed_at = at
            self.status.add(status_list)
        return Places(places, self.addresses)

    def _free_places(self, status_list: StatusList, count: int) -> set[int]:
        """Drawn at random until that many are nobody's: in a list at most half full, a few draws."""
        drawn: set[int] = set()
        while len(drawn) < count:
            more = {secrets.randbelow(status_list.size) for _ in range(count - len(drawn))} - drawn
            drawn |= more - self.status.taken(status_list.id, more)
        return drawn

    def keep(self, places: Places) -> None:
        """Write the places, once the awards they belong to are written."""
        self.status.add_slots(places.by_award)

    def _open_list(self, campus: Campus, *, at: datetime) -> StatusList:
        status_list = self.status.lock_open(campus.id)
        if status_list is None:
            status_list = StatusList(campus_id=campus.id, created_at=at)
            self.status.add(status_list)
            self._sign(campus, status_list, at=at)
        return status_list

    def raise_for(self, campus: Campus, award_ids: Sequence[uuid.UUID], *, at: datetime) -> None:
        """These awards no longer count: raise their bits and sign the lists anew, in the same transaction."""
        slots = self.status.slots_of(award_ids)
        for list_id in sorted({slot.list_id for slot in slots}):
            status_list = self.status.lock(list_id)
            self.status.raise_slots([slot for slot in slots if slot.list_id == list_id], at=at)
            self._sign(campus, status_list, at=at)

    def sign_all(self, campus: Campus, *, at: datetime) -> None:
        """Every list of the campus anew, with the key that is in service now."""
        for list_id in self.status.ids_of(campus.id):
            self._sign(campus, self.status.lock(list_id), at=at)

    def published(self, list_id: uuid.UUID) -> SignedList:
        """The signed list as it lies."""
        return signed_form(self.status.get(list_id))

    def refresh(self, list_id: uuid.UUID) -> SignedList:
        """The signed list, signed again first when half its life has passed."""
        status_list = self.status.get(list_id)
        if signed_form(status_list).is_due(at=self.clock()):
            status_list = self.status.lock(list_id)
            self._sign(self.campuses.get_by_id(status_list.campus_id), status_list, at=self.clock())
        return signed_form(status_list)

    def final_edition(self, list_id: uuid.UUID) -> SignedList:
        """Signed without an end, for a campus whose service stops; kept nowhere.

        Whoever holds it can show it for ever: what is withdrawn later is not in it.
        """
        status_list, at = self.status.get(list_id), self.clock()
        campus = self.campuses.get_by_id(status_list.campus_id)
        return self._signed(campus, status_list, at=at, until=None)

    def _sign(self, campus: Campus, status_list: StatusList, *, at: datetime) -> None:
        signed = self._signed(campus, status_list, at=at, until=at + LIST_LIFE)
        status_list.published = signed.embedded
        status_list.token = signed.token
        status_list.published_at = at
        self.status.add(status_list)

    def _signed(
        self, campus: Campus, status_list: StatusList, *, at: datetime, until: datetime | None
    ) -> SignedList:
        bits = Bits(status_list.size)
        for position in self.status.raised(status_list.id):
            bits.set(position)
        document = status_list_credential(
            self.addresses.status_list(status_list.id),
            issuer=campus.did,
            status_list=bits,
            purpose="revocation",
            valid_from=at,
            valid_until=until,
            ttl=LIST_TTL,
        )
        signers = self.signing.signers_of(campus)
        embedded = dump_json(add_proof(document, signer=signers.embedded, created=at))
        return SignedList(embedded, sign_jwt(document, signer=signers.jwt, kind="vc+jwt"), at)
