"""Turn a credential into signed bytes that have passed our own verifier once."""

from sceau_credentials.issuing.signing import (
    Batch,
    Prepared,
    SignedCredential,
    issue,
    issue_endorsement,
    issue_many,
    sign_anew,
    signed_with,
)

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
