"""A holder's rating of a badge, and the campus's decisions on the sentences of ratings."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.learners.ratings import (
    LONGEST_SENTENCE,
    BadgeRating,
    SentenceState,
    check_may_rate,
    may_write_sentence,
    rated_from,
    sentence_digest,
)
from app.errors import Conflict, InvalidInput, NotSignedIn
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.words import day
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.response_cache import HOLDER, holder_of
from app.http.workplaces import at_work, staff
from app.language import N_, translated
from app.services.accounts.sessions import SignedIn
from app.web.learners.learner import badge_page, my_badge

router = APIRouter(prefix="/mes-badges/{award_id:uuid}/avis")
SCORES = (
    ("5", N_("Très utile")),
    ("4", N_("Utile")),
    ("3", N_("Moyennement utile")),
    ("2", N_("Peu utile")),
    ("1", N_("Pas utile")),
)
_STATES = {
    SentenceState.WAITING: N_("La phrase attend que le campus la relise."),
    SentenceState.SHOWN: N_("La phrase est publiée, sans nom."),
    SentenceState.DECLINED: N_("Le campus n’a pas publié la phrase. La note compte quand même."),
}
_DONE = {"note": N_("C’est noté. Merci."), "retire": N_("C’est fait : l’avis est retiré.")}


@router.get("", dependencies=[HOLDER])
def show_mine(
    award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    rating = services.ratings.of_holder(services.awards.record(award_id))
    return _mine(
        request,
        services,
        award_id,
        score=str(rating.score) if rating else "",
        sentence=rating.sentence if rating else "",
        done=translated(_DONE[fait]) if fait in _DONE else "",
    )


@router.post("", dependencies=[HOLDER])
def rate(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    score, sentence = text_of(form, "note"), text_of(form, "phrase")
    withdraws = text_of(form, "geste") == "retirer"
    try:
        with write_transaction(request) as writing:
            who, record = holder_of(award_id, request, writing), writing.awards.record(award_id)
            if not withdraws:
                check_may_rate(record.award, at=writing.clock())
            if not isinstance(who, SignedIn):
                # The campus has the private links too: with one alone it could rate for the holder.
                raise NotSignedIn("Pour donner votre avis, connectez-vous : un lien privé ne suffit pas.")
            if withdraws:
                writing.ratings.withdraw(record)
            else:
                writing.ratings.rate(record, score=score, sentence=sentence)
    except InvalidInput as error:
        return _mine(request, services, award_id, score=score, sentence=sentence, error=error)
    done = "retire" if withdraws else "note"
    return RedirectResponse(f"/mes-badges/{award_id}/avis?fait={done}", status_code=303)


def _mine(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    *,
    score: str,
    sentence: str,
    done: str = "",
    error: InvalidInput | None = None,
) -> HTMLResponse:
    record = services.awards.record(award_id)
    rating: BadgeRating | None = services.ratings.of_holder(record)
    first = rated_from(record.award)
    who = holder_of(award_id, request, services)
    answer = badge_page(
        request,
        services,
        my_badge(services, who, award_id),
        "rating",
        status=status_for(error),
        scores=[(value, translated(words), "") for value, words in SCORES],
        score=score,
        sentence=sentence,
        longest=LONGEST_SENTENCE,
        may_write=may_write_sentence(record.person, record.activity),
        is_rated=rating is not None,
        is_signed_in=isinstance(who, SignedIn),
        state=translated(_STATES[rating.sentence_state])
        if rating and rating.sentence_state in _STATES
        else "",
        opens_on=day(first, record.campus.time_zone) if services.clock() < first else "",
        note=done,
        score_error=sentence_of(error) if error and score not in dict(SCORES) else "",
        sentence_error=sentence_of(error) if error and score in dict(SCORES) else "",
    )
    return answer


# --- the campus

MOST_SHOWN = 50
review_router = APIRouter(prefix="/gestion/{slug}/avis")


@review_router.get("", dependencies=[staff(Permission.WORK)])
def queue(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _queue(request, services, done=bool(fait))


def _queue(
    request: Request, services: Services, *, done: bool = False, error: Conflict | None = None
) -> HTMLResponse:
    """Sentences without the name of the person who wrote them, nor the day."""
    work = at_work(request)
    return work.page(
        request,
        "learners/ratings.html",
        status=status_for(error),
        done=done,
        trouble=sentence_of(error) if error else "",
        waiting=[
            (
                f"{work.home}/avis/{rating.id}",
                rating.sentence,
                title,
                f"/badges/{rating.badge_id}",
                sentence_digest(rating.sentence),
            )
            for rating, title in services.ratings.waiting(work.campus, limit=MOST_SHOWN)
        ],
    )


@review_router.post("/{rating_id:uuid}", dependencies=[staff(Permission.WORK)])
def decide(rating_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, publish, seen = at_work(request), text_of(form, "geste") == "publier", text_of(form, "lue")
    try:
        with write_transaction(request) as writing:
            writing.ratings.decide(work.campus, rating_id, publish=publish, seen=seen, by=work.actor)
    except Conflict as error:
        return _queue(request, services, error=error)
    return RedirectResponse(f"{work.home}/avis?fait=oui", status_code=303)
