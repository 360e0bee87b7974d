"""Shared definitions of a network: adopted, improved by field, proposed back; signed versions never change. Both databases."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlmodel import Session, select

from app.db.badges.shared_definitions import SharedDefinitionStore
from app.domain.awards import SignedDocument
from app.domain.badges import BadgeKind, Part
from app.domain.badges.shared_definitions import (
    AdoptionAnswer,
    Noun,
    ProposalState,
    SharedBadge,
    SharedBadgeVersion,
)
from app.domain.campus.campus import Network
from app.errors import Conflict, InvalidInput, NotFound
from app.services.badges.wording import Wording
from tests.support.app import COMMAND, App
from tests.support.content.networks import network_of

pytestmark = pytest.mark.both_engines

WORDING = Wording(
    BadgeKind.COMPETENCY,
    "Souder en atelier",
    "Réaliser une soudure simple, seule ou seul.",
    "- prépare les pièces\n- règle le poste\n- contrôle le cordon\n\n**Comment c’est jugé.** Par la personne qui forme, sur pièce.",
    tags=["soudage"],
    validity_days=730,
)
STATEMENT = {
    "statement": "Réaliser une soudure à l’arc",
    "description": "",
    "levels": ["Accompagné", "Autonome"],
    "rubric": ["Avec une consigne", "Sans aide"],
    "other_labels": [],
}


@pytest.fixture
def network(app: App) -> Network:
    def make() -> Network:
        with app.unit_of_work() as services:
            return network_of(services, app.campus, app.other_campus)

    return app.once((__name__, "network"), make)


@pytest.fixture
def welding(app: App, network: Network) -> uuid.UUID:
    """A competency of the network."""
    with app.unit_of_work() as services:
        return services.shared_definitions.save_competency(network, STATEMENT, code="SOUD-1", by=COMMAND)


@pytest.fixture
def shared(app: App, network: Network, welding: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work() as services:
        wording = replace(WORDING, competencies=[(welding, 2)])
        return services.shared_definitions.share_badge(network, wording, by=COMMAND).id


def adopt(app: App, definition_id: uuid.UUID, own_id: uuid.UUID | None = None) -> uuid.UUID:
    with app.unit_of_work() as services:
        adoption = services.adoptions.adopt(app.campus, definition_id, own_id, by=COMMAND)
        return adoption.badge_id or adoption.competency_id or uuid.UUID(int=0)


def improve(app: App, network: Network, shared: uuid.UUID, reason: str = "Plus clair.", **changes) -> None:
    with app.unit_of_work() as services:
        found = services.shared_definitions.definition(shared)
        named = [(uuid.UUID(each["id"]), each["level"]) for each in found.newest.values["competencies"]]
        wording = replace(WORDING, competencies=named, **changes)
        services.shared_definitions.improve_badge(
            network, shared, wording, reason, seen=found.newest.number, by=COMMAND
        )


def page(app: App, definition_id: uuid.UUID):
    with app.unit_of_work(reading=True) as services:
        return services.adoptions.page(app.campus, definition_id)


def test_improvement_written_while_another_waited_is_not_overwritten(
    app: App, network: Network, shared: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, others = SharedDefinitionStore.lock_badge, iter(["Souder au plafond"])

    def lock_later(store: SharedDefinitionStore, badge: SharedBadge) -> None:
        """Another improvement ends while this one waits for the lock."""
        for name in others:
            content = {**store.versions_of(shared)[-1].content, "name": name}
            version = SharedBadgeVersion(
                shared_badge_id=shared, number=2, content=content, reason="Autre.", published_at=app.clock()
            )
            store.save(version)
        lock(store, badge)

    monkeypatch.setattr(SharedDefinitionStore, "lock_badge", lock_later)
    with pytest.raises(Conflict):
        improve(app, network, shared, name="Souder à plat")


def test_an_adopted_badge_is_a_draft_of_the_campus_with_its_own_competencies(
    app: App, network: Network, shared: uuid.UUID, welding: uuid.UUID
) -> None:
    badge_id = adopt(app, shared)
    with app.unit_of_work(reading=True) as services:
        found = services.badges.manuscript(app.campus, badge_id)
        assert found.may_open
        ((link, own, framework),) = found.page.competencies
        assert (link.level, own.statement, framework.campus_id) == (
            2,
            STATEMENT["statement"],
            app.campus.id,
        )
        assert own.id != welding
        assert {line.noun for line in services.adoptions.lines(app.campus) if line.adoption} == set(Noun)
        assert services.shared_definitions.about_badges([badge_id]) == {badge_id: (shared, network)}
        assert services.stores.shared_definitions.count_improvements(app.campus.id) == 0
    assert page(app, shared).waiting == page(app, shared).gaps == []
    with pytest.raises(Conflict, match="déjà adopté"):
        adopt(app, shared)


def test_an_improvement_is_taken_field_by_field_and_nothing_signed_changes(
    app: App, network: Network, shared: uuid.UUID
) -> None:
    badge_id = adopt(app, shared)
    with app.unit_of_work() as services:
        services.badges.open(app.campus, badge_id, by=COMMAND)
        mine = services.badges.page(app.campus, badge_id)
    app.award("Zoé Martin;zoe@exemple.fr", badge=mine, evidence="Une pièce soudée, contrôlée.")
    with Session(app.owner) as session:
        signed = session.exec(select(SignedDocument.token)).all()
        definition = mine.version.definition
    improve(app, network, shared, description="Réaliser et contrôler une soudure.", validity_days=1095)
    shown = page(app, shared)
    assert [each.part for each in shown.waiting] == [Part.DESCRIPTION, Part.VALIDITY]
    assert shown.waiting[0].before == (WORDING.description,)
    with app.unit_of_work(reading=True) as services:
        assert services.stores.shared_definitions.count_improvements(app.campus.id) == 1
        assert services.stores.shared_definitions.count_improvements(app.other_campus.id) == 0
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.adoptions.decide(app.campus, shared, [Part.DESCRIPTION], seen=1, by=COMMAND)
    with app.unit_of_work() as services:
        taken = services.adoptions.decide(app.campus, shared, [Part.DESCRIPTION], seen=2, by=COMMAND)
        assert (taken.answer, taken.number) == (AdoptionAnswer.PARTLY, 2)
    with app.unit_of_work(reading=True) as services:
        now = services.badges.page(app.campus, badge_id)
        assert (now.version.number, now.version.is_draft) == (2, False)
        assert now.version.description == "Réaliser et contrôler une soudure."
        assert now.version.validity_days == 730
        assert services.badges.page(app.campus, badge_id, 1).version.description == WORDING.description
        assert services.stores.shared_definitions.count_improvements(app.campus.id) == 0
    shown = page(app, shared)
    assert ([each.part for each in shown.waiting], [each.part for each in shown.gaps]) == (
        [],
        [Part.VALIDITY],
    )
    with Session(app.owner) as session:
        assert session.exec(select(SignedDocument.token)).all() == signed
    assert definition == mine.version.definition


def test_a_refused_improvement_changes_nothing_and_may_be_taken_later(
    app: App, network: Network, shared: uuid.UUID
) -> None:
    badge_id = adopt(app, shared)
    improve(app, network, shared, name="Souder à l’arc")
    with app.unit_of_work() as services:
        refused = services.adoptions.decide(app.campus, shared, [], seen=2, by=COMMAND)
        assert refused.answer is AdoptionAnswer.REFUSED
        assert services.badges.manuscript(app.campus, badge_id).page.version.name == WORDING.name
    improve(app, network, shared, name="Souder à l’arc", tags=["soudage", "métal"])
    shown = page(app, shared)
    assert ([each.part for each in shown.waiting], [each.part for each in shown.gaps]) == (
        [Part.TAGS],
        [Part.NAME],
    )
    with app.unit_of_work() as services:
        services.adoptions.decide(app.campus, shared, [Part.NAME, Part.TAGS], seen=3, by=COMMAND)
        assert services.badges.manuscript(app.campus, badge_id).page.version.name == "Souder à l’arc"
    assert page(app, shared).gaps == []


def test_a_campus_adopts_for_a_badge_that_it_has(app: App, network: Network, shared: uuid.UUID) -> None:
    adopt(app, shared, app.role.badge.id)
    shown = page(app, shared)
    assert Part.CRITERIA in [each.part for each in shown.waiting]
    assert shown.own_title == app.role.version.name
    with app.unit_of_work() as services:
        other = services.shared_definitions.share_badge(network, WORDING_WITHOUT, by=COMMAND).id
        with pytest.raises(Conflict):
            services.adoptions.adopt(app.campus, other, app.role.badge.id, by=COMMAND)


WORDING_WITHOUT = replace(WORDING, kind=BadgeKind.ENGAGEMENT, name="Tenir un stand")


def test_a_campus_outside_the_network_sees_and_adopts_nothing(
    app: App, network: Network, shared: uuid.UUID
) -> None:
    with app.unit_of_work() as services:
        outside = services.campuses.create(
            type(app.campus)(slug="dehors", short_name="D", name="Dehors", did="", created_at=app.clock()),
            by=COMMAND,
        )
        assert services.adoptions.lines(outside) == []
        for attempt in (services.adoptions.page, lambda *given: services.adoptions.adopt(*given, by=COMMAND)):
            with pytest.raises(NotFound):
                attempt(outside, shared)


def test_a_proposal_becomes_the_definition_and_reaches_the_other_adopters(
    app: App, network: Network, shared: uuid.UUID
) -> None:
    badge_id = adopt(app, shared)
    with app.unit_of_work() as services:
        services.adoptions.adopt(app.other_campus, shared, by=COMMAND)
        own = services.badges.manuscript(app.campus, badge_id).page
        wording = replace(
            WORDING,
            name="Souder sans risque",
            tags=["soudage", "sécurité"],
            competencies=[(link.competency_id, link.level) for link, _, _ in own.competencies],
        )
        services.badges.rewrite(
            app.campus, badge_id, wording, repeat=own.badge.repeat, accepts_requests=False, by=COMMAND
        )
    with app.unit_of_work() as services:
        with pytest.raises(InvalidInput):
            services.adoptions.propose(app.campus, shared, [Part.NAME], " ", by=COMMAND)
        proposal = services.adoptions.propose(
            app.campus, shared, [Part.NAME, Part.TAGS], "Le titre dit l’essentiel.", by=COMMAND
        )
        with pytest.raises(Conflict):
            services.adoptions.propose(app.campus, shared, [Part.NAME], "Encore.", by=COMMAND)
        shown = services.shared_definitions.proposal(network, proposal.id)
        assert [each.part for each in shown.differences] == [Part.NAME, Part.TAGS]
        with pytest.raises(InvalidInput):
            services.shared_definitions.decide(network, proposal.id, [], "", by=COMMAND)
        services.shared_definitions.decide(network, proposal.id, [Part.NAME], "Merci.", by=COMMAND)
        assert proposal.state is ProposalState.PARTLY
        found = services.shared_definitions.definition(shared)
        assert (found.newest.number, found.title) == (2, "Souder sans risque")
        assert found.newest.values["tags"] == ["soudage"]
        assert services.stores.shared_definitions.count_improvements(app.campus.id) == 0
        assert services.stores.shared_definitions.count_improvements(app.other_campus.id) == 1
        with pytest.raises(Conflict):
            services.shared_definitions.decide(network, proposal.id, [Part.TAGS], "Oui.", by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        assert [each.part for each in services.adoptions.page(app.other_campus, shared).waiting] == [
            Part.NAME
        ]


def test_a_badge_of_a_campus_becomes_a_definition_with_its_competencies(app: App, network: Network) -> None:
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ITIP", name="ITIP", by=COMMAND)
        own = services.competencies.create(
            app.campus,
            framework,
            code="R-1",
            statement="Programmer un robot",
            levels=["Débute", "Maîtrise"],
            by=COMMAND,
        )
        wording = replace(WORDING, name="Programmer", competencies=[(own.id, 2)])
        badge = services.badges.create(app.campus, wording, by=COMMAND).badge
        proposal = services.adoptions.propose_badge(
            app.campus, network.slug, badge.id, "Sert à tous.", by=COMMAND
        )
        shared = services.shared_definitions.decide(network, proposal.id, Noun.BADGE.parts, "", by=COMMAND)
        assert shared is not None
        found = services.shared_definitions.definition(shared)
        ((named,),) = [found.newest.values["competencies"]]
        assert found.items[uuid.UUID(named["id"])].statement == "Programmer un robot"
    shown = page(app, shared)
    assert (shown.own_title, shown.waiting, shown.gaps) == ("Programmer", [], [])
    with app.unit_of_work() as services:
        services.adoptions.adopt(app.other_campus, shared, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        (line,) = [each for each in services.shared_definitions.lines([network]) if each.noun is Noun.BADGE]
        assert line.adopters == 2


def test_a_competency_of_the_network_is_adopted_and_improved(
    app: App, network: Network, welding: uuid.UUID
) -> None:
    own_id = adopt(app, welding)
    with app.unit_of_work() as services:
        values = STATEMENT | {"levels": ["Accompagné", "Autonome", "Transmet"], "description": "À l’arc."}
        services.shared_definitions.save_competency(
            network, values, definition_id=welding, seen=1, by=COMMAND
        )
    shown = page(app, welding)
    assert [each.part for each in shown.waiting] == [Part.DESCRIPTION, Part.LEVELS]
    assert shown.waiting[1].added == ["Transmet"]
    with app.unit_of_work() as services:
        services.adoptions.decide(app.campus, welding, [Part.LEVELS], seen=2, by=COMMAND)
        own, _ = services.competencies.get(app.campus, own_id)
        assert (own.levels, own.description) == (["Accompagné", "Autonome", "Transmet"], "")


def test_a_definition_that_is_no_longer_shared_is_not_adopted_and_stays_with_its_adopters(
    app: App, network: Network, shared: uuid.UUID
) -> None:
    badge_id = adopt(app, shared)
    with app.unit_of_work() as services:
        services.shared_definitions.withdraw(network, shared, by=COMMAND)
        with pytest.raises(Conflict, match="ne partage plus"):
            services.adoptions.adopt(app.other_campus, shared, by=COMMAND)
        assert shared not in {line.id for line in services.adoptions.lines(app.other_campus)}
        assert shared in {line.id for line in services.adoptions.lines(app.campus)}
        services.adoptions.leave(app.campus, shared, by=COMMAND)
        assert services.badges.manuscript(app.campus, badge_id).page.version.name == WORDING.name
        assert services.shared_definitions.about_badges([badge_id]) == {}


def test_an_incomplete_badge_is_not_shared(app: App, network: Network) -> None:
    with app.unit_of_work() as services:
        for wording in (replace(WORDING, criteria="- une\n- deux"), replace(WORDING, name=" "), WORDING):
            with pytest.raises(InvalidInput):
                services.shared_definitions.share_badge(network, wording, by=COMMAND)
