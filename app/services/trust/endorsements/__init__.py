"""Endorsements by organisations without an account: asked for, signed, shown, taken back."""

from app.services.trust.endorsements.asking import Asked, EndorsementAsking
from app.services.trust.endorsements.checking import EndorsementsCheckedAgain
from app.services.trust.endorsements.showing import EndorsementDocuments, EndorsementShowing, Shown
from app.services.trust.endorsements.signing import EndorsementSigning, Told
from app.services.trust.endorsements.subjects import EndorsementSubjects, Subject
from app.services.trust.endorsements.taking_back import EndorsementsTakenBack

__all__ = [
    "Asked",
    "EndorsementAsking",
    "EndorsementDocuments",
    "EndorsementShowing",
    "EndorsementSigning",
    "EndorsementSubjects",
    "EndorsementsCheckedAgain",
    "EndorsementsTakenBack",
    "Shown",
    "Subject",
    "Told",
]
