"""Records of a check: a dated page to print, the report for programs, and everything needed to check
again."""

from __future__ import annotations

import hashlib
import uuid
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.container import Services
from app.domain.awards import Visibility
from app.http.pages.forms import SafeForm, text_of, untouched_text_of
from app.http.request_scope import SnapshotServices, limited, public
from app.language import N_, current_locale, translated
from app.services.awards.papers import CheckWords
from app.services.publishing import Published
from app.services.verification.answers import Answer
from app.web.verification.verification_page import AnswerShown, closed_page, shown
from sceau_credentials.values import dump_json

router = APIRouter()
_ITS_OWN_WORDS = N_("Ce nom est celui que l'émetteur se donne. Nous n'avons vérifié que sa signature.")
FORM_FIELD, TEXT_FIELD = "trace", "texte"


class Trace(StrEnum):
    PDF = "pdf"
    JSON = "json"
    ZIP = "zip"


@router.post("/verifier/trace", dependencies=[limited("verify")])
@public
def keep_trace(request: Request, services: SnapshotServices, form: SafeForm) -> Response:  # noqa: ARG001
    """The form contains the badge, which is checked again: it was not stored in between."""
    text, wanted = untouched_text_of(form, TEXT_FIELD).strip(), text_of(form, FORM_FIELD)
    if not text or wanted not in set(Trace):
        return RedirectResponse("/verifier", status_code=303)
    return _handed(services, services.verification.verify(text), Trace(wanted))


@router.get("/attributions/{award_id:uuid}/trace", dependencies=[limited("verify")])
@public
def keep_trace_of_award(
    award_id: uuid.UUID, request: Request, services: SnapshotServices, trace: str = ""
) -> Response:
    """The same for a badge of this service: it need not be sent with the form."""
    record = services.awards.record(award_id)
    if record.award.visibility is not Visibility.OPEN:
        return closed_page(request, services)
    if trace not in set(Trace):
        return RedirectResponse(f"/attributions/{award_id}", status_code=303)
    return _handed(services, services.verification.verify_award(record), Trace(trace))


def _handed(services: Services, answer: Answer, wanted: Trace) -> Response:
    trace = _trace(services, answer, wanted)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="verification.{wanted}"',
        "X-Robots-Tag": "noindex, nofollow",
    }
    return Response(trace.body, media_type=trace.media_type, headers=headers)


def _trace(services: Services, answer: Answer, wanted: Trace) -> Published:
    if answer.report is None or wanted is Trace.JSON:
        return Published.of(
            dump_json(answer.report.to_document() if answer.report else {}), "application/json"
        )
    if wanted is Trace.ZIP:
        return services.verification.package_of_text(answer.text)
    return services.papers.check(_words(services, answer, shown(services, answer)), answer.text)


def _words(services: Services, answer: Answer, view: AnswerShown) -> CheckWords:
    record = answer.record
    address = (
        services.addresses.short_in_print(record.award.id)
        if record
        else services.addresses.verifier().partition("://")[2]
    )
    return CheckWords(
        lang=current_locale(),
        title=translated("Vérification d’un badge"),
        author="Sceau",
        by=translated("Vérification d’un badge, faite par {host}").format(host=services.addresses.host),
        warning=_warning(view),
        state=view.state,
        word=view.word,
        sentence=view.sentence,
        when=translated("Vérifié le {moment}").format(moment=view.when),
        facts=_facts(view),
        checks=_checks(view),
        lists=[
            (title, list(sentences))
            for title, sentences in (
                (translated("À savoir aussi"), view.remarks),
                (translated("Ce que cela ne prouve pas"), view.limits),
            )
            if sentences
        ],
        technical_title=translated("Données techniques"),
        technical=[
            *view.technical,
            (
                translated("Empreinte du badge (SHA-256)"),
                hashlib.sha256(answer.text.encode()).hexdigest(),
            ),
        ],
        plate=address,
        check_title=translated("Ce qui était vrai ce jour-là peut avoir changé."),
        check_words=translated(
            "Cette page n’est pas signée : elle vous sert de mémoire. Pour être sûr, vérifiez à nouveau : le "
            "badge est joint à ce PDF, que l’on peut déposer tel quel."
        ),
        code_words=translated("Code QR : {address}").format(address=address),
        foot=translated("Rien n’a été gardé de cette vérification."),
        attached_words=translated("Le badge qui a été vérifié"),
    )


def _facts(view: AnswerShown) -> list[tuple[str, str]]:
    """The content of the badge, only where its signer is known."""
    if view.badge is None or view.issuer is None:
        return []
    facts = [
        (translated("Qui"), view.badge.holder or translated("Le badge ne contient pas de nom")),
        (translated("A fait quoi"), view.badge.title),
        (translated("Jugé comment"), view.badge.assessed),
        (translated("Par qui"), view.issuer.name),
        (translated("Quand"), view.badge.awarded),
        (translated("Encore valable"), view.still.words if view.still else ""),
    ]
    return [(label, value) for label, value in facts if value]


def _warning(view: AnswerShown) -> list[str]:
    standing = view.standing
    if standing is None or not standing.warning:
        return []
    return [translated("À lire avant tout"), f"{standing.warning} {standing.advice}".strip()]


def _issuer(view: AnswerShown) -> list[tuple[str, str, str, str]]:
    """Trust in the issuer: registers first, self-description second; then its labels."""
    issuer, standing = view.issuer, view.standing
    if issuer is None:
        return []
    lines = []
    if standing is not None:
        lines.append((standing.state, standing.word, standing.sentence, standing.detail))
    elif not issuer.is_ours:
        lines.append(("unk", translated("Non vérifié"), translated(_ITS_OWN_WORDS), ""))
    verdicts = [*(each.verdict for each in issuer.labels), *issuer.listed]
    return [*lines, *((each.state, each.word, each.sentence, each.detail) for each in verdicts)]


def _checks(view: AnswerShown) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    parts = [
        (translated("Qui l'a attribué"), _issuer(view)),
        (
            translated("Ce que nous avons vérifié"),
            [(each.state, each.word or each.title, each.sentence, each.detail) for each in view.checks],
        ),
        (
            translated("Ce que d’autres en disent"),
            [(each.state, each.word, each.sentence, each.detail) for each in view.endorsements],
        ),
    ]
    return [(title, lines) for title, lines in parts if lines]
