"""The URLs of all pages in the demo."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from app.container import Process, Services
from app.domain.awards import AwardState, Visibility
from app.domain.campus.campus import Campus
from app.domain.learners.portfolios import ContributionState
from app.domain.learners.requests import RequestState
from app.domain.people import Role
from app.domain.people.consents import parent_token
from app.services.awards.awards import AwardRecord
from app.services.campus.registers import RequestFilter, RequestSort, Start
from demo.seeder import BY_COMMAND, CAMPUS, network_link, sign_in_link
from tests.support.servers.server import LiveServer

PUBLIC_PATHS = (
    "/",
    "/verifier",
    "/verifier/integrer",
    "/verifier/demander",
    "/connexion",
    "/mes-badges",
    "/mes-badges/retrouver",
    "/presence",
    "/recuperer",
    f"/campus/{CAMPUS}",
    f"/campus/{CAMPUS}/journal",
    "/reseau/bourgogne-franche-comte",
    "/reseau/bourgogne-franche-comte/rapport",
    "/reseau/bourgogne-franche-comte/definitions",
    "/badges",
    "/badges?q=robotiqe",
    "/competences",
    "/activites",
    "/campus",
    "/reseaux",
    "/labels",
    "/aide",
    "/lire-un-badge",
    "/donnees-personnelles",
    "/accessibilite",
    "/problemes",
    "/aide/api",
    "/aide/api/awards",
    "/mentions-legales",
    "/nulle-part",
)
TODAYS_WORKSHOP = "Robotique pour tous, atelier du jour"
SERIES = "Ateliers d’éloquence"


@dataclass(frozen=True)
class DemoLinks:
    """Sign-in links, private links and page URLs of the demo."""

    trainer: str
    private: str
    open_award: str
    closed_award: str
    revoked_award: str
    definition: str
    desk: str
    workshop: str
    withdrawal: str
    result: str
    """The result page of a bulk award."""
    operator: str
    admin: str
    member: str
    reviewer: str
    asked: str
    """A badge request, as seen by the requester."""
    request: str
    """The same, as seen by reviewers."""
    ruled: str
    """A badge with an award rule, in the staff pages."""
    asking: str
    portfolio: str
    keeping: str
    """Private link of the owner of `portfolio`."""
    contribution: str
    """A pending contribution, as seen by trainers."""
    endorsing: str
    """An endorsement request, as seen by the company."""
    endorsed: tuple[str, str]
    """An endorsement, and the endorsing organisation."""
    series: str
    """An activity of several sessions."""
    session: str
    parent: str
    """A request for parental consent, as seen by the parent."""
    child: str
    """Private link of the child."""
    label: str
    person: str
    """A person of the campus, as seen by staff."""
    badge: str
    """A badge in the staff pages."""
    network: str
    """Sign-in link of a network administrator."""
    shared: tuple[str, str]
    """A shared definition of the network: its identifier, and a pending proposal."""
    surveyed: str
    """An activity with a survey."""

    @property
    def public(self) -> tuple[str, ...]:
        beside = tuple(f"{self.open_award}/{page}" for page in ("personne", "campus", "integrer"))
        return (
            self.open_award, *beside, self.closed_award, self.definition, f"{self._network}/definitions/{self.shared[0]}", self.asking, self.asked,
            self.portfolio, f"{self.portfolio}/integrer", self.endorsing, *self.endorsed, self.parent, self.label,
        )  # fmt: skip

    @property
    def _network(self) -> str:
        return f"{self.desk.partition('/gestion/')[0]}/reseau/bourgogne-franche-comte"

    @property
    def of_network(self) -> tuple[str, ...]:
        home, (definition, proposal) = f"{self._network}/gestion", self.shared
        pages = ("badges/nouveau", f"badges/{definition}", "competences/nouvelle", f"propositions/{proposal}")
        return (
            home,
            *(f"{home}/{each}" for each in pages),
            f"{self.desk.partition('/gestion/')[0]}/gestion?tous=oui",
        )

    @property
    def of_admins(self) -> tuple[str, ...]:
        pages = (
            "equipe",
            "reglages",
            "jetons",
            "webhooks",
            "historique",
            "audit/journal",
            "badges",
            "competences",
            "repertoire",
            "repertoire/noms",
            "rappels",
            "badges/nouveau",
            "competences/nouvelle",
            "competences/importer",
        )
        badge = self.definition.rpartition("/badges/")[2].partition("/")[0]
        openings = f"{self.desk}/badges/{badge}/formateurs"
        steps = ("", "/competences", "/attribution", "/image", "/publier")
        rule = (f"{self.ruled}/regle", *(f"{self.ruled}/modifier{step}" for step in steps))
        some = (
            self.member,
            self.person,
            self.badge,
            f"{self.badge}/differences",
            f"{self.desk}/definitions",
            f"{self.desk}/definitions/{self.shared[0]}",
            f"{self.desk}/rapport/annuel/2026",
            f"{self.desk}/rapport/partage",
            f"{self.desk}/rapport/label",
            f"{self.desk}/rapport/objectifs",
        )
        return (self.desk, *(f"{self.desk}/{page}" for page in pages), *some, openings, *rule)

    @property
    def of_reviewers(self) -> tuple[str, ...]:
        return (f"{self.desk}/demandes", f"{self.desk}/demandes?etat=closes", self.request)

    @property
    def of_staff(self) -> tuple[str, ...]:
        register = f"{self.desk}/attributions"
        award = f"{register}/{self.open_award.rpartition('/')[2]}"
        home = self.desk.partition("/gestion/")[0]
        return (
            f"{home}/compte",
            f"{home}/compte/mot-de-passe",
            f"{home}/compte/adresses",
            f"{home}/compte/nom",
            f"{home}/compte/reunir",
            f"{home}/confirmer",
            self.desk,
            f"{self.desk}/reprises",
            f"{self.desk}/reprises/agendas",
            f"{self.desk}/activites",
            f"{self.desk}/activites/nouvelle",
            self.workshop,
            f"{self.workshop}/modifier",
            f"{self.workshop}/journal",
            f"{self.workshop}/pieces",
            f"{self.workshop}/salle",
            f"{self.workshop}/connues",
            f"{self.workshop}/salle/ecran",
            self.series,
            f"{self.series}/modifier",
            f"{self.series}/seances/nouvelle",
            self.session,
            f"{self.session}/changer",
            f"{self.workshop}/presences",
            f"{self.workshop}/attribuer",
            f"{self.workshop}/remise",
            f"{self.workshop}/projection",
            f"{self.workshop}/projection/ecran",
            f"{self.desk}/lettres",
            f"{self.desk}/recommandations",
            f"{self.desk}/contributions",
            f"{self.desk}/contributions?etat=decidees",
            self.contribution,
            register,
            award,
            f"{award}/retirer",
            self.withdrawal,
            self.result,
            f"{award}/remise",
            f"{self.desk}/rapport",
            f"{self.desk}/rapport?periode=2025-2026",
            f"{self.desk}/rapport/chiffres/apprenants?periode=2026",
            f"{self.desk}/rapport/activites",
            f"{self.desk}/rapport/partenaires",
            f"{self.surveyed}/enquete",
            f"{self.surveyed}/enquete/ecran",
            f"{self.surveyed}/rapport",
        )


def demo_links(server: LiveServer) -> DemoLinks:
    return links_of(Process(server.settings))


def links_of(process: Process) -> DemoLinks:
    with process.unit_of_work() as services:
        campus = services.campuses.get(CAMPUS)
        records = services.awards.list_in(campus, limit=200)
        workshop = next(a for a, _ in services.activities.list_in(campus) if a.title == TODAYS_WORKSHOP)
        series = next(a for a, _ in services.activities.list_in(campus) if a.title == SERIES)
        sessions, _ = services.activity_sessions.list_of(campus, series.id)
        closed = _first(records, AwardState.ISSUED, Visibility.CLOSED)
        opened = _first(records, AwardState.ISSUED, Visibility.OPEN)
        revoked = next(record for record in records if record.award.state is AwardState.REVOKED)
        address = services.addresses
        asked = services.request_register.page(
            campus,
            RequestFilter((RequestState.WAITING,)),
            Start(limit=1),
            RequestSort.WAITING,
            descending=False,
        )[0].request
        waiting, _, _ = services.contributions.queue(campus, [ContributionState.WAITING], limit=1)[0]
        token = services.people.private_link_token(closed.award.id, closed.award.link_generation)
        trainer = services.people.first_with_role(campus, Role.TRAINER)
        assert trainer is not None, "the demo has trainers"
        given = next(record for record in records if record.award.batch_id is not None)
        operator = services.operators.add("Odile", "Marchandeau", "exploitation@exemple.fr", by=BY_COMMAND)
        (portfolio,) = services.portfolios.found_by_search(limit=1)
        shown = services.portfolios.open_page(portfolio).pieces[0].record.award
        kept_by = services.people.private_link_token(shown.id, shown.link_generation)
        waits = next(r for r in services.endorsement_asking.of_campus(campus.id) if not r.answered_at)
        said = services.endorsements.of_campus(campus)[0].endorsement
        others = {closed.person.id, opened.person.id, services.portfolios.get(portfolio).person_id}
        # Private links identify people without an account.
        has_account = services.sessions.own_addresses.has_account
        small = next(
            each
            for each in records
            if each.award.state is AwardState.ISSUED
            and each.person.id not in others
            and not has_account(each.person.id)
        )
        services.age_bands.note(small.person, under_15=True, by=BY_COMMAND)
        agreement = services.guardians.ask(small, "parent@exemple.fr", by=BY_COMMAND)
        childs = services.people.private_link_token(small.award.id, small.award.link_generation)
        label = services.network_documents.labels_of(campus.did)[0]
        return DemoLinks(
            trainer=sign_in_link(services, campus, Role.TRAINER),
            private=address.private_link(token),
            open_award=address.award(opened.award.id),
            closed_award=address.award(closed.award.id),
            revoked_award=address.award(revoked.award.id),
            definition=address.version(opened.badge.id, opened.version.number),
            desk=f"{address.base_url}/gestion/{CAMPUS}",
            workshop=f"{address.base_url}/gestion/{CAMPUS}/activites/{workshop.id}",
            withdrawal=f"{address.base_url}/gestion/{CAMPUS}/retraits/nouveau?badge={opened.badge.id}",
            result=f"{address.base_url}/gestion/{CAMPUS}/resultats/{given.award.batch_id}",
            operator=address.sign_in_link(services.sign_in.make_link(operator.id, by=BY_COMMAND)),
            admin=sign_in_link(services, campus, Role.CAMPUS_ADMIN),
            member=f"{address.base_url}/gestion/{CAMPUS}/equipe/{trainer.id}",
            reviewer=sign_in_link(services, campus, Role.REVIEWER),
            asked=address.request(services.asking.token_of(asked)),
            request=f"{address.requests_of(CAMPUS)}/{asked.id}",
            contribution=f"{address.base_url}/gestion/{CAMPUS}/contributions/{waiting.id}",
            series=f"{address.base_url}/gestion/{CAMPUS}/activites/{series.id}",
            session=f"{address.base_url}/gestion/{CAMPUS}/activites/{series.id}/seances/{sessions[0].id}",
            ruled=f"{address.base_url}/gestion/{CAMPUS}/badges/{_ruled(services, campus)}",
            asking=f"{address.badge(asked.badge_id)}/demande",
            portfolio=address.portfolio(portfolio),
            keeping=address.private_link(kept_by),
            endorsing=address.endorse(services.endorsement_signing.token_of(waits.id)),
            parent=address.parent(parent_token(services.guardians.secret, agreement.id)),
            child=address.private_link(childs),
            label=address.label(label.id),
            person=f"{address.base_url}/gestion/{CAMPUS}/repertoire/{opened.person.id}",
            badge=f"{address.base_url}/gestion/{CAMPUS}/badges/{opened.badge.id}",
            endorsed=(address.endorsement(said.id), address.organisation(said.organisation_id)),
            network=network_link(services, campus),
            shared=_shared(services, campus),
            surveyed=f"{address.base_url}/gestion/{CAMPUS}/activites/{_surveyed(services, campus)}",
        )


def _shared(services: Services, campus: Campus) -> tuple[str, str]:
    line = next(each for each in services.adoptions.lines(campus) if each.has_improvement)
    waits = (
        each for each, _, _ in services.shared_definitions.proposals(line.network) if each.decided_at is None
    )
    return str(line.id), str(next(waits).id)


def _surveyed(services: Services, campus: Campus) -> uuid.UUID:
    listed = [activity for activity, _ in services.activities.list_in(campus)]
    return next(each.id for each in listed if services.surveys.glance(campus, each.id).link is not None)


def _ruled(services: Services, campus: Campus) -> uuid.UUID:
    return next(badge.id for badge, version in services.badges.list_current(campus) if version.rule)


def _first(records: list[AwardRecord], state: AwardState, visibility: Visibility) -> AwardRecord:
    return next(r for r in records if r.award.state is state and r.award.visibility is visibility)
