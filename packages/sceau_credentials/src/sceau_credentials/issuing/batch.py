"""One badge for thousands: the shared part of their credentials is linted, canonicalised and read back once.

What each credential gets individually, before it is returned:
- the lints: all of them, unless its own texts are of a kind in which none can find anything (`slots`);
- a signature in each form, over the bytes that `issue` would sign;
- both signatures checked with the verifier's own step, by the keys that the issuer's document publishes. The
  whole verifier reads back the first two credentials of each pattern and every 128th after them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sceau_credentials.canonical import canonical_bytes
from sceau_credentials.canonical.tables import NotCovered
from sceau_credentials.canonical.templates import MARK_SIGN, Template
from sceau_credentials.errors import CredentialError, MalformedInput
from sceau_credentials.issuing.signing import Issuing, KeysOf, SignedCredential
from sceau_credentials.issuing.slots import Slotted, extract
from sceau_credentials.keys import Signer, VerificationKey, encode_base64url, encode_multibase
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.proofs.cryptosuites import digest, digest_of_options
from sceau_credentials.proofs.data_integrity import proof_options
from sceau_credentials.proofs.vc_jwt import claims_of, signing_input
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonObject, dump_json

Check = Callable[[bytes, bytes], bool]
"""Whether this signature of this message is valid for the published key."""

_MOST_PATTERNS: Final = 256
_READ_BACK_EVERY: Final = 128
_SHORT: Final = 32 * 1024
_TOGETHER: Final = 128
"""Chunk size per step: the tables of one step fill a processor's nearest cache, and running all steps for
each credential in turn takes a fifth longer.
"""


def issue_many(
    credentials: Iterable[OpenBadgeCredential | JsonObject],
    *,
    signer: Signer,
    jwt_signer: Signer,
    at: datetime,
    documents: DocumentSource | None = None,
) -> list[SignedCredential]:
    """`issue` for many with one datetime: the same bytes and the same errors, in a fraction of the time.

    A credential may be given as its document. Results are in the order of `credentials`. `at` must be
    timezone-aware. The first failure aborts with the exception `issue` would raise; `Batch.issue_each`
    reports each separately.
    """
    batch = Batch(signer=signer, jwt_signer=jwt_signer, at=at, documents=documents)
    return [_or_raise(found) for found in batch.issue_each([_document_of(each) for each in credentials])]


@dataclass
class _Pattern:
    template: Template
    digest_of_options: bytes
    claims: JsonObject
    """The token's claims besides the credential; two of them repeat the member's own values."""
    is_short: bool
    """So far below every size limit that no easy value can exceed one."""
    used: int = 0


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A credential that passed all lints, as the bytes that will be signed."""

    document: JsonObject
    pattern: _Pattern
    written: bytes
    """The document without its closing brace: proof and claims come after its last member in either form."""
    data: bytes
    text: str
    text_bytes: bytes


Prepared = Unsigned | SignedCredential
"""Already signed where a credential has no pattern."""


class Batch:
    """Issues credentials one after the other, and caches what they share."""

    def __init__(
        self, *, signer: Signer, jwt_signer: Signer, at: datetime, documents: DocumentSource | None = None
    ) -> None:
        self._issuing = Issuing(signer, jwt_signer, at, documents or KeysOf(signer, jwt_signer))
        self._patterns: dict[bytes, _Pattern | None] = {}
        self._options: JsonObject = {}
        self._checks: tuple[Check, Check] | None = None

    @property
    def signing_key(self) -> VerificationKey:
        return self._issuing.signer.key.public

    def issue(self, credential: OpenBadgeCredential | JsonObject) -> SignedCredential:
        [found] = self._issue_together([_document_of(credential)])
        return _or_raise(found)

    def issue_each(self, documents: Sequence[JsonObject]) -> list[SignedCredential | CredentialError]:
        """What `issue` returns or raises, for each; one failure does not affect the others."""
        found: list[SignedCredential | CredentialError] = []
        for start in range(0, len(documents), _TOGETHER):
            found += self._issue_together(documents[start : start + _TOGETHER])
        return found

    def _issue_together(self, documents: Sequence[JsonObject]) -> list[SignedCredential | CredentialError]:
        prepared = self.prepare_each(documents)
        signed = iter(self.sign_each([each for each in prepared if not isinstance(each, CredentialError)]))
        return [each if isinstance(each, CredentialError) else next(signed) for each in prepared]

    def prepare_each(self, documents: Sequence[JsonObject]) -> list[Prepared | CredentialError]:
        """The steps before any key is used: NotFitToSign is found here."""
        return [self._prepared(document) for document in documents]

    def sign_each(self, prepared: Sequence[Prepared]) -> list[SignedCredential | CredentialError]:
        """In both forms, each checked."""
        found: list[SignedCredential | CredentialError] = []
        for start in range(0, len(prepared), _TOGETHER):
            some = prepared[start : start + _TOGETHER]
            signed = self._signed([each for each in some if isinstance(each, Unsigned)])
            found += [next(signed) if isinstance(each, Unsigned) else each for each in some]
        return found

    def _prepared(self, document: JsonObject) -> Prepared | CredentialError:
        try:
            return self._unsigned(document) or self._issuing.issue(document)
        except CredentialError as error:
            return error

    def _unsigned(self, document: JsonObject) -> Unsigned | SignedCredential | None:
        try:
            placed = extract(document)
            shared = dump_json(placed.marked)
        except (NotCovered, MalformedInput):
            return None
        pattern = self._patterns.get(shared)
        if pattern is None:
            return self._first_of(shared, placed, document)
        try:
            nquads = pattern.template.canonical_bytes(placed.values)
        except NotCovered:
            return None
        if not (placed.is_easy and pattern.is_short):
            self._issuing.check(document)
        written = dump_json(document)[:-1]
        claims = dump_json(pattern.claims | _own_claims(document))
        text = signing_input(written + b"," + claims[1:], signer=self._issuing.jwt_signer)
        data = pattern.digest_of_options + digest(nquads)
        return Unsigned(document, pattern, written, data, text, text.encode())

    def _first_of(self, shared: bytes, placed: Slotted, document: JsonObject) -> SignedCredential:
        """Issued alone. A pattern is worth making from its second use."""
        signed = self._issuing.issue(document)
        if shared in self._patterns:
            # Its own text resembling a mark would be taken for one.
            is_clear = shared.count(MARK_SIGN.encode()) == placed.marks
            self._patterns[shared] = self._pattern_of(shared, placed, document, signed) if is_clear else None
        elif len(self._patterns) < _MOST_PATTERNS:
            self._patterns[shared] = None
        return signed

    def _pattern_of(
        self, shared: bytes, placed: Slotted, document: JsonObject, signed: SignedCredential
    ) -> _Pattern | None:
        """None unless it gives the same result for this credential as the general path."""
        if "proof" in document:
            return None
        if self._checks is None:
            self._checks = self._checks_by_published_keys(signed, document)
            self._options = proof_options(self._issuing.signer, self._issuing.at)
        try:
            template = Template(placed.marked)
            if template.canonical_bytes(placed.values) != canonical_bytes(document):
                return None
        except NotCovered:
            return None
        options = digest_of_options(document, self._options)
        return _Pattern(template, options, claims_of(document), len(shared) <= _SHORT)

    def _checks_by_published_keys(
        self, signed: SignedCredential, document: JsonObject
    ) -> tuple[Check, Check]:
        embedded, token = self._issuing.read_back(signed, document)
        return (
            VerificationKey.from_jwk(embedded.key or {}).verify,
            VerificationKey.from_jwk(token.key or {}).verify,
        )

    def _signed(self, waiting: Sequence[Unsigned]) -> Iterator[SignedCredential | CredentialError]:
        """Each in both forms, and both checked."""
        if not waiting:
            return
        assert self._checks is not None  # set before the first pattern
        holds, jwt_holds = self._checks
        sign, sign_text = self._issuing.signer.key.sign, self._issuing.jwt_signer.key.sign
        signatures = [sign(each.data) for each in waiting]
        jwt_signatures = [sign_text(each.text_bytes) for each in waiting]
        hold = [holds(signature, each.data) for signature, each in zip(signatures, waiting, strict=True)]
        jwt_hold = [
            jwt_holds(signature, each.text_bytes)
            for signature, each in zip(jwt_signatures, waiting, strict=True)
        ]
        for each, signature, jwt_signature, one, other in zip(
            waiting, signatures, jwt_signatures, hold, jwt_hold, strict=True
        ):
            yield self._finished(each, signature, jwt_signature, hold=one and other)

    def _finished(
        self, unsigned: Unsigned, signature: bytes, jwt_signature: bytes, *, hold: bool
    ) -> SignedCredential | CredentialError:
        proof = dump_json(self._options | {"proofValue": encode_multibase(signature)})
        signed = SignedCredential(
            embedded=b"".join((unsigned.written, b',"proof":', proof, b"}")),
            token=f"{unsigned.text}.{encode_base64url(jwt_signature)}",
        )
        unsigned.pattern.used += 1
        if not hold or unsigned.pattern.used % _READ_BACK_EVERY == 0:
            try:
                self._issuing.read_back(signed, unsigned.document)
            except CredentialError as error:
                return error
        return signed


def _document_of(credential: OpenBadgeCredential | JsonObject) -> JsonObject:
    return credential if isinstance(credential, dict) else credential.to_document()


def _or_raise(found: SignedCredential | CredentialError) -> SignedCredential:
    if isinstance(found, CredentialError):
        raise found
    return found


def _own_claims(document: JsonObject) -> JsonObject:
    subject = document["credentialSubject"]
    assert isinstance(subject, dict), "as `extract` found it"
    return {"sub": subject["id"], "jti": document["id"]}
