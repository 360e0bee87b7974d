"""`sceau verify`: are these badges genuine, and still good? Files, standard input or links to this service."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from app.cli.terminal import ExitCode, aside, out
from app.errors import AppError, Unavailable
from app.language import N_, filled, labelled, system_cause
from app.language import gettext as _
from app.services.verification import verdicts
from app.services.verification.answers import Answer, IssuerStanding, is_listed, keys_in, standing_in
from app.services.verification.presented import CARRIERS, Lead, lead_of_carrier, lead_of_copy
from sceau_credentials.errors import CredentialError, MalformedInput, UnusableKey
from sceau_credentials.evidence.judging import EvidenceReport, judge_evidence
from sceau_credentials.keys import VerificationKey
from sceau_credentials.package import SIGNATURE as PACKAGE
from sceau_credentials.package import Anchors, Package, open_package, verify_package
from sceau_credentials.transparency_log.notes import NoteKey
from sceau_credentials.trust import PinnedNetwork, TrustList, TrustListRefused, read_trust_list
from sceau_credentials.values import DocumentSource, NoDocuments, format_timestamp, shifted
from sceau_credentials.verification.answers import EVIDENCE_FETCHES, FetchBudget
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.other_documents import verify_other
from sceau_credentials.verification.report import CheckId, Outcome, Report, Verdict
from sceau_credentials.verification.run_checks import verify as check

if TYPE_CHECKING:
    from app.container import Process

_LOGGER = logging.getLogger(__name__)
_MOST_BYTES = 32 * 1024 * 1024
_COLOURS = {"ok": "green", "past": "yellow", "bad": "bold red", "unk": "yellow", "shut": "dim"}
_CODES = {
    Verdict.VALID: ExitCode.DONE,
    Verdict.INVALID: ExitCode.REFUSED,
    Verdict.UNDETERMINED: ExitCode.UNDETERMINED,
}
_GRAVEST_FIRST = (ExitCode.UNUSABLE, ExitCode.REFUSED, ExitCode.UNDETERMINED, ExitCode.DONE)

Ask = Callable[[bytes | str], Answer]


@dataclass(frozen=True)
class VerifyOptions:
    """One source and its result; `answer` is None where it could not even be read."""

    source: str
    answer: Answer | None
    fault: str = ""
    packed_at: datetime | None = None
    """Date of the package of documents used for the verification, if any."""
    is_open: bool = False
    """Without an answer: whether one may be had later."""

    @property
    def verdict(self) -> Verdict:
        # A closed award is neither confirmed nor denied, and a document that leads to a badge was not
        # verified.
        return self.answer.verdict if self.answer else Verdict.UNDETERMINED

    @property
    def code(self) -> ExitCode:
        if self.answer is None and not self.is_open:
            return ExitCode.UNUSABLE
        return _CODES[self.verdict]


def moment(text: str) -> datetime:
    """2026-11-25 or 2026-11-25T10:00:00+01:00; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(_("« {text} » n’est pas une date ISO 8601.").format(text=text)) from error
    return shifted(at, timedelta()) if at.tzinfo else at.replace(tzinfo=UTC)


def verify(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…",
            help=N_(
                "Des fichiers (JSON, JWT, PNG, SVG, PDF, paquet ZIP), « - » pour l’entrée standard, ou des adresses de ce service : "
                "badge, code court, portfolio, recommandation, label, liste, clés, did:web."
            ),
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help=N_("Un rapport JSON par ligne."))] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help=N_("N’utilise ni réseau ni base de données."))
    ] = False,
    documents: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help=N_(
                "Un dossier de documents DID et de listes de statut, à la place du réseau et de la base."
            ),
        ),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            parser=moment, metavar="DATE", help=N_("Vérifie comme à ce moment (ISO 8601, UTC sans fuseau).")
        ),
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[ÉMETTEUR=]CLÉ",
            help=N_(
                "Une clé que vous connaissez (« z6Mk… », ou « did:web:…=z6Mk… ») ; à répéter pour plusieurs."
            ),
        ),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VKEY", help=N_("Un témoin de journaux que vous connaissez ; à répéter pour plusieurs.")
        ),
    ] = None,
    trust_list: Annotated[
        Path | None,
        typer.Option(
            "--trust-list",
            "--trust",
            exists=True,
            dir_okay=False,
            help=N_("Une liste signée de campus reconnus, gardée en fichier."),
        ),
    ] = None,
    network_key: Annotated[
        str, typer.Option(help=N_("La clé du réseau qui a signé cette liste (« z6Mk… »)."))
    ] = "",
) -> None:
    now = at or _now()
    lists = [_trust_list(trust_list, network_key, now)] if trust_list else []
    anchors = _anchors(pin or (), witness or ()).with_keys(keys_in(lists, at=now))
    process = None if offline or documents else _local_process()
    ask = _knowing(lists, _asker(process, documents, at), now)
    tell = _print_json if as_json else _print_words

    def about(source: str) -> VerifyOptions:
        return _ask_about(source, ask, lists, anchors, offline=offline, at=now)

    asked = [
        _ask_and_tell(each, about, tell) for source in sources for each in _addresses_in(source, process)
    ]
    raise typer.Exit(min((each.code for each in asked), key=_GRAVEST_FIRST.index))


# --- verification


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _asker(process: Process | None, documents: Path | None, at: datetime | None) -> Ask:
    if process is None:
        return _ask_of(_documents_in(documents) if documents else NoDocuments(), at or _now())
    return _ask_service(process, at)


def _documents_in(folder: Path) -> DocumentSource:
    from app.container import documents_in

    return documents_in(folder)


def _addresses_in(source: str, process: Process | None) -> Sequence[str]:
    """URLs inside this service that a source other than a file leads to, most often itself."""
    if process is None or source == "-" or _is_file(source):
        return [source]
    try:
        with process.unit_of_work(reading=True) as services:
            return services.batch_verification.addresses_in(source) or [source]
    except AppError:
        return [source]


def _is_file(source: str) -> bool:
    try:
        return Path(source).exists()
    except OSError:  # no file has so long a name: a pasted token
        return False


def _anchors(pins: Sequence[str], witnesses: Sequence[str]) -> Anchors:
    """Trust anchors without a package: keys, of one issuer or of any, and witnesses of logs."""
    keys: dict[str, frozenset[str]] = {}
    for pin in pins:
        issuer, _sep, written = pin.rpartition("=")
        try:
            thumbprint = VerificationKey.from_multikey(written).thumbprint()
        except UnusableKey as error:
            raise typer.BadParameter(
                _("« {text} » n’est pas une clé (« z6Mk… »).").format(text=pin)
            ) from error
        keys[issuer] = keys.get(issuer, frozenset()) | {thumbprint}
    try:
        return Anchors(keys, frozenset(NoteKey.from_vkey(each).to_vkey() for each in witnesses))
    except (CredentialError, ValueError) as error:
        raise typer.BadParameter(
            _("--witness demande ce que « sceau witness key » affiche chez le témoin.")
        ) from error


def _trust_list(file: Path, key: str, at: datetime) -> TrustList:
    try:
        return read_trust_list(file.read_bytes(), PinnedNetwork(VerificationKey.from_multikey(key)), at=at)
    except UnusableKey as error:
        raise typer.BadParameter(
            _("--trust-list demande --network-key, la clé du réseau (« z6Mk… »).")
        ) from error
    except TrustListRefused as error:
        from app.services.trust.labels import FOLLOWING_TROUBLES

        why = FOLLOWING_TROUBLES.get(error.reason, N_("ce n’est pas une liste de campus reconnus."))
        raise typer.BadParameter(_("La liste n’est pas acceptée : {why}").format(why=_(why))) from error


def _knowing(lists: Sequence[TrustList], ask: Ask, at: datetime) -> Ask:
    """The same answers, with the issuer's identity according to these lists."""

    def asked(presented: bytes | str) -> Answer:
        answer = ask(presented)
        if answer.other is not None and is_listed(lists, answer.other.issuer, at=at):
            return replace(answer, is_by_stranger=False)
        if not lists or answer.report is None or answer.report.document is None:
            return answer
        return replace(answer, standing=standing_in(lists, answer.report))

    return asked if lists else ask


def _ask_of(documents: DocumentSource, at: datetime) -> Ask:
    def ask(presented: bytes | str) -> Answer:
        report = check(presented, documents=documents, at=at)
        asked = FetchBudget(documents, EVIDENCE_FETCHES)
        evidence = judge_evidence(report.document, documents=asked) if report.document else None
        readable = report.check(CheckId.READABLE)
        if readable.reason == Reason.PRESENTED_IS_URL:
            return Answer(report, elsewhere=readable.details["url"], unread="offline")
        other = (
            None
            if readable.outcome is Outcome.PASSED
            else verify_other(presented, documents=documents, at=at)
        )
        lead = lead_of_copy(report)
        if (
            lead is None
            and isinstance(presented, bytes)
            and report.document is not None
            and report.container in CARRIERS
        ):
            text, whole = _seen_in_pages(presented) if report.container == "pdf" else ("", True)
            lead = lead_of_carrier(report.container, text, report.document, whole=whole)
        return Answer(report, evidence=evidence, other=other, is_by_stranger=other is not None, lead=lead)

    return ask


def _seen_in_pages(presented: bytes) -> tuple[str, bool]:
    from app.container import seen_in_pages

    seen = seen_in_pages(presented)
    return seen.text, seen.whole


def _ask_service(process: Process, at: datetime | None) -> Ask:
    from app.services.verification.verification import with_standing

    def ask(presented: bytes | str) -> Answer:
        with process.unit_of_work(reading=True) as services:
            service = services.verification
            answer = (
                service.verify_document(presented)
                if isinstance(presented, bytes)
                else service.verify(presented)
            )
            answer = service.with_evidence(answer)
            if at is None or answer.report is None:
                return answer
            documents = services.verification.documents
            # Only the question uses another date: a status list renewed with a false clock would be cached.
            report = check(answer.text or presented, documents=documents, at=at)
            if answer.record:
                report = with_standing(report, answer.record.award, at=at)
            return replace(answer, report=replace(report, container=answer.report.container))

    return ask


def _local_process() -> Process | None:
    """The local process, where its database answers: it knows its own keys and lists."""
    from pydantic import ValidationError

    from app.container import CANNOT_START, DatabaseUnreachable, Process
    from app.settings import Settings

    try:
        settings = Settings()
        if not _may_exist(settings.database_url):
            return None
        process = Process(settings)
        if not process.is_ready():
            return None
        # A copy older than what was published calls nothing of its campuses valid, here as in the service.
        process.compare_with_anchors(writing=False)
        return process
    except (ValidationError, DatabaseUnreachable, OSError, AppError, *CANNOT_START):
        return None


def _may_exist(database_url: str) -> bool:
    """Opening a missing SQLite file would create it."""
    scheme, _sep, place = database_url.partition(":///")
    return not scheme.startswith("sqlite") or Path(place.partition("?")[0]).is_file()


def _ask_and_tell(
    source: str, about: Callable[[str], VerifyOptions], tell: Callable[[VerifyOptions], None]
) -> VerifyOptions:
    """Checks one source; an error in it does not stop the others."""
    try:
        asked = about(source)
        tell(asked)
    except BrokenPipeError:  # the output was closed: `sceau verify … | head`
        raise
    except Exception:
        _LOGGER.exception("verification of %r failed", source)
        asked = VerifyOptions(
            source, None, _("erreur de ce programme, les autres sources ne sont pas touchées")
        )
        tell(asked)
    return asked


def _ask_about(
    source: str, ask: Ask, lists: Sequence[TrustList], anchors: Anchors, *, offline: bool, at: datetime
) -> VerifyOptions:
    try:
        if source.startswith(("https://", "http://", "did:web:")):
            return VerifyOptions(source, ask(source))
        presented = _bytes_of(source)
        if not presented.startswith(PACKAGE):
            return VerifyOptions(source, ask(presented))
        package = open_package(presented)
        if not offline:
            return VerifyOptions(source, ask(package.badge))
        ask = _knowing(lists, _ask_package(package, anchors, at), at)
        return VerifyOptions(source, ask(package.badge), packed_at=package.made_at)
    except MalformedInput as error:
        return VerifyOptions(
            source, None, _("ce n’est pas un paquet de vérification ({reason})").format(reason=error.reason)
        )
    except OSError as error:
        return VerifyOptions(source, None, system_cause(error))
    except Unavailable as error:
        return VerifyOptions(source, None, filled(_(error.sentence), error.values), is_open=True)


def _ask_package(package: Package, anchors: Anchors, at: datetime) -> Ask:
    def ask(presented: bytes | str) -> Answer:  # noqa: ARG001
        found = verify_package(package, anchors=anchors, at=at)
        return Answer(found.report, evidence=found.evidence)

    return ask


def _bytes_of(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(_MOST_BYTES)
    with Path(source).open("rb") as file:
        return file.read(_MOST_BYTES)


# --- output


def _print_words(asked: VerifyOptions) -> None:
    if asked.answer is None:
        aside().print(_fault(asked), style="bold red", markup=False)
        return
    for line in _lines(asked.source, asked.answer):
        out().print(line)
    if asked.packed_at is not None:
        out().print(Text("  " + _words_of_package(asked.packed_at), style="yellow"))
    out().print()


def _lines(source: str, answer: Answer) -> Iterator[Text]:
    headline = verdicts.headline(answer)
    colour = _COLOURS.get(headline.state, "")
    yield Text.assemble(labelled(source, ""), (headline.title(), f"bold {colour}"))
    yield Text(f"  {headline.text()}")
    if headline.advice is not None:
        yield Text(f"  {headline.advice.text()}", style="dim")
    if answer.report is None or answer.other is not None:
        return
    for document in verdicts.check_messages(
        answer.report, answer.campus, is_recognised=verdicts.is_recognised(answer)
    ):
        word = (_(document.word), _COLOURS.get(document.state, ""))
        yield Text.assemble(f"  · {labelled(_(document.title), '')}", word, f". {document.sentence.text()}")
    if answer.standing is not None:
        yield from _standing_lines(answer.standing)
    if answer.evidence is not None:
        said = verdicts.evidence_messages(answer.evidence, answer.report, answer.correction)
        yield Text(f"  {said.sentence.text()}", style=_COLOURS.get(said.state, ""))
        if said.beside is not None:
            yield Text(f"  {said.beside.text()}", style="dim")
        for seen in verdicts.witness_messages(answer.evidence, answer.report):
            yield Text(f"  {seen.text()}", style="dim")


def _standing_lines(standing: IssuerStanding) -> Iterator[Text]:
    messages = verdicts.standing_message(standing)
    yield Text(f"  {messages.sentence.text()}", style=_COLOURS.get(messages.state, ""))
    for warning in filter(None, (messages.warning, messages.advice)):
        yield Text(f"  {warning.text()}", style=_COLOURS["bad"])


def _words_of_package(packed_at: datetime) -> str:
    said = _(
        "D’après les seuls documents du paquet, datés par lui du {moment} : ce qui s’est passé depuis n’y est pas. "
        "Seules comptent les clés que vous connaissez."
    )
    return said.format(moment=format_timestamp(packed_at))


def _print_json(asked: VerifyOptions) -> None:
    document: dict[str, object] = {"source": asked.source, "verdict": asked.verdict.value}
    if asked.packed_at is not None:
        document["packedAt"] = format_timestamp(asked.packed_at)
    if asked.answer is None:
        document |= {"verdict": None, "error": _fault(asked)}
    else:
        headline = verdicts.headline(asked.answer)
        document |= {"headline": headline.title(), "message": headline.text(), "checks": []}
        if asked.answer.report is not None:
            document |= asked.answer.report.to_document() | {"verdict": asked.verdict.value}
            document["checks"] = _checks(asked.answer)
        if asked.answer.replaced_at is not None:
            document["replacedAt"] = format_timestamp(asked.answer.replaced_at)
        if asked.answer.renewed_until is not None:
            document["renewedUntil"] = format_timestamp(asked.answer.renewed_until)
        if asked.answer.other is not None:
            document["other"] = asked.answer.other.to_document()
        if asked.answer.lead is not None:
            document["leadsTo"] = _lead(asked.answer.lead, asked.answer.report)
        if asked.answer.standing is not None:
            document["issuerStanding"] = _standing(asked.answer.standing)
        if asked.answer.evidence is not None:
            document["evidence"] = _evidence(asked.answer.evidence, asked.answer.report)
    print(json.dumps(document, ensure_ascii=False))


def _lead(lead: Lead, report: Report | None) -> dict[str, object]:
    return {
        "kind": lead.kind.value,
        "address": lead.address,
        "badgeVerdict": report.verdict.value if report else None,
        "holder": verdicts.claims_of(report.document).holder if report and report.document else "",
        "name": lead.name.value,
        "written": lead.written,
        "differences": [
            {
                "about": each.about.value,
                "written": each.written,
                "signed": str(each.signed) if each.signed is not None else None,
                "message": verdicts.difference_message(each).text(),
            }
            for each in lead.differences
        ],
    }


def _standing(standing: IssuerStanding) -> dict[str, object]:
    document = verdicts.standing_message(standing)
    return {
        "kind": standing.kind.value,
        "message": document.sentence.text(),
        "network": standing.network or None,
        "knownAs": standing.known_as or None,
        "says": standing.says or None,
        "looksLike": standing.alike.known.id if standing.alike else None,
        "warning": document.warning.text() if document.warning else None,
    }


def _evidence(report: EvidenceReport, found: Report | None) -> dict[str, object]:
    document = verdicts.evidence_messages(report, found)
    decided = format_timestamp(report.decided_at) if report.decided_at else None
    return {
        "outcome": report.outcome.value,
        "reason": report.reason,
        "message": document.sentence.text(),
        "decidedAt": decided,
        "witnesses": _witnesses(report),
        "witnessed": [each.text() for each in verdicts.witness_messages(report, found)],
    }


def _witnesses(report: EvidenceReport) -> Sequence[dict[str, str]] | None:
    """None where it could not be determined."""
    if report.witnesses is None:
        return None
    return [{"name": each.name, "seenAt": format_timestamp(each.at)} for each in report.witnesses]


def _checks(answer: Answer) -> Sequence[dict[str, object]]:
    checks = answer.report.checks if answer.report else ()
    return [{**one.to_document(), "message": verdicts.sentence(one).text()} for one in checks]


def _fault(asked: VerifyOptions) -> str:
    return _("{path} ne peut pas être lu : {cause}.").format(path=asked.source, cause=asked.fault)
