"""From a credential to signed bytes that have passed our own verifier once."""

from app.credentials.issuing.batch import Batch, Prepared, issue_many
from app.credentials.issuing.endorsing import issue_endorsement, sign_anew, signed_with
from app.credentials.issuing.signing import SignedCredential, issue

__all__ = [
    "Batch",
    "Prepared",
    "SignedCredential",
    "issue",
    "issue_endorsement",
    "issue_many",
    "sign_anew",
    "signed_with",
]
