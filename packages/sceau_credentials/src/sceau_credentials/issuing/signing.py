"""Lint, sign in both forms, and read both back as an employer's verifier would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sceau_credentials.canonical import keep_canonical_form
from sceau_credentials.canonical.tables import NotCovered
from sceau_credentials.canonical.templates import MARK_SIGN
from sceau_credentials.dids import PublishedKey, did_document, did_web_document_url, jwt_method_id
from sceau_credentials.errors import CredentialError, DocumentUnavailable, NotFitToSign, SelfCheckFailed
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.forms import TemplatedForms
from sceau_credentials.issuing.lints import faults_of, faults_of_another
from sceau_credentials.issuing.slots import Slotted, take_apart_with_dates
from sceau_credentials.keys import Signer, VerificationKey, encode_base64url, encode_multibase
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.proofs.cryptosuites import digest_of_options
from sceau_credentials.proofs.data_integrity import add_proof, proof_options
from sceau_credentials.proofs.vc_jwt import claims_of, jws_that_says, signing_input, verify_jws
from sceau_credentials.values.documents import DocumentSource, FetchedDocument
from sceau_credentials.values.json_text import JsonObject, dump_exactly, dump_json
from sceau_credentials.verification.answers import FetchBudget, Policy
from sceau_credentials.verification.findings import Reason, found
from sceau_credentials.verification.issuer_keys import IssuerKeys
from sceau_credentials.verification.report import CheckId, Outcome, Report
from sceau_credentials.verification.run_checks import verify


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

    def issue(self, document: JsonObject) -> SignedCredential:
        alike = _alike(document)
        self._check(document, alike)
        signed = (alike and self._signed_as_others(document, alike)) or self._signed(document)
        self.read_back(signed, document)
        return signed

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

        As in a batch: no lint finds anything in easy texts. None of them may equal another's either: evidence
        is named once.
        """
        if alike is None:
            return None
        keys = self.signer.key.public, self.jwt_signer.key.public
        written, placed = alike
        own = placed.values[: len(placed.values) - placed.dates]
        if not placed.is_easy or len(set(own)) != len(own) or written.count(_SIGN) != placed.marks:
            return None
        if not all(isinstance(key, VerificationKey) for key in keys):
            return None
        return written, self.signer.verification_method, self.jwt_signer.verification_method, *keys

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
_Shared = tuple[bytes, str, str, VerificationKey, VerificationKey]
_MOST_WITHOUT_FAULT: Final = 256
_LONGEST_SHARED: Final = 16 * 1024
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
