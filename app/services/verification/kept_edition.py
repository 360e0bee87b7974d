"""An edition of kept files judged from the files alone: nothing changed, and what each badge and each recommendation is worth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from app.services.verification.kept_site import AWARD_FORMS, SAID_FORMS, KeptFile
from sceau_credentials.errors import MalformedInput
from sceau_credentials.evidence.judging import EvidenceOutcome, judge_evidence
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.verification.findings.reasons import Reason
from sceau_credentials.verification.ladder import verify, verify_endorsement
from sceau_credentials.verification.report import CheckId, Outcome, Report, Verdict

_AWARD: Final = re.compile(rf"attributions/[0-9a-f-]{{36}}\.(?:{'|'.join(AWARD_FORMS)})")
_SAID: Final = re.compile(rf"recommandations/[0-9a-f-]{{36}}\.(?:{'|'.join(SAID_FORMS)})")
_SIGNED: Final = re.compile(rf"{_AWARD.pattern}|{_SAID.pattern}")
_MAY_END: Final = frozenset({CheckId.VALIDITY, CheckId.STATUS})
_ENDED: Final = frozenset({Reason.EXPIRED.value, Reason.REVOKED.value})


class Folder(Protocol):
    @property
    def documents(self) -> DocumentSource: ...

    def write(
        self, host: str, slug: str, kept: Iterable[tuple[str, bytes]], *, made_at: datetime, final: bool
    ) -> int: ...

    def changed(self) -> Iterator[str]: ...

    def files(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, Path]]: ...


@dataclass(frozen=True)
class Finding:
    """What one signed file is worth; `reasons` are those of the checks that did not hold."""

    path: str
    verdict: Verdict
    standing: str
    """good, ended (expired or withdrawn), unknown, wrong; elsewhere: signed by who publishes their keys themselves."""
    reasons: tuple[str, ...]

    @property
    def is_wrong(self) -> bool:
        return self.standing == "wrong"


class KeptEdition:
    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def write(self, host: str, slug: str, kept: Iterable[KeptFile], *, made_at: datetime, final: bool) -> int:
        pairs = ((file.path, file.body) for file in kept)
        return self.folder.write(host, slug, pairs, made_at=made_at, final=final)

    def changed(self) -> list[str]:
        return list(self.folder.changed())

    def signed(self) -> list[tuple[str, Path]]:
        """Every file that carries a badge, or what an organisation says."""
        return list(self.folder.files(_SIGNED))

    def judge(self, path: str, place: Path, *, at: datetime) -> Finding:
        if _SAID.search(path):
            return self._recommendation(path, place, at=at)
        return self._award(path, place, at=at)

    def _recommendation(self, path: str, place: Path, *, at: datetime) -> Finding:
        try:
            answer = verify_endorsement(
                place.read_text("utf-8", errors="replace"), documents=self._documents, at=at
            )
        except MalformedInput as error:
            return Finding(path, Verdict.INVALID, "wrong", (error.reason,))
        match answer.outcome:
            case Outcome.PASSED:
                return Finding(path, Verdict.VALID, "good", ())
            case Outcome.FAILED:
                standing = "ended" if answer.reason in _ENDED else "wrong"
                return Finding(path, Verdict.INVALID, standing, (answer.reason,))
            case _:
                is_known = answer.reason != Reason.KEY_DOCUMENT_UNAVAILABLE.value
                standing = "unknown" if is_known else "elsewhere"
                return Finding(path, Verdict.UNDETERMINED, standing, (answer.reason,))

    def _award(self, path: str, place: Path, *, at: datetime) -> Finding:
        report = verify(place.read_bytes(), documents=self._documents, at=at)
        failed = tuple(check for check in report.checks if check.outcome is Outcome.FAILED)
        reasons = tuple(check.reason for check in failed)
        if report.verdict is Verdict.VALID:
            return self._with_evidence(path, report)
        if report.verdict is Verdict.UNDETERMINED:
            return Finding(path, report.verdict, "unknown", reasons)
        ended = all(check.id in _MAY_END for check in failed)
        return Finding(path, report.verdict, "ended" if ended else "wrong", reasons)

    def _with_evidence(self, path: str, report: Report) -> Finding:
        evidence = judge_evidence(report.document or {}, documents=self._documents)
        if evidence is not None and evidence.outcome is EvidenceOutcome.FAILED:
            return Finding(path, Verdict.INVALID, "wrong", (evidence.reason,))
        return Finding(path, report.verdict, "good", ())

    @cached_property
    def _documents(self) -> DocumentSource:
        return self.folder.documents
