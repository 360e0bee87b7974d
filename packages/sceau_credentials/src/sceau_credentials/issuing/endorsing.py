"""Sign an endorsement in both forms, and read both back as a verifier would (C-011)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sceau_credentials.errors import NotFitToSign, SelfCheckFailed
from sceau_credentials.issuing.lints import text_faults_of
from sceau_credentials.issuing.signing import KeysOf, SignedCredential
from sceau_credentials.keys import Signer
from sceau_credentials.model import EndorsementCredential
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import dump_json, parse_json_object
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import Outcome
from sceau_credentials.verification.run_checks import verify_endorsement

# The list that will hold its bit may not have been published yet.
_READ_BACK: Final = Policy(check_status=False)


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
            written, documents=published, at=in_force_at or at, about=about, policy=_READ_BACK
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
