"""Whether stored credentials still hold: both forms against their issuer's keys, and one form against the
other.

The checks are the verifier's. The shared part of one badge's credentials is canonicalised once, as in
issuing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sceau_credentials.canonical import canonical_bytes
from sceau_credentials.canonical.tables import NotCovered
from sceau_credentials.errors import CredentialError, MalformedInput
from sceau_credentials.issuing.forms import TemplatedForms
from sceau_credentials.issuing.slots import take_apart_with_dates
from sceau_credentials.keys import VerificationKey, decode_base64url, decode_multibase
from sceau_credentials.proofs.cryptosuites import digest, digest_of_options
from sceau_credentials.proofs.vc_jwt import claim_problems, claims_of, credential_of, parse_compact_jws
from sceau_credentials.values.json_text import JsonObject, dump_json, parse_json_object

_MOST_PATTERNS: Final = 1_024


class StoredFault(StrEnum):
    UNREADABLE = "unreadable"
    EMBEDDED_SIGNATURE = "embedded_signature"
    TOKEN_SIGNATURE = "token_signature"  # noqa: S105
    UNKNOWN_KEY = "unknown_key"
    FORMS_DIFFER = "forms_differ"


@dataclass(frozen=True)
class Checked:
    """The content of the embedded form, without its proof; None where it cannot be read."""

    document: JsonObject | None
    faults: tuple[StoredFault, ...]


class StoredCredentials:
    """`keys`: all keys the issuers ever published, by verification method, under both of a key's names."""

    def __init__(self, keys: Mapping[str, VerificationKey]) -> None:
        self._keys = keys
        self._forms = TemplatedForms(_MOST_PATTERNS)
        self._headers: dict[str, VerificationKey | None] = {}

    def check(self, embedded: bytes, token: str) -> Checked:
        try:
            document = parse_json_object(embedded)
            proof = document.pop("proof", None)
            if isinstance(proof, list) and len(proof) == 1:
                proof = proof[0]
            if not isinstance(proof, dict):
                return Checked(document, (StoredFault.EMBEDDED_SIGNATURE,))
            faults = [self._of_embedded(document, dict(proof)), self._of_token(document, embedded, token)]
        except (CredentialError, ValueError, UnicodeDecodeError):
            return Checked(None, (StoredFault.UNREADABLE,))
        return Checked(document, tuple(fault for fault in faults if fault is not None))

    def _of_embedded(self, document: JsonObject, proof: JsonObject) -> StoredFault | None:
        value, method = proof.pop("proofValue", None), proof.get("verificationMethod")
        key = self._keys.get(method) if isinstance(method, str) else None
        if key is None:
            return StoredFault.UNKNOWN_KEY
        if proof.get("cryptosuite") != "eddsa-rdfc-2022" or not isinstance(value, str):
            return StoredFault.EMBEDDED_SIGNATURE
        try:
            data = digest_of_options(document, proof) + digest(self._canonical(document))
            holds = key.verify(decode_multibase(value, "z"), data)
        except CredentialError:
            holds = False
        return None if holds else StoredFault.EMBEDDED_SIGNATURE

    def _of_token(self, document: JsonObject, embedded: bytes, token: str) -> StoredFault | None:
        text, _, signature = token.rpartition(".")
        header, _, payload = text.partition(".")
        key = self._key_of(header, token)
        if key is None:
            return StoredFault.UNKNOWN_KEY
        if not key.verify(decode_base64url(signature), text.encode()):
            return StoredFault.TOKEN_SIGNATURE
        said = decode_base64url(payload)
        # As issued: the same members in the same order, then the proof in one form and the claims in the other.
        written = embedded[: embedded.rfind(b',"proof":')]
        if said == b"".join((written, b",", dump_json(claims_of(document))[1:])):
            return None
        claims = parse_json_object(said)
        if credential_of(claims) != document or claim_problems(claims):
            return StoredFault.FORMS_DIFFER
        return None

    def _key_of(self, header: str, token: str) -> VerificationKey | None:
        if header not in self._headers:
            if len(self._headers) >= _MOST_PATTERNS:
                self._headers.clear()
            kid = parse_compact_jws(token).kid
            self._headers[header] = self._keys.get(kid) if kid else None
        return self._headers[header]

    def _canonical(self, document: JsonObject) -> bytes:
        try:
            placed = take_apart_with_dates(document)
            known = self._forms.canonical_bytes(document, dump_json(placed.marked), placed)
        except (NotCovered, MalformedInput):
            known = None
        return canonical_bytes(document) if known is None else known
