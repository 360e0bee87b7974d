"""Lint, sign in both forms, and read both back as an employer's verifier would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sceau_credentials.canonical import keep_canonical_form
from sceau_credentials.canonical.templates import MARK_SIGN, Template
from sceau_credentials.dids import PublishedKey, did_document, did_web_document_url, jwt_method_id
from sceau_credentials.errors import (
    CredentialError,
    DocumentUnavailable,
    NotCovered,
    NotFitToSign,
    SelfCheckFailed,
)
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints import faults_of, faults_of_another, text_faults_of
from sceau_credentials.issuing.slots import Kind, Slotted, TemplatedForms, take_apart_with_dates
from sceau_credentials.keys import Signer, VerificationKey, encode_base64url, encode_multibase
from sceau_credentials.model import EndorsementCredential, OpenBadgeCredential
from sceau_credentials.proofs.data_integrity import add_proof, digest, digest_of_options, proof_options
from sceau_credentials.proofs.vc_jwt import claims_of, jws_that_says, sign_jwt, signing_input, verify_jws
from sceau_credentials.values import (
    DocumentSource,
    FetchedDocument,
    JsonObject,
    check_aware,
    dump_exactly,
    dump_json,
    parse_json_object,
)
from sceau_credentials.verification.answers import FetchBudget, Policy
from sceau_credentials.verification.findings import Reason, found
from sceau_credentials.verification.issuer_keys import IssuerKeys
from sceau_credentials.verification.report import CheckId, Outcome, Report
from sceau_credentials.verification.run_checks import verify, verify_endorsement


@dataclass(frozen=True)
class SignedCredential:
    """A credential in its two final forms. Stored and served as these bytes, never rebuilt."""

    embedded: bytes
    """JSON with its Data Integrity proof inside."""
    token: str
    """The same credential as a compact JWS."""


def issue(
    credential: OpenBadgeCredential,
    *,
    signer: Signer,
    jwt_signer: Signer,
    at: datetime,
    documents: DocumentSource | None = None,
) -> SignedCredential:
    """Sign a credential that becomes valid now.

    `documents` serves the issuer's published key document for the read-back; without it the document is the
    one these two signers would publish. NotFitToSign is raised before any key is used, SelfCheckFailed after,
    and then nothing signed is returned.
    """
    issuing = Issuing(signer, jwt_signer, at, documents or KeysOf(signer, jwt_signer))
    return issuing.issue(credential.to_document())


@dataclass(frozen=True)
class Issuing:
    """The signers, the datetime, and the source of the issuer's published keys."""

    signer: Signer
    jwt_signer: Signer
    at: datetime
    documents: DocumentSource

    def __post_init__(self) -> None:
        check_aware(self.at)

    def issue(self, document: JsonObject) -> SignedCredential:
        return self.issue_with_reports(document)[0]

    def issue_with_reports(self, document: JsonObject) -> tuple[SignedCredential, Report, Report]:
        """Also the verifier's reports on both forms."""
        alike = _alike(document)
        self._check(document, alike)
        signed = (alike and self._signed_as_others(document, alike)) or self._signed(document)
        return signed, *self.read_back(signed, document)

    def _signed(self, document: JsonObject) -> SignedCredential:
        embedded = dump_json(add_proof(document, signer=self.signer, created=self.at))
        return SignedCredential(embedded, self._token(dump_json(document | claims_of(document))))

    def _signed_as_others(self, document: JsonObject, alike: _Alike) -> SignedCredential | None:
        """The same bytes, canonicalised and serialised once; None where no template covers the document."""
        nquads = _FORMS.canonical_bytes(document, *alike)
        written = dump_exactly(document)
        if nquads is None or not written:
            return None
        options = proof_options(self.signer, self.at)
        data = digest_of_options(document, options) + keep_canonical_form(written, nquads)
        proof = dump_json(options | {"proofValue": encode_multibase(self.signer.key.sign(data))})
        claims = dump_json(claims_of(document))
        return SignedCredential(
            embedded=b"".join((written[:-1], b',"proof":', proof, b"}")),
            token=self._token(b"".join((written[:-1], b",", claims[1:]))),
        )

    def _token(self, payload: bytes) -> str:
        """As `sign_jwt`, the same bytes in less time."""
        text = signing_input(payload, signer=self.jwt_signer)
        return f"{text}.{encode_base64url(self.jwt_signer.key.sign(text.encode()))}"

    def check(self, document: JsonObject) -> None:
        """NotFitToSign where a lint finds something."""
        self._check(document, _alike(document))

    def _check(self, document: JsonObject, alike: _Alike | None) -> None:
        draft = Draft(document, signer=self.signer, jwt_signer=self.jwt_signer, at=self.at)
        shared = self._what_is_shared(alike)
        if shared in _without_fault and not faults_of_another(draft):
            return
        if faults := faults_of(draft):
            raise NotFitToSign(faults)
        if shared is not None:
            if len(_without_fault) >= _MOST_WITHOUT_FAULT:
                _without_fault.clear()
            _without_fault.add(shared)

    def _what_is_shared(self, alike: _Alike | None) -> _Shared | None:
        """What the lints judge of this credential apart from its dates; None where its own texts have to be
        linted.

        As in a batch: no lint finds anything in easy texts. Which of them equal each other counts too: evidence
        is named once.
        """
        if alike is None:
            return None
        keys = self.signer.key.public, self.jwt_signer.key.public
        written, placed = alike
        if not placed.is_easy or written.count(_SIGN) != placed.marks:
            return None
        if not all(isinstance(key, VerificationKey) for key in keys):
            return None
        methods = self.signer.verification_method, self.jwt_signer.verification_method
        return written, placed.repeats(), *methods, *keys

    def read_back(self, signed: SignedCredential, document: JsonObject) -> tuple[Report, Report]:
        """The verifier's reports on the embedded form and on the token; SelfCheckFailed if either finds a
        fault.
        """
        embedded = self._read_back(signed.embedded, document)
        return embedded, self._as_good(embedded, signed.token) or self._read_back(signed.token, document)

    def _read_back(self, written: bytes | str, document: JsonObject) -> Report:
        report = verify(written, documents=self.documents, at=self.at, policy=_READ_BACK)
        if not _is_good(report) or report.document != document:
            raise SelfCheckFailed(report)
        return report

    def _as_good(self, embedded: Report, token: str) -> Report | None:
        """The report of a token with byte for byte the content found in the embedded form, signed by a
        published key.

        Terms, shape and period were checked then, and the claims repeat that content. None where the whole
        verifier has to run, as for any fault.
        """
        try:
            said = embedded.document or {}
            jws = jws_that_says(said | claims_of(said), token)
            if jws is None:
                return None
            keys = IssuerKeys(embedded.issuer or "", FetchBudget(self.documents, 1), self.at)
            resolved = keys.of_token(jws)
            verify_jws(jws, resolved.key)
        except CredentialError:
            return None
        if resolved.controller != embedded.issuer:
            return None
        key = found(Reason.KEY_BOUND, method=resolved.method_id)
        return replace(
            embedded,
            container="jwt",
            form="vc_jwt",
            checks=tuple(key if each.id is CheckId.KEY else each for each in embedded.checks),
            presented=jws.payload,
            verification_method=resolved.method_id,
            key=resolved.key.to_jwk(),
        )


class _Alike(NamedTuple):
    """The serialised part shared with other credentials of the badge, and the credential split into slots."""

    written: bytes
    placed: Slotted


def _alike(document: JsonObject) -> _Alike | None:
    try:
        placed = take_apart_with_dates(document)
    except NotCovered:
        return None
    written = dump_exactly(placed.marked)
    return _Alike(written, placed) if 0 < len(written) <= _LONGEST_SHARED else None


_FORMS: Final = TemplatedForms(64)
_Shared = tuple[bytes, tuple[int, ...], str, str, VerificationKey, VerificationKey]
_MOST_WITHOUT_FAULT: Final = 256
_LONGEST_SHARED: Final = 16 * 1024
"""So far below every size limit that no easy value can exceed one."""
_SIGN: Final = MARK_SIGN.encode()
_without_fault: Final[set[_Shared]] = set()
"""Shared parts in which no lint found anything, by their serialised bytes and the keys."""

# The list that will hold this credential's bit may not have been published yet.
_READ_BACK: Final = Policy(check_status=False, remarks=False)


def _is_good(report: Report) -> bool:
    return all(
        answer.outcome is Outcome.PASSED or answer.void or answer.reason == Reason.STATUS_LEFT_OUT
        for answer in report.checks
    )


class KeysOf:
    """The key document that two signers of one issuer would publish."""

    def __init__(self, signer: Signer, jwt_signer: Signer) -> None:
        self._issuer = signer.controller
        keys = [PublishedKey(signer.verification_method, signer.key.public)]
        if jwt_signer.verification_method != jwt_method_id(signer.verification_method):
            suffix = jwt_method_id("")
            keys.append(
                PublishedKey(jwt_signer.verification_method.removesuffix(suffix), jwt_signer.key.public)
            )
        is_did_web = self._issuer.startswith("did:web:")
        self._url = did_web_document_url(self._issuer) if is_did_web else self._issuer
        self._body = _key_document(self._issuer, tuple(keys))

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        if url != self._url:
            raise DocumentUnavailable(url)
        return FetchedDocument(url, self._body)


@lru_cache(maxsize=64)
def _key_document(issuer: str, keys: tuple[PublishedKey, ...]) -> bytes:
    return dump_json(did_document(issuer, keys))


# --- Sign an endorsement in both forms, and read both back as a verifier would (C-011)

# The list that will hold its bit may not have been published yet.
_ENDORSEMENT_READ_BACK: Final = Policy(check_status=False)


def issue_endorsement(
    endorsement: EndorsementCredential,
    *,
    signer: Signer,
    jwt_signer: Signer,
    at: datetime,
    documents: DocumentSource | None = None,
    in_force_at: datetime | None = None,
) -> SignedCredential:
    """An endorsement of one subject, signed with the endorser's keys `signer` and `jwt_signer`.

    `in_force_at`: the datetime of reading it back, for an endorsement that becomes valid later.

    NotFitToSign where a text or a link in it may not be signed, UnsafeDocument where a signature would not
    cover all of it, SelfCheckFailed where it would not verify.
    """
    document = endorsement.to_document()
    if faults := text_faults_of(document, signer=signer, at=at):
        raise NotFitToSign(faults)
    signed = SignedCredential(
        embedded=dump_json(add_proof(document, signer=signer, created=at)),
        token=sign_jwt(document, signer=jwt_signer),
    )
    published = documents or KeysOf(signer, jwt_signer)
    about = endorsement.credential_subject.id
    for written in (signed.embedded.decode(), signed.token):
        answer = verify_endorsement(
            written, documents=published, at=in_force_at or at, about=about, policy=_ENDORSEMENT_READ_BACK
        )
        if answer.outcome is not Outcome.PASSED and answer.reason != Reason.STATUS_LEFT_OUT:
            raise SelfCheckFailed(answer)
    return signed


def sign_anew(written: str, *, signer: Signer, jwt_signer: Signer, at: datetime) -> SignedCredential:
    """The same endorsement signed with another key of the same endorser; only the proof changes."""
    document = parse_json_object(written.encode())
    said = {name: value for name, value in document.items() if name != "proof"}
    return issue_endorsement(
        EndorsementCredential.from_document(said), signer=signer, jwt_signer=jwt_signer, at=at
    )


def signed_with(written: bytes) -> str:
    """The method that the embedded proof names; empty where there is none."""
    proof = parse_json_object(written).get("proof")
    method = proof.get("verificationMethod") if isinstance(proof, dict) else None
    return method if isinstance(method, str) else ""


# --- One badge for thousands: the shared part of their credentials is linted, canonicalised and read back
# once
#
# What each credential gets individually, before it is returned:
# - the lints: all of them, unless its own texts are of a kind in which none can find anything (`slots`);
# - a signature in each form, over the bytes that `issue` would sign;
# - both signatures checked with the verifier's own step, by the keys that the issuer's document publishes. The
#   whole verifier reads back the first credential of each batch and pattern, the first two of a kind that this
#   process never met, and every 128th after them, of all batches together.

Check = Callable[[bytes, bytes], bool]
"""Whether this signature of this message is valid for the published key."""

_MOST_PATTERNS: Final = 256
_READ_BACK_EVERY: Final = 128
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


@dataclass(frozen=True)
class _Pattern:
    kind: Kind
    template: Template
    digest_of_options: bytes
    claims: JsonObject
    """The token's claims besides the credential; two of them repeat the member's own values."""


_PatternKey = tuple[bytes, tuple[int, ...], tuple[str, ...]]
"""The shared part, which of the own values are equal, and the dates."""


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
        self._patterns: dict[_PatternKey, _Pattern] = {}
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
        alike = _alike(document)
        if alike is None:
            return None
        written, placed = alike
        key = written, placed.repeats(), placed.own_dates()
        pattern = self._patterns.get(key)
        if pattern is None:
            return self._first_of(key, placed, document)
        try:
            nquads = pattern.template.canonical_bytes(placed.values)
        except NotCovered:
            return None
        if not placed.is_easy:
            self._issuing.check(document)
        written = dump_json(document)[:-1]
        claims = dump_json(pattern.claims | _own_claims(document))
        text = signing_input(written + b"," + claims[1:], signer=self._issuing.jwt_signer)
        data = pattern.digest_of_options + digest(nquads)
        return Unsigned(document, pattern, written, data, text, text.encode())

    def _first_of(self, key: _PatternKey, placed: Slotted, document: JsonObject) -> SignedCredential:
        """Issued alone. The next are issued by the template of their kind, made for its second document."""
        signed, embedded, token = self._issuing.issue_with_reports(document)
        kind = _FORMS.kind_of(key[0])
        if kind is None or kind.template is None or "proof" in document:
            return signed
        if len(self._patterns) < _MOST_PATTERNS and placed.marks == key[0].count(_SIGN):
            if self._checks is None:
                self._checks = _check_by(embedded), _check_by(token)
                self._options = proof_options(self._issuing.signer, self._issuing.at)
            options = digest_of_options(document, self._options)
            self._patterns[key] = _Pattern(kind, kind.template, options, claims_of(document))
        return signed

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
        if not hold or unsigned.pattern.kind.meet() % _READ_BACK_EVERY == 0:
            try:
                self._issuing.read_back(signed, unsigned.document)
            except CredentialError as error:
                return error
        return signed


def _check_by(report: Report) -> Check:
    """With the published key that the verifier found."""
    return VerificationKey.from_jwk(report.key or {}).verify


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
