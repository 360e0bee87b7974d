"""Lint, sign in both forms, and read both back as an employer would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from app.credentials.canonical.tables import NotCovered
from app.credentials.canonical.templates import MARK_SIGN
from app.credentials.dids import PublishedKey, did_document, did_web_document_url, jwt_method_id
from app.credentials.documents import DocumentSource, FetchedDocument
from app.credentials.errors import DocumentUnavailable, NotFitToSign, SelfCheckFailed
from app.credentials.issuing.draft import Draft
from app.credentials.issuing.lints import faults_of, faults_of_another
from app.credentials.issuing.lints.times import DATES
from app.credentials.issuing.places import take_apart
from app.credentials.json_text import JsonObject, dump_exactly, dump_json
from app.credentials.keys import Signer, VerificationKey, encode_base64url
from app.credentials.model import OpenBadgeCredential
from app.credentials.proofs.data_integrity import add_proof
from app.credentials.proofs.vc_jwt import claims_of, signing_input
from app.credentials.verification.ladder import verify
from app.credentials.verification.policy import Policy
from app.credentials.verification.reasons import Reason
from app.credentials.verification.report import Outcome, Report


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
    """Sign a credential whose validity begins now.

    `documents` serves the issuer's published key document for the reading back; without it the document
    is the one these two signers would publish. NotFitToSign comes before any key is used, SelfCheckFailed
    after, and then nothing that was signed leaves this function.
    """
    issuing = Issuing(signer, jwt_signer, at, documents or KeysOf(signer, jwt_signer))
    return issuing.issue(credential.to_document())


@dataclass(frozen=True)
class Issuing:
    """The signers and the moment, and where the issuer's published keys are read."""

    signer: Signer
    jwt_signer: Signer
    at: datetime
    documents: DocumentSource

    def issue(self, document: JsonObject) -> SignedCredential:
        self.check(document)
        signed = SignedCredential(
            embedded=dump_json(add_proof(document, signer=self.signer, created=self.at)),
            token=self._token(document),
        )
        self.read_back(signed, document)
        return signed

    def _token(self, document: JsonObject) -> str:
        """As `sign_jwt`, the same bytes in less time."""
        text = signing_input(dump_json(document | claims_of(document)), signer=self.jwt_signer)
        return f"{text}.{encode_base64url(self.jwt_signer.key.sign(text.encode()))}"

    def check(self, document: JsonObject) -> None:
        """NotFitToSign where a lint finds something."""
        draft = Draft(document, signer=self.signer, jwt_signer=self.jwt_signer, at=self.at)
        shared = self._what_is_shared(document)
        if shared in _without_fault and not faults_of_another(draft):
            return
        if faults := faults_of(draft):
            raise NotFitToSign(faults)
        if shared is not None:
            if len(_without_fault) >= _MOST_WITHOUT_FAULT:
                _without_fault.clear()
            _without_fault.add(shared)

    def _what_is_shared(self, document: JsonObject) -> _Shared | None:
        """What the lints judge of this credential but for its dates; None where its own texts have to be linted.

        As in a batch: no lint finds anything in texts called easy. None of them may be another's either: evidence is
        named once.
        """
        keys = self.signer.key.public, self.jwt_signer.key.public
        try:
            placed = take_apart(document)
        except NotCovered:
            return None
        marked = placed.marked
        for member in DATES:
            if isinstance(marked.get(member), str):
                marked[member] = ""
        written = dump_exactly(marked)
        if not 0 < len(written) <= _LONGEST_SHARED or not placed.is_easy:
            return None
        if len(set(placed.values)) != len(placed.values) or written.count(_SIGN) != placed.marks:
            return None
        if not all(isinstance(key, VerificationKey) for key in keys):
            return None
        return written, self.signer.verification_method, self.jwt_signer.verification_method, *keys

    def read_back(self, signed: SignedCredential, document: JsonObject) -> tuple[Report, Report]:
        """What an employer would find, of the embedded form and of the token; SelfCheckFailed if not all is well."""
        return self._read_back(signed.embedded, document), self._read_back(signed.token, document)

    def _read_back(self, written: bytes | str, document: JsonObject) -> Report:
        report = verify(written, documents=self.documents, at=self.at, policy=_READ_BACK)
        if not _is_good(report) or report.document != document:
            raise SelfCheckFailed(report)
        return report


_Shared = tuple[bytes, str, str, VerificationKey, VerificationKey]
_MOST_WITHOUT_FAULT: Final = 256
_LONGEST_SHARED: Final = 16 * 1024
_SIGN: Final = MARK_SIGN.encode()
_without_fault: Final[set[_Shared]] = set()
"""What credentials share in which no lint found anything, by the very bytes it is written as and the keys."""

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
