"""A badge that attests a competency level, awarded in an activity that practises competencies."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from app.domain.activities import ActivityCompetency
from app.domain.awards import Visibility
from app.domain.badges import BadgeKind
from app.domain.frameworks import Competency, PublicAlignment, PublicFramework
from app.services.badges import BadgePage, Wording
from app.services.frameworks import Details
from tests.support.app import COMMAND, App

LEVELS = ["Accompagné", "Autonome", "Transmet"]
RUBRIC = ["Suit un plan, avec une personne à côté.", "Mesure seul, et explique l’écart.", "Forme un pair."]
ASSESSMENT = "Une formatrice observe deux mesures, puis pose trois questions."


@dataclass(frozen=True)
class Levelled:
    badge: BadgePage
    competency: Competency
    practised: Competency


def levelled(app: App, *, level: int = 2, framework: str = "controle-acces") -> Levelled:
    """A badge that attests CA-3 of `framework` at `level`; the app's activity practises CA-4."""
    with app.unit_of_work() as services:
        campus = app.campus
        written = services.competencies.framework(campus, code=framework, name="Contrôle d’accès", by=COMMAND)
        ours, practised = (
            services.competencies.create(
                campus,
                written,
                code=code,
                statement=statement,
                levels=LEVELS,
                details=Details(rubric=RUBRIC),
                by=COMMAND,
            )
            for code, statement in (("CA-3", "Mesurer et caractériser"), ("CA-4", "Concevoir"))
        )
        services.competencies.competencies.add(
            ActivityCompetency(activity_id=app.activity.id, competency_id=practised.id)
        )
        rome = PublicAlignment(PublicFramework.ROME, "H3203", "Mouleur", "460", "2025-11-17")
        rncp = PublicAlignment(PublicFramework.RNCP, "RNCP35229", "Stratifieur multiprocédés")
        badge = services.badges.create(
            campus,
            Wording(
                kind=BadgeKind.COMPETENCY,
                name="Mesureur",
                description="Mesure un badge d’accès.",
                criteria=f"- mesure\n- caractérise\n- explique\n\n**Comment c’est jugé.** {ASSESSMENT}",
                competencies=[(ours.id, level)],
                alignments=[rome, rncp],
            ),
            by=COMMAND,
        )
        return Levelled(badge, ours, practised)


def awarded(app: App, badge: BadgePage, who: str = "Zoé N’Diaye;zoe@exemple.fr") -> uuid.UUID:
    """An award with a public page."""
    award_id = app.award(who, badge=badge, evidence="Deux mesures justes.").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    return award_id


def document_of(app: App, award_id: uuid.UUID) -> dict[str, Any]:
    with app.unit_of_work(reading=True) as services:
        return dict(json.loads(services.awards.awards.document_of(award_id).embedded))
