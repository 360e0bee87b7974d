"""Who else saw an award in the log, in sentences: and of one whose key was found stolen since, whether it was before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.language import N_
from app.language.sentences import Sentence, plain
from sceau_credentials.evidence.judging import EvidenceReport
from sceau_credentials.evidence.witnesses import Witnessed
from sceau_credentials.values.timestamps import parse_timestamp
from sceau_credentials.verification.findings.remarks import RemarkCode
from sceau_credentials.verification.report import Report

_SEEN_BY: Final = N_("Vu aussi par : {names}.")
_SEEN_BY_NOBODY: Final = N_("Aucun témoin extérieur n’a encore vu cette attribution au journal.")
_WITNESSED: Final = N_("{witness}, le {day}")
_AND: Final = "{one} ; {others}"
_SEEN_BEFORE: Final = N_(
    "Un témoin extérieur avait vu cette attribution avant que la clé soit volée : qu’elle soit d’avant ne repose pas "
    "sur le campus seul."
)
_NOT_SEEN_BEFORE: Final = N_(
    "Aucun témoin extérieur n’avait vu cette attribution avant que la clé soit volée : qu’elle soit d’avant repose "
    "sur le journal du campus seul."
)


def witnesses_told(evidence: EvidenceReport | None, report: Report | None) -> Sequence[Sentence]:
    """Nothing where nothing is known of witnesses, which is not the same as that there are none."""
    if evidence is None or evidence.witnesses is None:
        return ()
    seen, stolen = evidence.witnesses, _stolen_since(report)
    told = [Sentence(_SEEN_BY, {"names": _names(seen)}) if seen else Sentence(_SEEN_BY_NOBODY)]
    if stolen is not None:
        before = any(each.at < stolen for each in seen)
        told.append(Sentence(_SEEN_BEFORE if before else _NOT_SEEN_BEFORE))
    return told


def _names(seen: Sequence[Witnessed]) -> Sentence:
    first, *rest = seen
    one = Sentence(_WITNESSED, {"witness": plain(first.name), "day": first.at})
    return Sentence(_AND, {"one": one, "others": _names(rest)}) if rest else one


def _stolen_since(report: Report | None) -> datetime | None:
    for remark in report.remarks if report else ():
        if remark.code is RemarkCode.KEY_REVOKED_SINCE:
            return parse_timestamp(str(remark.details["withdrawn"]))
    return None
