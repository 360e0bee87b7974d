"""Open Badges 3.0 and VC 2.0 documents as frozen, typed values."""

from sceau_credentials.model.achievement import (
    Achievement,
    Alignment,
    Criteria,
    Related,
    ResultDescription,
    RubricCriterionLevel,
)
from sceau_credentials.model.attachments import (
    BitstringStatusListEntry,
    CredentialSchema,
    CredentialStatus,
    Proof,
    RefreshService,
    TermsOfUse,
)
from sceau_credentials.model.award import AchievementSubject, Evidence, OpenBadgeCredential, Result
from sceau_credentials.model.endorsement import (
    EndorsementCredential,
    EndorsementSubject,
    Profile,
    VerifiableCredential,
)
from sceau_credentials.model.identity import Address, GeoCoordinates, IdentifierEntry, IdentityObject, Image

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
