"""Two pathways of the demo, one over two campuses, with people at different stages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.activities import ActivityKind
from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import ConditionKind, PathwayContent, StageCondition
from app.services.frameworks.pathways import StageDraft
from demo.seeder import BY_COMMAND, Stage


@dataclass(frozen=True)
class WrittenStage:
    title: str
    badges: Sequence[str] = ()
    least: int = 1
    hours: int = 0
    decision: str = ""
    after: Sequence[str] = ()
    choice: str = ""
    is_optional: bool = False
    summary: str = ""


@dataclass(frozen=True)
class WrittenPathway:
    campus: str
    title: str
    summary: str
    badge: str
    stages: Sequence[WrittenStage]
    followed_by: Sequence[tuple[str, int]]
    """The first so many holders of a badge."""
    decided: Sequence[tuple[str, int, str]]
    """A stage, how many of the people it is recognised for, and what was seen."""


ACCESS_CONTROL = WrittenPathway(
    "ti",
    "Contrôle d’accès, de l’étude à la maintenance",
    "Pour qui installe, entretient ou conçoit des accès. Comptez un an, à côté d’un emploi ou d’une formation.",
    "ti/controle-acces-complet",
    (
        WrittenStage("Sensibiliser et préconiser", ("ti/controle-acces-sensibiliser",)),
        WrittenStage("Installer et mettre en service", ("ti/controle-acces-installer",), after=("e1",)),
        WrittenStage(
            "Mesurer et maintenir", ("ti/controle-acces-mesurer-maintenir",), hours=28, after=("e2",)
        ),
        WrittenStage(
            "Concevoir, réaliser, développer", ("ti/controle-acces-concevoir",), after=("e3",), choice="A"
        ),
        WrittenStage(
            "Tenir deux interventions",
            decision="Deux interventions observées, dont une chez un client.",
            after=("e3",),
            choice="A",
        ),
        WrittenStage(
            "Collaborer entre corps de métiers",
            decision="Un chantier mené avec un autre corps de métier.",
            after=("e1",),
            summary="À tout moment après la première étape, en entreprise ou sur le chantier école.",
        ),
    ),
    (("ti/controle-acces-sensibiliser", 10), ("ti/controle-acces-concevoir", 8)),
    (
        ("e6", 3, "Chantier école de Chenôve, avec les électriciens."),
        ("e5", 1, "Deux dépannages suivis en mars."),
    ),
)
LOW_CARBON = WrittenPathway(
    "itip",
    "Fabriquer autrement, du bois au métal",
    "Un parcours de deux campus : un ouvrage en bois ou une pièce imprimée, des heures de projet, et une équipe.",
    "itip/auteur-projet",
    (
        WrittenStage(
            "Fabriquer une première pièce",
            ("itip/coloration-fabrication-additive", "fb/ouvrage-bois"),
            summary="Une pièce imprimée à ITIP ou un ouvrage au campus Forêt Bois : l’un des deux suffit.",
        ),
        WrittenStage(
            "Transmettre à d’autres",
            ("itip/apprenant-ressource-vrai", "fb/apprenant-ressource-fb", "itip/robotique-pour-tous"),
        ),
        WrittenStage("Tenir un projet dans la durée", hours=20, after=("e1",)),
        WrittenStage(
            "Présenter son travail devant un public",
            decision="Une présentation de dix minutes, suivie de questions.",
            after=("e3",),
            is_optional=True,
        ),
    ),
    (
        ("itip/coloration-fabrication-additive", 8),
        ("fb/ouvrage-bois", 5),
        ("itip/apprenant-ressource-vrai", 9),
    ),
    (("e4", 2, "Présentation au forum des lycées."),),
)


def draw_pathways(stage: Stage) -> None:
    """Published, followed by people with a badge, and with some stages recognised by trainers."""
    for written in (ACCESS_CONTROL, LOW_CARBON):
        pathway_id = _draw(stage, written)
        joined = _join(stage, written, pathway_id)
        campus, followers = stage.campuses[written.campus], stage.services.pathway_followers
        for key, count, note in written.decided:
            for enrolment_id in joined[:count]:
                followers.decide(
                    campus, pathway_id, enrolment_id, key, note, by=stage.trainers[written.campus]
                )


def _draw(stage: Stage, written: WrittenPathway) -> uuid.UUID:
    campus, services = stage.campuses[written.campus], stage.services
    content = PathwayContent(written.title, written.summary)
    pathway = services.pathways.create(campus, content, by=BY_COMMAND)
    for each in written.stages:
        services.pathways.save_stage(campus, pathway.id, "", _draft(stage, each), by=BY_COMMAND)
    services.pathways.describe(
        campus,
        pathway.id,
        title=written.title,
        summary=written.summary,
        badge_id=stage.badges[written.badge].id,
        by=BY_COMMAND,
    )
    services.pathways.publish(campus, pathway.id, by=BY_COMMAND)
    return pathway.id


def _join(stage: Stage, written: WrittenPathway, pathway_id: uuid.UUID) -> list[uuid.UUID]:
    joined = list[uuid.UUID]()
    for reference, count in written.followed_by:
        for person_id in _holders(stage, reference, count):
            person = stage.services.stores.people.get(person_id)
            enrolment = stage.services.pathway_followers.join(pathway_id, person, by=Actor(person_id))
            joined.append(enrolment.id)
    return list(dict.fromkeys(joined))


def _draft(stage: Stage, written: WrittenStage) -> StageDraft:
    others = []
    if written.hours:
        kinds = () if written.badges else (ActivityKind.PROJECT, ActivityKind.WORKSHOP)
        others.append(StageCondition(ConditionKind.HOURS, written.hours, kinds=kinds))
    if written.decision:
        others.append(StageCondition(ConditionKind.DECISION, text=written.decision))
    return StageDraft(
        written.title,
        written.summary,
        tuple(written.after),
        written.choice,
        written.is_optional,
        tuple(stage.badges[each].id for each in written.badges),
        written.least,
        others=tuple(others),
    )


def _holders(stage: Stage, reference: str, count: int) -> list[uuid.UUID]:
    awards = [one for giving, given in stage.awards.items() if giving.badge == reference for one in given]
    return [stage.services.awards.record(each).person.id for each in awards[:count]]
