"""Open Badges 3.0 credentials: build, sign, publish, verify.

The names below are the library's main API. External dependencies are arguments: documents
through a `DocumentSource`, the time as a `datetime`, keys as a `Signer`.

    signed = issue(OpenBadgeCredential.from_document(document), signer=..., jwt_signer=..., at=now)
    everybody = issue_many(credentials, signer=..., jwt_signer=..., at=now)  # one badge for thousands
    report = verify(signed.token, documents=source, at=now)
    report.verdict, [(answer.id, answer.outcome, answer.reason) for answer in report.checks]

Also public, each with its `__all__`: `baking`, `canonical`, `dids`, `issuing`, `keys`, `model`, `package`,
`status_list`, `transparency_log`, `trust`; and `errors`. Times are aware `datetime`s, durations `timedelta`s, sizes bytes.
"""

from sceau_credentials.baking import bake_png, bake_svg, unbake
from sceau_credentials.canonical import make_template
from sceau_credentials.errors import CredentialError
from sceau_credentials.issuing import SignedCredential, issue, issue_endorsement, issue_many
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, SigningKey, VerificationKey
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.status_list import StatusList
from sceau_credentials.values import DocumentsAtHand, DocumentSource, FetchedDocument, NoDocuments
from sceau_credentials.verification.answers import Identity, Policy
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome, Report, Verdict
from sceau_credentials.verification.run_checks import verify, verify_endorsement

__all__ = [
    "Algorithm",
    "CheckId",
    "CheckResult",
    "CredentialError",
    "DocumentSource",
    "DocumentsAtHand",
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
    "StatusList",
    "Verdict",
    "VerificationKey",
    "bake_png",
    "bake_svg",
    "issue",
    "issue_endorsement",
    "issue_many",
    "make_template",
    "unbake",
    "verify",
    "verify_endorsement",
]
