"""Labels that networks grant as separate credentials, and the trust lists of external networks."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import structlog

from app.adapters.secrets import KeyVault
from app.db.campus import CampusStore, HistoryStore
from app.db.trust import RecognitionStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import (
    Label,
    LabelCategory,
    LabelState,
    Network,
    check_label_dates,
    end_key,
    label_state,
)
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock
from app.domain.publishing import LABEL_LIST_TTL, LIST_LIFE, Addresses, ServiceDocuments
from app.domain.trust import (
    ANNOUNCED_FOR,
    FOLLOWED_EVERY,
    FollowedList,
    NetworkKey,
    Recognition,
    label_credential_of,
    label_period,
)
from app.domain.trust.organisations import LIST_SIZE
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from app.services.publishing import Published
from app.services.publishing.status import KeyOwner, Signers
from sceau_credentials.dids import PublishedKey, did_document, did_web
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.issuing import issue_endorsement, signed_with
from sceau_credentials.keys import Signer, VerificationKey
from sceau_credentials.model import BitstringStatusListEntry
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import StatusList as Bits
from sceau_credentials.status_list import status_entry, status_list_credential
from sceau_credentials.trust import PinnedNetwork, Standing, TrustList, TrustListRefused, read_trust_list
from sceau_credentials.values import DocumentSource, JsonObject, dump_json
from sceau_credentials.verification.report import EndorsementAnswer
from sceau_credentials.verification.run_checks import verify_endorsement

# --- Trust lists of external networks: verified with a pinned key, read hourly, never rolled back


logger = structlog.get_logger(__name__)
_ACCEPT: Final = "application/vc+ld+json, application/vc, application/json"
_ADDRESS: Final = re.compile(r"https?://[!-~]{4,590}")

FOLLOWING_TROUBLES: Final = {
    "other_network": N_("elle est d’un autre réseau qu’avant."),
    "not_signed_by_the_network": N_("elle n’est pas signée par la clé confiée pour ce réseau."),
    "older_than_known": N_("elle est plus ancienne que l’édition déjà lue."),
    "from_the_future": N_("elle est datée d’un moment à venir."),
    "too_large": N_("elle est trop grande."),
    "too_many": N_("elle nomme trop de campus."),
    "named_twice": N_("elle nomme deux fois le même campus."),
    "malformed": N_("ce n’est pas une liste de campus reconnus."),
}
"""Why a list was rejected, by reason; any other reason is a transport error."""


@dataclass(frozen=True)
class Fetched:
    """Result of one read: a list with its bytes, or an error code."""

    listed: TrustList | None
    body: bytes = b""
    trouble: str = ""


@dataclass(frozen=True, eq=False)
class FollowedLists:
    store: RecognitionStore
    history: HistoryStore
    documents: DocumentSource
    anchors: TrustAnchors
    clock: Clock

    def list_all(self) -> Sequence[FollowedList]:
        return self.store.followed()

    def follow(self, url: str, key: str, *, by: Actor) -> FollowedList:
        """`key` must come from the network out of band; the worker reads the list immediately."""
        if not _ADDRESS.fullmatch(url):
            raise InvalidInput("L’adresse de la liste commence par « https:// ».")
        pinned = _key(key)
        if self.store.find_followed(url) is not None:
            raise Conflict("Cette liste est déjà suivie. Cessez d’abord de la suivre pour changer sa clé.")
        row = FollowedList(url=url, key=pinned.to_multikey(), added_at=self.clock())
        self.store.add(row)
        self.history.write(by, "follow", "followed_list", row.id, at=self.clock())
        return row

    def unfollow(self, url: str, *, by: Actor) -> None:
        row = self.store.find_followed(url)
        if row is None:
            raise NotFound("Cette liste n’est pas suivie.")
        self.store.remove(row)
        self.history.write(by, "unfollow", "followed_list", row.id, at=self.clock())

    def due(self) -> Sequence[uuid.UUID]:
        return self.store.followed_due(tried_before=self.clock() - FOLLOWED_EVERY)

    def fetch(self, list_id: uuid.UUID) -> Fetched:
        """Request the external service; use a transaction that blocks nothing."""
        row = self.store.followed_by_id(list_id)
        pinned = PinnedNetwork(_key(row.key), row.issuer)
        try:
            body = self.documents.fetch(row.url, accept=_ACCEPT).body
            known = max(row.sequence, self.anchors.edition(_followed(row))[0])
            listed = read_trust_list(body, pinned, at=self.clock(), not_below=known)
        except DocumentUnavailable as error:
            return Fetched(None, trouble=error.reason[:60])
        except TrustListRefused as error:
            logger.warning("a followed list was refused", url=row.url, reason=error.reason)
            return Fetched(None, trouble=error.reason)
        note_edition(self.anchors, _followed(row), listed.sequence)
        return Fetched(listed, body)

    def note(self, list_id: uuid.UUID, fetched: Fetched) -> None:
        """Store a newer edition; after a failed read the known edition stays and the fault is reported."""
        row, at = self.store.followed_by_id(list_id), self.clock()
        row.tried_at, row.trouble = at, fetched.trouble
        listed = fetched.listed
        if listed is not None and listed.sequence >= row.sequence:
            row.issuer, row.name, row.sequence = listed.issuer, listed.name, listed.sequence
            row.body, row.valid_until, row.read_at = fetched.body, listed.valid_until, at
            if listed.key not in ("", row.key) and self._is_signed_by(listed.key, fetched.body):
                # The pinned key signed this list, which names the next key.
                logger.warning("a followed network has another key", url=row.url, before=row.key)
                row.key = listed.key
        self.store.add(row)

    def _is_signed_by(self, key: str, body: bytes) -> bool:
        try:
            read_trust_list(body, PinnedNetwork(_key(key)), at=self.clock())
        except TrustListRefused:
            return False
        return True


def _followed(row: FollowedList) -> str:
    return f"followed {row.id}"


def _key(written: str) -> VerificationKey:
    try:
        return VerificationKey.from_multikey(written.strip())
    except CredentialError as error:
        raise InvalidInput(
            "Ce n’est pas une clé de réseau : elle commence par « z6Mk » et sa page la donne."
        ) from error


class TrustAnchors(Protocol):
    """What networks published last, stored apart from the database and its backups: the ever-revoked positions
    of a list, and the highest edition of a numbered document."""

    def withdrawn(self, url: str) -> frozenset[int]: ...

    def advance_withdrawn(self, url: str, positions: frozenset[int]) -> None: ...

    def edition(self, name: str) -> tuple[int, bytes]: ...

    def advance_edition(self, name: str, number: int, body: bytes = b"") -> None: ...


def next_edition(anchors: TrustAnchors, name: str, newest: int) -> int:
    """After the newest in the database and the highest ever given, and noted: no number is given twice."""
    number = max(newest, anchors.edition(name)[0]) + 1
    note_edition(anchors, name, number)
    return number


def note_edition(anchors: TrustAnchors, name: str, number: int, body: bytes = b"") -> None:
    if anchors.edition(name)[0] < number:
        try:
            anchors.advance_edition(name, number, body)
        except OSError as error:
            logger.error("anchor not moved", kind=type(error).__name__, edition=name)


def trust_anchors(anchors: TrustAnchors, url: str, raised: Iterable[int]) -> frozenset[int]:
    """Union of the revoked positions in the database and in the anchor; stored in the anchor."""
    known, stored = anchors.withdrawn(url), frozenset(raised)
    if stored - known:
        try:
            anchors.advance_withdrawn(url, stored)
        except OSError as error:
            logger.error("anchor not moved", kind=type(error).__name__, list=url)
    return known | stored


def signed_list(
    anchors: TrustAnchors,
    url: str,
    *,
    issuer: str,
    raised: Iterable[int],
    signers: Signers,
    at: datetime,
    form: str = "json",
    final: bool = False,
) -> Published:
    """Signed when read, identical for five minutes unless something is revoked meanwhile.

    Revocations persist even after a restore of an older database copy.
    `final`: without expiry, for a service that shuts down; later revocations are not in it.
    """
    at = _beginning_of(at, LABEL_LIST_TTL)
    bits = Bits(LIST_SIZE)
    for position in trust_anchors(anchors, url, raised):
        bits.set(position)
    document = status_list_credential(
        url,
        issuer=issuer,
        status_list=bits,
        purpose="revocation",
        valid_from=at,
        valid_until=None if final else at + LIST_LIFE,
        ttl=LABEL_LIST_TTL,
    )
    if form == "jwt":
        token = sign_jwt(document, signer=signers.jwt, kind="vc+jwt")
        return Published.of(token.encode(), "application/vc+jwt")
    return Published.of(dump_json(add_proof(document, signer=signers.embedded, created=at)), "application/vc")


def free_place(is_taken: Callable[[int], bool]) -> int:
    """A random free slot, which does not reveal how many are used."""
    position = secrets.randbelow(LIST_SIZE)
    while is_taken(position):
        position = secrets.randbelow(LIST_SIZE)
    return position


def entry_at(url: str, position: int) -> BitstringStatusListEntry:
    return BitstringStatusListEntry.from_document(status_entry(url, position))


def _beginning_of(at: datetime, period: timedelta) -> datetime:
    seconds = int(period.total_seconds())
    return at - timedelta(seconds=int(at.timestamp()) % seconds)


# --- Labels as separate credentials: signed by the granting network, published, verified like any other


_PURPOSE = "network"


@dataclass(frozen=True, eq=False)
class NetworkSigning:
    store: RecognitionStore
    vault: KeyVault
    addresses: Addresses

    def did_of(self, network: Network) -> str:
        key = next(iter(self.store.keys_of(network.id)), None)
        return key.did if key else did_web(self.addresses.base_url, "reseau", network.slug)

    def signers_of(self, network: Network, *, at: datetime) -> Signers:
        row = self.store.key_of(network.id) or self._make_key(network, at=at)
        return self._owner(network).signers(self.vault, row)

    def rewrap(self) -> int:
        """How many keys of networks were sealed under another key-encryption key."""
        return sum(
            self._owner(network).rewrap(self.vault, row)
            for network in self.store.networks()
            for row in self.store.keys_of(network.id)
        )

    def leaving_signer_of(self, network: Network, *, at: datetime) -> Signer | None:
        """The recently replaced key: it cosigns the list, for consumers that only know that key."""
        row = self.store.leaving_key_of(network.id, retired_after=at - ANNOUNCED_FOR)
        return self._owner(network).signers(self.vault, row).embedded if row else None

    def keys_of(self, network: Network) -> Sequence[NetworkKey]:
        return self.store.keys_of(network.id)

    def end(self, network: Network, row: NetworkKey, *, since: datetime | None, at: datetime) -> None:
        """The next key enters service immediately if this one was in service."""
        was_in_service = row.retired_at is None
        end_key(row, since=since, at=at)
        self.store.add(row)
        if was_in_service:
            self._make_key(network, at=at)

    def public_key_of(self, network: Network) -> VerificationKey | None:
        row = self.store.key_of(network.id)
        return VerificationKey.from_jwk(row.public_jwk) if row else None

    def document_of(self, network: Network) -> JsonObject:
        """The DID document: without keys until the network signs something."""
        keys = [
            PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk), revoked_at=row.revoked_at)
            for row in self.store.keys_of(network.id)
        ]
        return did_document(self.did_of(network), keys, also_known_as=(self.addresses.network(network.slug),))

    def _make_key(self, network: Network, *, at: datetime) -> NetworkKey:
        row = NetworkKey(network_id=network.id, created_at=at, **self._owner(network).sealed_anew(self.vault))
        self.store.add(row)
        return row

    def _owner(self, network: Network) -> KeyOwner:
        return KeyOwner(network.id, self.did_of(network), _PURPOSE)


@dataclass(frozen=True)
class CheckedLabel:
    """A label, its holder, and the current verification result; `answer` is None if it was never signed."""

    label: Label
    network: Network
    campus_name: str
    state: LabelState
    answer: EndorsementAnswer | None
    is_suspended: bool = False
    """The network suspended its recognition of the campus, and so its labels."""


@dataclass(frozen=True, eq=False)
class LabelService:
    store: RecognitionStore
    campuses: CampusStore
    signing: NetworkSigning
    history: HistoryStore
    addresses: Addresses
    documents: ServiceDocuments
    clock: Clock

    def give(
        self,
        network: Network,
        entry: Recognition,
        category: LabelCategory,
        *,
        starts_on: date | None,
        ends_on: date | None,
        note: str,
        by: Actor,
    ) -> Label:
        """Record and sign; an expired label is only recorded."""
        label = Label(
            issuer=entry.issuer,
            network_id=network.id,
            category=category,
            starts_on=starts_on,
            ends_on=ends_on,
            note=note,
        )
        check_label_dates(label)
        self.sign(label, entry.name, network)
        self.store.add(label)
        self._note("label", label, by)
        return label

    def sign(self, label: Label, campus_name: str, network: Network) -> None:
        """Expired labels are left unchanged."""
        at = self.clock()
        _, until = label_period(label)
        if until is not None and until <= at:
            return
        signers = self.signing.signers_of(network, at=at)
        did = self.signing.did_of(network)
        first_signed = label.signed_at or at
        credential = label_credential_of(
            label,
            campus_name,
            network,
            did,
            self.addresses,
            status=self._place_of(label, network),
            at=first_signed,
        )
        signed = issue_endorsement(
            credential,
            signer=signers.embedded,
            jwt_signer=signers.jwt,
            at=at,
            in_force_at=max(at, credential.valid_from),
        )
        label.embedded, label.signed_at = signed.embedded, first_signed

    def _place_of(self, label: Label, network: Network) -> BitstringStatusListEntry:
        """Permanent slot: every copy can detect that the network withdrew the label."""
        if label.position is None:
            label.position = free_place(lambda place: self.store.is_taken(network.id, place))
        return entry_at(self.addresses.network_list(network.slug), label.position)

    def sign_anew(self, network: Network, method_id: str) -> None:
        """Sign again, with the current key and the same content, unexpired labels of that key."""
        for label in self.store.labels_given(network.id):
            if label.embedded and label.withdrawn_at is None and signed_with(label.embedded) == method_id:
                self.sign(label, self._name_of(label, self.store.entry(network.id, label.issuer)), network)
                self.store.add(label)

    def withdraw(self, label_id: uuid.UUID, *, by: Actor) -> Label:
        """Its document and status bit report it immediately; the network's next list omits it."""
        label = self.store.hold_row(self.store.label(label_id))
        if label.withdrawn_at is not None:
            raise Conflict("Ce label est déjà retiré.")
        label.withdrawn_at = self.clock()
        self.store.add(label)
        self._note("withdraw_label", label, by)
        return label

    def evaluate(self, label_id: uuid.UUID) -> CheckedLabel:
        label = self.store.label(label_id)
        return self._checked(label, self.store.network_by_id(label.network_id))

    def of_issuer(self, issuer: str) -> list[CheckedLabel]:
        """Every label of the issuer with this identifier, verified now."""
        return [self._checked(label, network) for label, network in self.campuses.labels_of(issuer)]

    def _checked(self, label: Label, network: Network) -> CheckedLabel:
        at = self.clock()
        entry = self.store.entry(network.id, label.issuer)
        answer = (
            verify_endorsement(label.embedded.decode(), documents=self.documents, at=at, about=label.issuer)
            if label.embedded
            else None
        )
        return CheckedLabel(
            label,
            network,
            self._name_of(label, entry),
            label_state(label, on=day_in_france(at)),
            answer,
            is_suspended=entry is not None and entry.standing is not Standing.RECOGNISED,
        )

    def _name_of(self, label: Label, entry: Recognition | None) -> str:
        if entry is not None:
            return entry.name
        campus = self.campuses.find_by_did(label.issuer)
        return campus.name if campus else label.issuer

    def _note(self, action: str, label: Label, by: Actor) -> None:
        campus = self.campuses.find_by_did(label.issuer)
        if campus is not None:
            self.history.write(by, action, "campus", campus.id, at=self.clock(), campus_id=campus.id)
        else:
            self.history.write(by, action, "label", label.id, at=self.clock())
