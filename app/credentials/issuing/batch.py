"""One badge for thousands: what their credentials share is linted, canonicalised and read back once.

What each credential gets for itself, before it leaves:
- the lints: all of them, unless its own texts are of a kind in which none can find anything (`places`);
- a signature in each form, over the bytes that `issue` would sign;
- both signatures checked with the verifier's own step, by the keys that the issuer's document publishes.
The whole verifier reads back the first two credentials of each pattern and every hundred and twenty-eighth after them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.credentials.canonical import canonical_bytes
from app.credentials.canonical.tables import NotCovered
from app.credentials.canonical.templates import MARK_SIGN, Template
from app.credentials.documents import DocumentSource
from app.credentials.errors import MalformedInput
from app.credentials.issuing.places import Placed, take_apart
from app.credentials.issuing.signing import Issuing, KeysOf, SignedCredential
from app.credentials.json_text import JsonObject, dump_json
from app.credentials.keys import (
    LocalSigningKey,
    Signer,
    SigningKey,
    VerificationKey,
    encode_base64url,
    encode_multibase,
)
from app.credentials.model import OpenBadgeCredential
from app.credentials.proofs.cryptosuites import digest, digest_of_options
from app.credentials.proofs.data_integrity import proof_options
from app.credentials.proofs.vc_jwt import claims_of, signing_input

Check = Callable[[bytes, bytes], bool]
"""Whether this signature of this message holds by the published key."""

_MOST_PATTERNS: Final = 256
_READ_BACK_EVERY: Final = 128
_SHORT: Final = 32 * 1024


def issue_many(
    credentials: Iterable[OpenBadgeCredential | JsonObject],
    *,
    signer: Signer,
    jwt_signer: Signer,
    at: datetime,
    documents: DocumentSource | None = None,
) -> list[SignedCredential]:
    """`issue` for many at one moment: the same bytes, the same refusals, in a fraction of the time.

    A credential may be given as the document it would be written as. The first that is refused ends it all.
    """
    batch = Batch(signer=signer, jwt_signer=jwt_signer, at=at, documents=documents)
    return [batch.issue(credential) for credential in credentials]


@dataclass
class _Pattern:
    template: Template
    digest_of_options: bytes
    claims: JsonObject
    """What a token says beside the credential; two of them repeat what is each member's own."""
    is_short: bool
    """So far below every limit on size that no easy value can lead beyond."""
    used: int = 0


class Batch:
    """Signs one after the other, and remembers what they share."""

    def __init__(
        self, *, signer: Signer, jwt_signer: Signer, at: datetime, documents: DocumentSource | None = None
    ) -> None:
        self._issuing = Issuing(signer, jwt_signer, at, documents or KeysOf(signer, jwt_signer))
        self._patterns: dict[bytes, _Pattern | None] = {}
        self._options: JsonObject = {}
        self._checks: tuple[Check, Check] | None = None

    def issue(self, credential: OpenBadgeCredential | JsonObject) -> SignedCredential:
        document = credential if isinstance(credential, dict) else credential.to_document()
        try:
            placed = take_apart(document)
            shared = dump_json(placed.marked)
        except (NotCovered, MalformedInput):
            return self._issuing.issue(document)
        pattern = self._patterns.get(shared)
        if pattern is None:
            return self._first_of(shared, placed, document)
        try:
            nquads = pattern.template.canonical_bytes(placed.values)
        except NotCovered:
            return self._issuing.issue(document)
        return self._issue(document, placed, pattern, nquads)

    def _first_of(self, shared: bytes, placed: Placed, document: JsonObject) -> SignedCredential:
        """Issued alone. A pattern is worth its making when it is met again."""
        signed = self._issuing.issue(document)
        if shared in self._patterns:
            # A text of its own that looks like a mark would be taken for one.
            is_clear = shared.count(MARK_SIGN.encode()) == placed.marks
            self._patterns[shared] = self._pattern_of(shared, placed, document, signed) if is_clear else None
        elif len(self._patterns) < _MOST_PATTERNS:
            self._patterns[shared] = None
        return signed

    def _pattern_of(
        self, shared: bytes, placed: Placed, document: JsonObject, signed: SignedCredential
    ) -> _Pattern | None:
        """Made only where it says of this credential what the general way says."""
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
            _check_of(self._issuing.signer.key, embedded.key or {}),
            _check_of(self._issuing.jwt_signer.key, token.key or {}),
        )

    def _issue(
        self, document: JsonObject, placed: Placed, pattern: _Pattern, nquads: bytes
    ) -> SignedCredential:
        if not (placed.is_easy and pattern.is_short):
            self._issuing.check(document)
        # The document is written once: proof and claims come after its last member in either form.
        written = dump_json(document)[:-1]
        data = pattern.digest_of_options + digest(nquads)
        signature = self._issuing.signer.key.sign(data)
        proof = dump_json(self._options | {"proofValue": encode_multibase(signature)})
        claims = dump_json(pattern.claims | _own_claims(document))
        text = signing_input(written + b"," + claims[1:], signer=self._issuing.jwt_signer)
        text_bytes = text.encode()
        jwt_signature = self._issuing.jwt_signer.key.sign(text_bytes)
        signed = SignedCredential(
            embedded=b"".join((written, b',"proof":', proof, b"}")),
            token=f"{text}.{encode_base64url(jwt_signature)}",
        )
        assert self._checks is not None  # known before the first pattern
        holds, jwt_holds = self._checks
        hold = holds(signature, data) and jwt_holds(jwt_signature, text_bytes)
        pattern.used += 1
        if not hold or pattern.used % _READ_BACK_EVERY == 0:
            self._issuing.read_back(signed, document)
        return signed


def _check_of(key: SigningKey, published: JsonObject) -> Check:
    public = VerificationKey.from_jwk(published)
    return key.check_against(public) if isinstance(key, LocalSigningKey) else public.verify


def _own_claims(document: JsonObject) -> JsonObject:
    subject = document["credentialSubject"]
    assert isinstance(subject, dict), "as `take_apart` found it"
    return {"sub": subject["id"], "jti": document["id"]}
