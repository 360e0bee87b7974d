"""Open Badges 3.0 credentials: build, sign, publish, verify.

The names below are the library's face. What they need from outside comes in as an argument: documents
through a `DocumentSource`, the time as a `datetime`, keys as a `Signer`.

    signed = issue(OpenBadgeCredential.from_document(document), signer=..., jwt_signer=..., at=now)
    everybody = issue_many(credentials, signer=..., jwt_signer=..., at=now)  # one badge for thousands
    report = verify(signed.token, documents=source, at=now)
    report.verdict, [(answer.id, answer.outcome, answer.reason) for answer in report.checks]
"""

from sceau_credentials.baking import bake_png, bake_svg, unbake
from sceau_credentials.errors import CredentialError
from sceau_credentials.issuing import SignedCredential, issue, issue_endorsement, issue_many
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, SigningKey, VerificationKey
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.values.documents import DocumentSource, FetchedDocument, NoDocuments
from sceau_credentials.verification.findings.reasons import Reason
from sceau_credentials.verification.ladder import verify, verify_endorsement
from sceau_credentials.verification.policy import Identity, Policy
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome, Report, Verdict

__all__ = [
    "Algorithm",
    "CheckId",
    "CheckResult",
    "CredentialError",
    "DocumentSource",
    "FetchedDocument",
    "Identity",
    "LocalSigningKey",
    "NoDocuments",
    "OpenBadgeCredential",
    "Outcome",
    "Policy",
    "Reason",
    "Report",
    "SignedCredential",
    "Signer",
    "SigningKey",
    "Verdict",
    "VerificationKey",
    "bake_png",
    "bake_svg",
    "issue",
    "issue_endorsement",
    "issue_many",
    "unbake",
    "verify",
    "verify_endorsement",
]
