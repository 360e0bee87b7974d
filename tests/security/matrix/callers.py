"""All types of callers, and one resource of each type in each of two campuses."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from fastapi.testclient import TestClient

from app.container import Services
from app.domain.accounts.permissions import Role
from app.domain.accounts.sessions import Scope
from app.domain.activities import Activity, ActivityKind, ActivitySession, PartKind
from app.domain.activity_log import EntryKind, Fact
from app.domain.awards import Visibility
from app.domain.badges import BadgeKind
from app.domain.badges.rules import Condition, Measure, Rule
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.frameworks.pathways import ConditionKind, PathwayContent, StageCondition
from app.domain.learners.connected_apps import AppScope
from app.domain.learners.portfolios import Belonging, ContributionStatement, ImportedBadge
from app.domain.people import Person
from app.domain.publishing import short_code
from app.services.awards.awards import AwardRequest
from app.services.awards.bulk_revocation import WithdrawalRequest
from app.services.badges import Wording
from app.services.frameworks.pathways import StageDraft
from app.services.learners.requests import RequestOutcome
from tests.app.api.clients import application, program
from tests.security.matrix.cases import launch_secret
from tests.support.app import COMMAND, App, listed
from tests.support.badges.endorsed import endorsed
from tests.support.handed import photo

_TOKEN_FIELD = re.compile(r'name="jeton" value="([^"]+)"')


@dataclass(frozen=True)
class Things:
    """Resource ids of one campus, by path parameter."""

    campus: Campus
    ids: dict[str, str]
    award_id: uuid.UUID

    def fill(self, path: str, *, slug: str = "") -> str:
        values = {**self.ids, "slug": slug or self.campus.slug}
        return re.sub(r"{(\w+)(?::\w+)?}", lambda place: values[place[1]], path)


@dataclass(frozen=True)
class Caller:
    name: str
    client: TestClient
    campus: str = ""
    """The campus of their role or token."""
    roles: frozenset[Role] = frozenset()
    """Their current roles in that campus."""
    signed_in: bool = False
    operates: bool = False
    """An operator of the service, without a role in a campus."""
    scopes: frozenset[str] = frozenset()
    holds: uuid.UUID | None = None
    connected: frozenset[str] = frozenset()
    """The scopes that a learner granted to this application."""
    launches: str = ""
    """The campus of the LTI launch."""
    _tokens: dict[frozenset[tuple[str, str | None]], str] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for callers that differ only in role or token scope."""
        shown = (self.scopes, self.connected, self.launches, self.holds, self.operates)
        return self.campus, self.signed_in, bool(self.roles), *map(bool, shown)

    def form_token(self) -> str:
        """The CSRF token, valid for the current cookies."""
        cookies = frozenset((each.name, each.value) for each in self.client.cookies.jar)
        if cookies not in self._tokens:
            self._tokens[cookies] = self._found_token()
        return self._tokens[cookies]

    def _found_token(self) -> str:
        found = _TOKEN_FIELD.search(self.client.get("/verifier").text)
        assert found, "the verifier has a form"
        return found[1]


def followed(
    services: Services, campus: Campus, badge_id: uuid.UUID, person: Person
) -> tuple[uuid.UUID, uuid.UUID]:
    """An archived pathway with one person enrolled."""
    by = Actor(person.id)
    path = services.pathways.create(campus, PathwayContent("Parcours"), by=by)
    seen = StageCondition(ConditionKind.DECISION, text="Un poste tenu.")
    services.pathways.save_stage(campus, path.id, "", StageDraft("Tenir", others=(seen,)), by=by)
    services.pathways.describe(campus, path.id, title="Parcours", summary="", badge_id=badge_id, by=by)
    services.pathways.publish(campus, path.id, by=by)
    enrolment = services.pathway_followers.join(path.id, person, by=by)
    services.pathways.archive(campus, path.id, archived=True, by=by)
    return path.id, enrolment.id


def things_of(app: App, campus: Campus, by: Person) -> Things:
    actor = Actor(by.id)
    with app.unit_of_work() as services:
        wording = Wording(BadgeKind.PARTICIPATION, "Présence", "Être là.", "La personne a pris part à l’activité.",
                          rule=Rule(((Condition(Measure.ACTIVITIES, 1),),)))  # fmt: skip
        badge = services.badges.create(campus, wording, slug="presence", by=COMMAND).badge
        framework = services.competencies.framework(campus, code="ref", name="Référentiel", by=COMMAND)
        competency = services.competencies.create(
            campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )
        activity = services.activities.create(
            Activity(kind=ActivityKind.WORKSHOP, title="Atelier", starts_on=date(2026, 11, 24),
                     ends_on=date(2026, 11, 24), created_at=app.clock.now),
            [campus], by=actor,
        )  # fmt: skip
        session = ActivitySession(activity_id=activity.id, held_on=date(2026, 11, 24), hours=2)
        services.activity_plans.plans.save(session)
        people = listed(f"MARTIN Zoé; zoe@{campus.slug}.exemple.fr", "PETIT; pas une adresse")
        result = services.awards.award(campus, AwardRequest(badge.id, activity.id, lines=people), by=actor)
        award_id = result.lines[0].award_id
        assert award_id is not None
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        services.awards.answer_checks(award_id, True, by=COMMAND)
        portfolio = services.portfolios.start(services.awards.record(award_id).person, [award_id])
        services.portfolios.set_open(portfolio, True)
        imported = ImportedBadge(
            person_id=portfolio.person_id, digest="0", content="{}", title="Badge", verdict="expired",
            belongs=Belonging.UNSAID, brought_at=app.clock(), checked_at=app.clock(),
            check_again_at=app.clock(),
        )  # fmt: skip
        services.imported_badges.store.save(imported)
        invitation = services.invitations.invite(
            campus, f"invitation@{campus.slug}.exemple.fr", [Role.AUDITOR], days=30, by=COMMAND
        )
        services.delivery.claim(award_id, by=COMMAND)
        services.people.create_token(
            campus, label="Scolarité", scopes=["read"], life=timedelta(days=30), by=actor
        )
        [token] = services.people.list_tokens(campus)
        badge.accepts_requests = True
        asked = services.asking.ask(
            badge.id,
            RequestOutcome("Ada", "Faure", f"ada@{campus.slug}.exemple.fr", "J’ai animé deux ateliers."),
        )
        demande = services.asking.token_of(asked)
        services.asking.confirm(demande)
        services.asking.complete(
            demande, files=[app.process.intake.take("photo.png", photo(), words="Le banc d’essai")]
        )
        (piece,) = services.asking.mine(demande).files
        entries = [Fact(EntryKind.DEFINITION, "badge", badge.id, {"version": number}) for number in (1, 2)]
        services.activity_log.record(campus, entries)
        services.activity_log.checkpoint(campus)
        participation, person = services.activities.page(campus, activity.id).participants[0]
        line = services.activity_log.store.newest_about(
            services.activity_log.open(campus).id, "participation", [participation.id]
        )[participation.id]
        dispute = services.log_disputes.dispute(
            person.id, campus, line, "Je suis restée trois heures.", by=COMMAND
        )
        answered = ContributionStatement(
            "Exposé", "J’ai présenté le banc d’essai à la classe.", PartKind.RESOURCE, date(2026, 11, 20), 2.0
        )
        made = services.contributions.add(
            person, campus, answered, None, [app.process.intake.take("banc.png", photo())],
            today=date(2026, 11, 24), by=Actor(person.id),
        )  # fmt: skip
        services.contributions.confirm(campus, made.id, by=actor)
        (proof,) = services.contributions.look(campus, made.id).files
        services.activity_files.attach(
            campus, activity.id, [app.process.intake.take("tableau.png", photo(colour="#caa"))], by=actor
        )
        ((_, piece_of_it),) = services.activity_files.of(campus, activity.id)
        # The award does not exist: the request is recorded, and nothing is revoked.
        withdrawal = services.withdrawals.enqueue(
            campus, WithdrawalRequest("Erreur de liste.", (uuid.uuid4(),)), by=actor
        )
        services.withdrawals.process_chunk(withdrawal.id)
        table = "Identifiant;Activité;Date;Nom\n1;Atelier;24/11/2026;Petit"
        run = services.imports.drop(campus, "Tableau", table, by=actor)
        endorsement = endorsed(services, campus, badge.id)
        pathway, enrolment = followed(services, campus, badge.id, person)
        ids = {
            "endorsement_id": str(endorsement.id), "organisation_id": str(endorsement.organisation_id),
            "framework_id": str(uuid.uuid4()), "set_id": str(uuid.uuid4()), "module_id": str(uuid.uuid4()), "case_id": str(uuid.uuid4()),
            "key_id": str(services.stores.campuses.active_key(campus.id).id),
            "badge_id": str(badge.id), "etape": "image", "number": "1", "name": "badges", "competency_id": str(competency.id),
            "person_id": str(person.id), "member_id": str(by.id),
            "token_id": str(token.id),
            "invitation_id": str(invitation.id), "invitation": "invented",
            "withdrawal_id": str(withdrawal.id),
            "session_id": str(session.id),
            "rating_id": str(uuid.uuid4()), "recommendation_id": str(uuid.uuid4()), "picture_id": str(uuid.uuid4()), "kind": "fiche", "digest": "0",
            "run_id": str(run.id), "draft_id": str(uuid.uuid4()), "view_id": str(uuid.uuid4()),
            "activity_id": str(activity.id), "participation_id": str(participation.id),
            "dispute_id": str(dispute.id), "batch_id": str(result.batch.id), "award_id": str(award_id),
            "list_id": str(services.status.status.slots_of([award_id])[0].list_id),
            "token": services.people.private_link_token(award_id, 0),
            "account_id": str(uuid.uuid4()), "service": "unknown",
            "form": "png", "extension": "json", "path": "mark.svg", "code": "fr", "mark": "invented", "network": "invented", "secret": "invented", "reference": "invented", "subject": "invented", "link": "2026-12-31.invented", "signs": short_code(award_id),
            "contribution_id": str(made.id), "proof_id": str(proof.id), "piece_id": str(piece_of_it.id),
            "demande": demande, "request_id": str(asked.id), "file_id": str(piece.id),
            "wish": services.reminders.token_of(person.id),
            "file": "checkpoint",
            "passkey_id": str(uuid.uuid4()), "indicator_id": str(uuid.uuid4()), "period": "2026", "definition_id": str(uuid.uuid4()), "proposal_id": str(uuid.uuid4()),
            "portfolio_id": str(portfolio.id), "taken": "cv.json",
            "imported_id": str(imported.id),
            "pathway_id": str(pathway), "enrolment_id": str(enrolment), "key": "e9",
            "erasure_id": str(uuid.uuid4()), "label_id": str(uuid.uuid4()),
            "preuve": "invented", "challenge_id": str(uuid.uuid4()), "other_id": str(uuid.uuid4()),
            "merge_id": str(uuid.uuid4()), "wish_id": str(uuid.uuid4()), "platform_id": str(uuid.uuid4()), "external": "E-2",
            "app_id": str(uuid.uuid4()),
            "webhook_id": str(uuid.uuid4()), "delivery_id": str(uuid.uuid4()), "calendar_id": str(uuid.uuid4()),
        }  # fmt: skip
    return Things(campus, ids, award_id)


@dataclass(frozen=True)
class Member:
    name: str
    person: Person
    campus: Campus
    roles: frozenset[Role]


def members_of(app: App, *, mark: str = "") -> list[Member]:
    """One member per role and campus, one with nearly all roles, and one with an ended role.

    A different `mark` creates different people.
    """
    here, there = app.campus, app.other_campus
    found = [_member(app, role.value + mark, here, role) for role in Role]
    found.append(_member(app, "all but administrator" + mark, here, *set(Role) - {Role.CAMPUS_ADMIN}))
    found += [_member(app, f"{role} of another campus{mark}", there, role) for role in Role]
    former = _member(app, "former administrator" + mark, here, Role.CAMPUS_ADMIN)
    with app.unit_of_work() as services:
        for membership, _ in services.people.people.memberships_of(former.person.id):
            membership.until = app.clock.now
    return [*found, replace(former, roles=frozenset())]


def _member(app: App, name: str, campus: Campus, *roles: Role) -> Member:
    with app.unit_of_work() as services:
        for role in roles:
            person = services.people.add_staff(
                campus,
                given_name=name,
                family_name=campus.slug,
                address="membre@exemple.fr",
                role=role,
                by=COMMAND,
            )
    return Member(name, person, campus, frozenset(roles))


def callers_of(app: App, ours: Things, members: Sequence[Member], *, mark: str = "") -> Iterator[Caller]:
    """`ours` are the resources of the campus of most callers; the learner holds its award."""
    here, there = app.campus.slug, app.other_campus.slug
    yield Caller("anonymous", _browser(app))
    learner = _browser(app)
    assert learner.get(f"/recevoir/{ours.ids['token']}").status_code == 303
    yield Caller("learner", learner, holds=ours.award_id)
    for member in members:
        browser = _browser(app, member.person)
        yield Caller(member.name, browser, member.campus.slug, member.roles, signed_in=True)
    launched = _browser(app)
    launched.cookies.set("cours", launch_secret(app, app.campus, app.trainer))
    yield Caller("launch of a course", launched, launches=here)
    with app.unit_of_work() as services:
        operator = services.operators.add("Ada", "Opératrice" + mark, "operatrice@exemple.fr", by=COMMAND)
    yield Caller("operator", _browser(app, operator), signed_in=True, operates=True)
    for right in AppScope:
        connected = application(app, app.trainer, right)
        connected.get("/connexion")
        yield Caller(f"application {right.name}", connected, connected=frozenset([right]))
    for scope in Scope:
        yield Caller(f"token {scope}", _program(app, scope.value), here, scopes=frozenset([scope.value]))
    every = frozenset(scope.value for scope in Scope)
    yield Caller("token of another campus", _program(app, campus=app.other_campus), there, scopes=every)


def _program(app: App, *scopes: str, campus: Campus | None = None) -> TestClient:
    """An API client that also has the cookies of the sign-in page."""
    client = program(app, *scopes, campus=campus)
    client.get("/connexion")
    return client


def _browser(app: App, person: Person | None = None) -> TestClient:
    client = app.client(person)
    # The sign-in page sets the cookie that its forms require.
    client.get("/connexion")
    del client.headers["accept"]
    return client
