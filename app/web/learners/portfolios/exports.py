"""A portfolio taken along by its keeper, open or shut: JSON Resume, a European Learning Model file, a PDF."""

from __future__ import annotations

import uuid
from enum import StrEnum

from fastapi import APIRouter, Request, Response

from app.container import Services
from app.http.pages.typography import say
from app.http.pages.wording import listing, number
from app.http.request_scope import ReadingServices
from app.language import N_, current_locale
from app.services.awards.handing.papers import PortfolioWords
from app.services.learners.portfolio_documents import Taken
from app.services.learners.portfolios import PortfolioPage
from app.services.publishing.publication import Published
from app.web.learners.portfolios.my_portfolio import KEPT
from app.web.learners.portfolios.pieces import CompetencyShown, PortfolioShown, portfolio_shown, title_of
from sceau_credentials.values.json_text import dump_json

router = APIRouter(prefix="/mes-badges/portfolio")
_JSON = "application/json"


class TakenAs(StrEnum):
    RESUME = "cv.json"
    EUROPASS = "europass.json"
    PDF = "portfolio.pdf"


@router.get("/{portfolio_id:uuid}/fichiers/{taken}", dependencies=[KEPT])
def take(portfolio_id: uuid.UUID, taken: TakenAs, request: Request, services: ReadingServices) -> Response:  # noqa: ARG001
    """Only badges whose pages are open are in it: it says no more than the page would."""
    file = _file(services, services.portfolios.page(services.portfolios.get(portfolio_id)), taken)
    return Response(
        file.body,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{taken.value}"'},
    )


def _file(services: Services, page: PortfolioPage, taken: TakenAs) -> Published:
    shown = portfolio_shown(services, page)
    if taken is TakenAs.PDF:
        return services.papers.portfolio(page.portfolio.id, _words(services, shown))
    counting = {badge.id for badge in shown.badges if badge.counts}
    records = [each.record for each in page.pieces if str(each.piece.id) in counting]
    hours = {each.award.id: services.portfolios.shown_hours(each) for each in records}
    shown_hours = {award_id: found for award_id, found in hours.items() if found is not None}
    what = Taken(page, records, services.portfolios.overview(records), shown_hours)
    if taken is TakenAs.RESUME:
        return Published.of(dump_json(services.portfolio_documents.resume(what)), _JSON)
    note = say(
        N_(
            "Ces lignes ont la forme du modèle européen d’apprentissage (ELM 3). Personne ne les a scellées : ce "
            "n’est pas un certificat Europass, et Europass ne l’importe pas de lui-même. Ce qui prouve est le badge "
            "signé, à l’adresse de chaque ligne."
        )
    )
    return Published.of(dump_json(services.portfolio_documents.europass(what, note)), _JSON)


def _words(services: Services, shown: PortfolioShown) -> PortfolioWords:
    return PortfolioWords(
        lang=current_locale(),
        title=title_of(shown),
        author="Sceau",
        line=shown.line,
        intro=say(
            N_("Imprimé le {day}. Photographiez le code : la page vérifie chaque badge quand elle s’ouvre.")
        ).format(day=shown.when),
        code_words=say(N_("Code QR : {address}")).format(address=shown.url),
        sections=[
            (
                section.title,
                [
                    (
                        badge.title,
                        badge.kind,
                        say(N_("Campus {campus}, le {day}")).format(campus=badge.campus, day=badge.when),
                        say(N_("À vérifier :")),
                        badge.short,
                    )
                    for badge in section.badges
                ],
            )
            for section in shown.sections
        ],
        competencies_title=say(N_("Compétences attestées")),
        competencies_words=say(
            N_(
                "D’après les badges en cours le jour de l’impression. Une activité compte une fois, même si "
                "plusieurs badges reposent sur elle. Cette page n’est pas signée : ouvrez l’adresse du code."
            )
        ),
        competencies=[(each.statement, _level(each), _rests(each)) for each in shown.competencies],
        fine=say(
            N_("Un badge atteste et reconnaît. Il n’est ni un diplôme ni une certification professionnelle.")
        ),
        foot=services.addresses.host,
    )


def _level(each: CompetencyShown) -> str:
    if not each.level:
        return say(N_("Sans niveau"))
    return say(N_("{level} ({rank} sur {of})")).format(level=each.level, rank=each.rank, of=len(each.levels))


def _rests(each: CompetencyShown) -> str:
    on = say(N_("Repose sur : {badges}")).format(badges=listing([name for name, _ in each.badges]))
    if each.hours is None:
        return on
    return say(N_("{on} ({hours} heures)")).format(on=on, hours=number(each.hours))
