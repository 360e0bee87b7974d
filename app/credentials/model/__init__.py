"""Open Badges 3.0 and VC 2.0 documents as frozen, typed values."""

from app.credentials.model.achievement import (
    Achievement,
    Alignment,
    Criteria,
    Related,
    ResultDescription,
    RubricCriterionLevel,
)
from app.credentials.model.attachments import (
    BitstringStatusListEntry,
    CredentialSchema,
    CredentialStatus,
    Proof,
    RefreshService,
    TermsOfUse,
)
from app.credentials.model.award import AchievementSubject, Evidence, OpenBadgeCredential, Result
from app.credentials.model.endorsement import (
    EndorsementCredential,
    EndorsementSubject,
    Profile,
    VerifiableCredential,
)
from app.credentials.model.identity import (
    Address,
    GeoCoordinates,
    IdentifierEntry,
    IdentityObject,
    Image,
)

__all__ = [
    "Achievement",
    "AchievementSubject",
    "Address",
    "Alignment",
    "BitstringStatusListEntry",
    "CredentialSchema",
    "CredentialStatus",
    "Criteria",
    "EndorsementCredential",
    "EndorsementSubject",
    "Evidence",
    "GeoCoordinates",
    "IdentifierEntry",
    "IdentityObject",
    "Image",
    "OpenBadgeCredential",
    "Profile",
    "Proof",
    "RefreshService",
    "Related",
    "Result",
    "ResultDescription",
    "RubricCriterionLevel",
    "TermsOfUse",
    "VerifiableCredential",
]
