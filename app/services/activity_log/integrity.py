"""`sceau check`: verify everything signed again, against digests, signatures, rows, lists and the log."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from app.db.activities.campus_activities import CampusActivityStore
from app.db.activity_log.integrity import EditionRow, IntegrityStore, StoredAwardRow
from app.db.campus import CampusStore
from app.db.campus.people import CampusPeopleStore
from app.db.engine.triggers import Strays
from app.db.publishing import StatusStore
from app.db.reports.counts import CountStore, Differences
from app.domain.activity_log import MOST_FAULTS, Damage, FoundLeaf, IntegrityCheck, merged, picture_digests
from app.domain.awards import AwardState
from app.domain.awards.signed_bytes import ObjectDiffers, ObjectLost, SignedBytes
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import KeyPurpose
from app.domain.core import LARGEST_STEP, Clock, as_signed, name_as_signed
from app.domain.publishing import Addresses, StatusList, signed_form
from app.services.publishing.status import ListAnchors
from app.services.trust.labels import TrustAnchors
from sceau_credentials.dids import jwt_method_id
from sceau_credentials.errors import CredentialError
from sceau_credentials.evidence.judging import content_digest
from sceau_credentials.issuing.slots import StoredCredentials
from sceau_credentials.keys import VerificationKey, encode_base64url
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.vc_jwt import credential_of, parse_compact_jws, verify_jws
from sceau_credentials.status_list import STATUS_TOKEN, SUSPENDED, read_list, read_token_list
from sceau_credentials.status_list import StatusList as Bits
from sceau_credentials.trust import PinnedNetwork, TrustListRefused, read_trust_list
from sceau_credentials.values import JsonObject, JsonValue, format_timestamp, parse_json_object

CHECKED_EVERY: Final = timedelta(days=1)
_KEPT: Final = 30
AWARDS_IN_A_STEP: Final = 1_000
_MOST_STEPS: Final = 4_096
LISTS, DOCUMENTS, PICTURES, FILES, COUNTS, LOGS = "lists", "documents", "pictures", "files", "counts", "logs"
_READERS: Final = 16
_AT_A_TIME: Final = 250
_Row = TypeVar("_Row", StoredAwardRow, EditionRow)
AFTER_AWARDS: Final = (LISTS, DOCUMENTS, PICTURES, FILES, COUNTS, LOGS)


@dataclass(frozen=True)
class Issuers:
    """What a process needs to check awards: the DID of each campus, and every key it ever published."""

    dids: Mapping[uuid.UUID, str]
    jwks: Mapping[str, Mapping[str, Any]]
    """By verification method, under both identifiers."""
    base_url: str

    def keys(self) -> dict[str, VerificationKey]:
        return {method: VerificationKey.from_jwk(dict(jwk)) for method, jwk in self.jwks.items()}


@dataclass
class Result:
    """What one step checked and found, and the counts to be stored again."""

    checked: Counter[str] = field(default_factory=Counter)
    found: list[FoundLeaf] = field(default_factory=list)
    differences: Differences = field(default_factory=Differences)
    people: Strays | None = None
    activities: Strays | None = None


class AwardCheck:
    """Checks a range of awards, each with both forms of every edition. One instance per process."""

    def __init__(self, issuers: Issuers, elsewhere: SignedBytes) -> None:
        self._issuers = issuers
        self._elsewhere = elsewhere
        self._addresses = Addresses(issuers.base_url)
        self._credentials = StoredCredentials(issuers.keys())

    def check(self, store: IntegrityStore, first: uuid.UUID, last: uuid.UUID) -> Result:
        result = Result()
        decided: dict[uuid.UUID, StoredAwardRow] = {}
        for row in self._with_bytes(store.awards(first, last), result):
            result.checked["awards"] += 1
            result.found += self._award(row)
            if row.edition > 1:
                decided[row.award_id] = row
        for edition in self._with_bytes(store.editions(first, last), result):
            result.checked["editions"] += 1
            result.found += self._edition(edition, decided.get(edition.award_id))
        return result

    def _with_bytes(self, rows: Iterator[_Row], result: Result) -> Iterator[_Row]:
        """With what an object store has, asked for many at once; a silent store ends the check, to be resumed."""
        with ThreadPoolExecutor(_READERS, "signed-bytes") as pool:
            while some := list(islice(rows, _AT_A_TIME)):
                each = pool.map if any(row.embedded is None for row in some) else map
                for row, faults in each(self._filled, some):
                    result.found += faults
                    yield row

    def _filled(self, row: _Row) -> tuple[_Row, list[FoundLeaf]]:
        if row.embedded is not None or row.embedded_digest is None or row.token_digest is None:
            return row, []
        forms = {Damage.EMBEDDED_DIGEST: row.embedded_digest, Damage.TOKEN_DIGEST: row.token_digest}
        found, faults = list[bytes](), list[FoundLeaf]()
        for damage, digest in forms.items():
            try:
                found.append(self._elsewhere.read(row.campus_id, digest))
            except (ObjectLost, ObjectDiffers) as error:
                fault = damage if isinstance(error, ObjectDiffers) else Damage.NO_DOCUMENT
                faults.append(FoundLeaf(fault, str(row.award_id)))
        if faults:
            return row, faults
        embedded, token = found
        return row._replace(embedded=embedded, token=token.decode()), []

    def _award(self, row: StoredAwardRow) -> Iterator[FoundLeaf]:
        where = str(row.award_id)
        if row.list_id is None or row.position is None:
            yield FoundLeaf(Damage.NO_SLOT, where)
        elif (row.state is AwardState.REVOKED) != (
            row.raised_at is not None
        ) or row.suspended_until != row.slot_suspended_until:
            yield FoundLeaf(Damage.STATE_DIFFERS, where)
        if row.embedded is None or row.token is None:
            if row.embedded_digest is None:
                yield FoundLeaf(Damage.NO_DOCUMENT, where)
            return
        document, found = self._signed(
            where, bytes(row.embedded), row.token, str(row.embedded_digest), str(row.token_digest)
        )
        yield from found
        if document is None:
            return
        if document.get("id") != self._addresses.award(row.award_id):
            yield FoundLeaf(Damage.OTHER_AWARD, where)
            return
        yield from self._facts(row, document, is_newest=row.edition == 1)
        if row.edition == 1:
            yield from _decision(row, document)

    def _edition(self, row: EditionRow, award: StoredAwardRow | None) -> Iterator[FoundLeaf]:
        where = f"{row.award_id} ({row.edition})"
        if row.embedded is None or row.token is None:
            return
        document, found = self._signed(
            where, bytes(row.embedded), row.token, row.embedded_digest, row.token_digest
        )
        yield from found
        if document is None:
            return
        if document.get("id") != self._addresses.award(row.award_id):
            yield FoundLeaf(Damage.OTHER_AWARD, where)
        elif award is not None and row.edition == award.edition:
            yield from self._facts(award, document, is_newest=True)
            yield from _decision(award, document)

    def _signed(
        self, where: str, embedded: bytes, token: str, embedded_digest: str, token_digest: str
    ) -> tuple[JsonObject | None, list[FoundLeaf]]:
        found = []
        if hashlib.sha256(embedded).hexdigest() != embedded_digest:
            found.append(FoundLeaf(Damage.EMBEDDED_DIGEST, where))
        if hashlib.sha256(token.encode()).hexdigest() != token_digest:
            found.append(FoundLeaf(Damage.TOKEN_DIGEST, where))
        checked = self._credentials.check(embedded, token)
        found += [FoundLeaf(Damage(fault.value), where) for fault in checked.faults]
        return checked.document, found

    def _facts(self, row: StoredAwardRow, document: JsonObject, *, is_newest: bool) -> Iterator[FoundLeaf]:
        """Compares signed values that rows also store."""
        where = str(row.award_id)
        said = _said(document)
        expected: dict[str, object] = {
            "issuer": self._issuers.dids.get(row.campus_id),
            "subject": f"urn:uuid:{row.subject_id}",
            "achievement": self._addresses.version(row.badge_id, row.version_number),
            "awardedDate": format_timestamp(row.awarded_at),
        }
        if is_newest:
            # An earlier edition ended earlier, with less evidence, if the badge was renewed since.
            expected["validUntil"] = format_timestamp(row.valid_until) if row.valid_until else None
            expected["name"] = name_as_signed(row.holder_name) if row.holder_name is not None else None
        if said["role"] is not None:
            expected["role"] = row.part
        if said["assessment"] is not None and (
            is_newest or not as_signed(row.evidence).startswith(str(said["assessment"]))
        ):
            expected["assessment"] = as_signed(row.evidence)
        for name, value in expected.items():
            if said[name] != value:
                yield FoundLeaf(Damage.FACT_DIFFERS, where, name)
        if row.list_id is not None and said["status"] not in (
            (self._addresses.status_list(row.list_id), str(row.position)),
            (self._addresses.suspension_list(row.list_id), str(row.position)),
        ):
            yield FoundLeaf(Damage.OTHER_SLOT, where)


def _decision(row: StoredAwardRow, document: JsonObject) -> Iterator[FoundLeaf]:
    """Compares the digest in the log entry of this edition; skips erased entries."""
    if row.line is None:
        return
    facts = row.decided
    if not isinstance(facts, dict) or "credential" not in facts:
        yield FoundLeaf(Damage.LOG_MISSING, str(row.award_id))
    elif facts["credential"] != content_digest(document):
        yield FoundLeaf(Damage.LOG_DIFFERS, str(row.award_id))


def _said(document: JsonObject) -> dict[str, object]:
    """The fields of one of our credentials that rows also store; None for absent fields."""
    subject, status = _object(document.get("credentialSubject")), _object(document.get("credentialStatus"))
    names = [
        each.get("identityHash")
        for each in _objects(subject.get("identifier"))
        if each.get("identityType") == "name"
    ]
    assessments = [
        each.get("narrative")
        for each in _objects(document.get("evidence"))
        if str(each.get("id", "")).endswith("#appreciation")
    ]
    return {
        "issuer": _object(document.get("issuer")).get("id"),
        "subject": subject.get("id"),
        "achievement": _object(subject.get("achievement")).get("id"),
        "awardedDate": document.get("awardedDate"),
        "validUntil": document.get("validUntil"),
        "name": name_as_signed(str(names[0])) if names else None,
        "role": subject.get("role"),
        "assessment": assessments[0] if assessments else None,
        "status": (status.get("statusListCredential"), status.get("statusListIndex")),
    }


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[JsonObject]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, dict)]


class StoredAnchors(ListAnchors, TrustAnchors, Protocol): ...


@dataclass(frozen=True, eq=False)
class IntegrityService:
    store: IntegrityStore
    statuses: StatusStore
    campuses: CampusStore
    counts: CountStore
    people: CampusPeopleStore
    activities: CampusActivityStore
    anchors: StoredAnchors
    addresses: Addresses
    clock: Clock

    # --- steps of a check

    def begin(self, *, by: Actor, anew: bool = False) -> IntegrityCheck:
        """Resume the interrupted check, or start a new one."""
        unfinished = self.store.unfinished()
        if unfinished is not None and not anew:
            return unfinished
        if unfinished is not None:
            unfinished.done_steps, unfinished.checked, unfinished.fault_count, unfinished.faults = (
                0,
                {},
                0,
                [],
            )
        awards = self.store.count_awards()
        check = unfinished or IntegrityCheck(asked_at=self.clock(), asked_by=by.label or "person")
        ranges = max(1, min(_MOST_STEPS, -(-awards // AWARDS_IN_A_STEP)))
        check.steps = ranges + len(AFTER_AWARDS)
        self.store.add(check)
        return check

    def is_due(self) -> bool:
        newest = self.newest()
        return (
            self.store.unfinished() is not None
            or newest is None
            or newest.done_at is None
            or self.clock() - newest.done_at >= CHECKED_EVERY
        )

    def newest(self) -> IntegrityCheck | None:
        """Never one that a clock running ahead dated in the future."""
        return self.store.newest_done(before=self.clock() + LARGEST_STEP)

    def note(self, check_id: uuid.UUID, step: int, result: Result) -> IntegrityCheck:
        """Record the result of a step. Idempotent: ignored unless it is the next step."""
        check = self.store.lock(check_id)
        if check.done_steps != step:
            return check
        check.done_steps += 1
        self.counts.mark(result.differences)
        if result.people is not None:
            self.people.repair() if result.people.campuses else self.people.settle()
        if result.activities is not None and result.activities.campuses:
            self.activities.repair()
        check.checked = merged(check.checked, result.checked)
        check.fault_count += len(result.found)
        check.faults = [*check.faults, *map(list, result.found)][:MOST_FAULTS]
        if check.done_steps == check.steps:
            check.done_at = self.clock()
            self.store.keep_newest(_KEPT, before=check.done_at + LARGEST_STEP)
        self.store.add(check)
        return check

    def issuers(self) -> Issuers:
        jwks: dict[str, Mapping[str, Any]] = {}
        for row, _ in self.campuses.all_keys():
            if row.purpose is KeyPurpose.CREDENTIAL:
                jwks[row.method_id] = jwks[jwt_method_id(row.method_id)] = row.public_jwk
        dids = {campus.id: campus.did for campus in self.campuses.list_all()}
        return Issuers(dids, jwks, self.addresses.base_url)

    def step(self, check: IntegrityCheck, step: int, logs: Callable[[], Iterable[FoundLeaf]]) -> Result:
        """Any step except those of awards, which several processes share."""
        match AFTER_AWARDS[step - (check.steps - len(AFTER_AWARDS))]:
            case "lists":
                return self._lists()
            case "documents":
                return self._documents()
            case "pictures":
                return self._pictures()
            case "files":
                return self._files()
            case "counts":
                return self._counts()
        result = Result()
        result.found += logs()
        result.found += (
            FoundLeaf(Damage.PERSON_GONE, str(log_id), str(number))
            for log_id, number in self.store.lines_about_nobody()
        )
        return result

    def _counts(self) -> Result:
        """Stored counts of reports, people and activities of campuses, against the rows they are derived from."""
        differences, people, activities = self.counts.check(), self.people.check(), self.activities.check()
        checked = Counter(counts=differences.checked + people.checked + activities.checked)
        result = Result(checked, differences=differences, people=people, activities=activities)
        wrong = (*people.campuses, *activities.campuses)
        result.found += (FoundLeaf(Damage.COUNT_DIFFERS, str(each)) for each in wrong)
        result.found += (FoundLeaf(Damage.COUNT_DIFFERS, str(each)) for each in differences.activities)
        result.found += (
            FoundLeaf(Damage.COUNT_DIFFERS, f"{campus_id} {day.isoformat()}")
            for campus_id, day in (*differences.months, *differences.days)
        )
        return result

    def _lists(self) -> Result:
        result, keys = Result(), self.issuers().keys()
        for row in self.store.lists():
            result.checked["lists"] += 1
            if row.published:
                result.found += self._list(row, keys)
        return result

    def _list(self, row: StatusList, keys: Mapping[str, VerificationKey]) -> Iterator[FoundLeaf]:
        where = str(row.id)
        anchored = self.anchors.list_of(row.id)
        if anchored is not None and anchored.is_newer_than(signed_form(row)):
            yield FoundLeaf(Damage.LIST_OLDER, where)
        document = _verified_list(row, keys, at=self.clock())
        if document is None:
            yield FoundLeaf(Damage.LIST_SIGNATURE, where)
            return
        published, stored = read_list(document).status_list, set(self.statuses.raised(row.id))
        for position in range(row.size):
            if published.get(position) != (position in stored):
                yield FoundLeaf(Damage.LIST_BIT, where, str(position))
        paused = published
        if row.suspensions:
            other = _verified(bytes(row.suspensions), row.suspensions_token, keys, at=self.clock())
            if other is None:
                yield FoundLeaf(Damage.LIST_SIGNATURE, where)
                return
            paused = read_list(other).status_list
            known = stored | set(self.statuses.suspended(row.id, at=row.published_at or self.clock()))
            for position in range(row.size):
                if paused.get(position) != (position in known):
                    yield FoundLeaf(Damage.LIST_BIT, where, str(position))
        if row.status_token and not _is_same_list(row, published, paused, keys):
            yield FoundLeaf(Damage.LIST_SIGNATURE, where)

    def _documents(self) -> Result:
        """Labels, endorsements and trust lists of networks and organisations; external lists as read."""
        result, at = Result(), self.clock()
        keys = self.issuers().keys()
        for row in self.store.keys_of_others():
            key = VerificationKey.from_jwk(row.public_jwk)
            keys[row.method_id] = keys[jwt_method_id(row.method_id)] = key

        def check(where: str, embedded: bytes | str, token: str = "", **expected: object) -> None:
            result.checked["documents"] += 1
            content = embedded if isinstance(embedded, bytes) else embedded.encode()
            document = _verified(content, token or None, keys, at=at)
            if document is None:
                result.found.append(FoundLeaf(Damage.DOCUMENT_SIGNATURE, where))
                return
            for name, value in expected.items():
                said = (
                    _object(document.get("credentialSubject")).get("id")
                    if name == "subject"
                    else document.get(name)
                )
                if said != value:
                    result.found.append(FoundLeaf(Damage.DOCUMENT_DIFFERS, where, name))

        for label in self.store.labels():
            url = self.addresses.label(label.id)
            check(url, label.embedded, id=url, subject=label.issuer)
        for each in self.store.endorsements():
            if not each.foreign_issuer:  # verified with their own keys by the nightly job
                url = self.addresses.endorsement(each.id)
                check(url, each.written, each.token, subject=each.subject)
        for edition in self.store.trust_editions():
            check(f"trust list {edition.network_id}", edition.body)
        for followed in self.store.followed_lists():
            result.checked["documents"] += 1
            pinned = PinnedNetwork(VerificationKey.from_multikey(followed.key), followed.issuer)
            try:
                read_trust_list(followed.body, pinned, at=followed.read_at or at)
            except (CredentialError, TrustListRefused, ValueError):
                result.found.append(FoundLeaf(Damage.DOCUMENT_SIGNATURE, followed.url))
        self._places(result)
        return result

    def _places(self, result: Result) -> None:
        networks, organisations = self.store.withdrawn_places()
        for slug, stored in networks.items():
            self._place(self.addresses.network_list(slug), stored, result)
        for organisation_id, stored in organisations.items():
            self._place(self.addresses.organisation_list(organisation_id), stored, result)

    def _place(self, url: str, stored: set[int], result: Result) -> None:
        result.checked["lists"] += 1
        lowered = sorted(self.anchors.withdrawn(url) - stored)
        result.found += [FoundLeaf(Damage.PLACE_LOWERED, url, str(each)) for each in lowered]

    def _pictures(self) -> Result:
        result = Result()
        for version, known, noted in self.store.frozen_versions():
            result.checked["pictures"] += 1
            where = f"{version.name} v{version.number}"
            if isinstance(noted, dict) and noted.get("digest") != encode_base64url(
                hashlib.sha256(version.definition).digest()
            ):
                result.found.append(FoundLeaf(Damage.DEFINITION_CHANGED, where))
            digests = picture_digests(version)
            noted_digests = noted if isinstance(noted, dict) else {}
            for form, digest in digests.items():
                expected = {noted_digests.get(form), getattr(known, form, None)} - {None}
                if expected - {digest}:
                    result.found.append(FoundLeaf(Damage.PICTURE_CHANGED, where, form))
        return result

    def _files(self) -> Result:
        result = Result()
        for file_id, noted, content in self.store.files():
            result.checked["files"] += 1
            if hashlib.sha256(content).hexdigest() != noted:
                result.found.append(FoundLeaf(Damage.FILE_CHANGED, str(file_id)))
        return result


def range_of(step: int, ranges: int) -> tuple[uuid.UUID, uuid.UUID]:
    """The inclusive range of award ids that this step checks."""
    width = (1 << 128) // ranges
    last = (1 << 128) - 1 if step == ranges - 1 else (step + 1) * width - 1
    return uuid.UUID(int=step * width), uuid.UUID(int=last)


def _verified_list(
    row: StatusList, keys: Mapping[str, VerificationKey], *, at: datetime
) -> JsonObject | None:
    return _verified(bytes(row.published), row.token, keys, at=at)


def _is_same_list(
    row: StatusList, published: Bits, paused: Bits, keys: Mapping[str, VerificationKey]
) -> bool:
    """Whether the Status List Token is signed by a published key and has the same bits."""
    try:
        jws = parse_compact_jws(row.status_token, max_length=1 << 20)
        verify_jws(jws, keys[jws.kid or ""], kinds=(STATUS_TOKEN,))
        url = str(jws.payload.get("sub"))
        invalid = read_token_list(jws.payload, url=url)
        suspended = read_token_list(jws.payload, url=url, status=SUSPENDED)
    except (CredentialError, KeyError):
        return False
    raised, said = (int.from_bytes(bits.to_bytes(), "big") for bits in (published, paused))
    return invalid.to_bytes() == published.to_bytes() and (
        int.from_bytes(suspended.to_bytes(), "big") == said & ~raised
    )


def _verified(
    embedded: bytes, token: str | None, keys: Mapping[str, VerificationKey], *, at: datetime
) -> JsonObject | None:
    """The document if its stored forms agree and a published key signed them; else None."""
    try:
        proofs = verify_proofs(parse_json_object(embedded), key_for=lambda method: keys[method], at=at)
        if proofs.accepted is None:
            return None
        if token is not None:
            jws = parse_compact_jws(token, max_length=1 << 20)
            verify_jws(jws, keys[jws.kid or ""])
            if credential_of(jws.payload) != proofs.document:
                return None
    except (CredentialError, KeyError, ValueError):
        return None
    return proofs.document
