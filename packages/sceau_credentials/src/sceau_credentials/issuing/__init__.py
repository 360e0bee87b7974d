"""Turn a credential into signed bytes that have passed our own verifier once."""

from sceau_credentials.issuing.batch import Batch, Prepared, issue_many
from sceau_credentials.issuing.endorsing import issue_endorsement, sign_anew, signed_with
from sceau_credentials.issuing.signing import SignedCredential, issue

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
