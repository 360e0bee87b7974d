"""A verification said in sentences for somebody who has never heard of Open Badges: words and values, no HTML."""

from app.domain.core.durations import duration
from app.language.sentences import Sentence, plain
from app.services.verification.verdicts.checks import CheckTold, beside, place_of, sentence, told
from app.services.verification.verdicts.claims import AlignedTo, Claims, EvidencePiece, claims_of
from app.services.verification.verdicts.endorsements import EndorsementTold, endorsements
from app.services.verification.verdicts.evidence import EvidenceTold, LineTold, evidence_told
from app.services.verification.verdicts.headlines import (
    Headline,
    HeadlineKind,
    difference_told,
    headline,
    is_recognised,
)
from app.services.verification.verdicts.labels import LabelTold, label_listed, label_told
from app.services.verification.verdicts.limits import limits
from app.services.verification.verdicts.remarks import remarks
from app.services.verification.verdicts.standing import StandingTold, standing_told
from app.services.verification.verdicts.witnesses import witnesses_told

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
