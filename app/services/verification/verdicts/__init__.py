"""A verification said in sentences for somebody who has never heard of Open Badges: words and values, no HTML."""

from app.domain.core import duration
from app.language.sentences import Sentence, plain
from app.services.verification.verdicts.checks import (
    AlignedTo,
    CheckTold,
    Claims,
    EvidencePiece,
    beside,
    claims_of,
    place_of,
    remarks,
    sentence,
    told,
)
from app.services.verification.verdicts.evidence import (
    EndorsementTold,
    EvidenceTold,
    LabelTold,
    LineTold,
    endorsements,
    evidence_told,
    label_listed,
    label_told,
    witnesses_told,
)
from app.services.verification.verdicts.headlines import (
    Headline,
    HeadlineKind,
    difference_told,
    headline,
    is_recognised,
    limits,
)
from app.services.verification.verdicts.standing import StandingTold, standing_told

__all__ = [
    "AlignedTo",
    "CheckTold",
    "Claims",
    "EndorsementTold",
    "EvidencePiece",
    "EvidenceTold",
    "Headline",
    "HeadlineKind",
    "LabelTold",
    "LineTold",
    "Sentence",
    "StandingTold",
    "beside",
    "claims_of",
    "difference_told",
    "duration",
    "endorsements",
    "evidence_told",
    "headline",
    "is_recognised",
    "label_listed",
    "label_told",
    "limits",
    "place_of",
    "plain",
    "remarks",
    "sentence",
    "standing_told",
    "told",
    "witnesses_told",
]
