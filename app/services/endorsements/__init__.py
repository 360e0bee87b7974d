"""Endorsements by organisations without an account: asked for, signed, shown, taken back."""

from app.services.endorsements.asking import Asked, EndorsementAsking
from app.services.endorsements.checking import EndorsementsCheckedAgain
from app.services.endorsements.showing import EndorsementDocuments, EndorsementShowing, Shown
from app.services.endorsements.signing import EndorsementSigning, Told
from app.services.endorsements.subjects import EndorsementSubjects, Subject
from app.services.endorsements.taking_back import EndorsementsTakenBack

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
