"""A verification said in sentences for somebody who has never heard of Open Badges: words and values, no HTML."""

from app.domain.activity_log import duration
from app.services.verdicts.checks import CheckTold, beside, place_of, sentence, told
from app.services.verdicts.claims import AlignedTo, Claims, EvidencePiece, claims_of
from app.services.verdicts.endorsements import EndorsementTold, endorsements
from app.services.verdicts.evidence import EvidenceTold, LineTold, evidence_told
from app.services.verdicts.headlines import Headline, HeadlineKind, headline
from app.services.verdicts.limits import limits
from app.services.verdicts.remarks import remarks
from app.services.verdicts.sentences import Sentence, plain

__all__ = [
    "AlignedTo",
    "CheckTold",
    "Claims",
    "EndorsementTold",
    "EvidencePiece",
    "EvidenceTold",
    "Headline",
    "HeadlineKind",
    "LineTold",
    "Sentence",
    "beside",
    "claims_of",
    "duration",
    "endorsements",
    "evidence_told",
    "headline",
    "limits",
    "place_of",
    "plain",
    "remarks",
    "sentence",
    "told",
]
