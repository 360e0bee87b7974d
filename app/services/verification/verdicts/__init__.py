"""Messages of a verification, for readers new to Open Badges: texts and values, no HTML."""

from app.domain.campus.signed_terms import duration
from app.language import Sentence, plain
from app.services.verification.verdicts.checks import (
    AlignedTo,
    CheckMessage,
    Claims,
    EvidencePiece,
    beside,
    check_messages,
    claims_of,
    place_of,
    remarks,
    sentence,
    signed_again,
)
from app.services.verification.verdicts.evidence import (
    EndorsementMessage,
    EvidenceLine,
    EvidenceMessages,
    LabelMessage,
    endorsements,
    evidence_messages,
    label_listed,
    label_message,
    witness_messages,
)
from app.services.verification.verdicts.headlines import (
    Headline,
    HeadlineKind,
    difference_message,
    headline,
    is_part,
    is_recognised,
    limits,
)
from app.services.verification.verdicts.standing import StandingMessage, standing_message

__all__ = [
    "AlignedTo",
    "CheckMessage",
    "Claims",
    "EndorsementMessage",
    "EvidenceLine",
    "EvidenceMessages",
    "EvidencePiece",
    "Headline",
    "HeadlineKind",
    "LabelMessage",
    "Sentence",
    "StandingMessage",
    "beside",
    "check_messages",
    "claims_of",
    "difference_message",
    "duration",
    "endorsements",
    "evidence_messages",
    "headline",
    "is_part",
    "is_recognised",
    "label_listed",
    "label_message",
    "limits",
    "place_of",
    "plain",
    "remarks",
    "sentence",
    "signed_again",
    "standing_message",
    "witness_messages",
]
