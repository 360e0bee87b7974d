"""Choices that people made since a backup stay in force after its restore, on every form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select, update

from app.domain.activities import Activity, ActivityKind, ActivitySession, PartKind
from app.domain.activities.files import FileContent, FileNoun, FileState, StoredFile
from app.domain.activity_log.recovery import NO_CAMPUS
from app.domain.awards import Award, Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.badges import Badge
from app.domain.badges.shared_definitions import ModuleSet, SharedBadge
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import CampusPicture
from app.domain.frameworks.pathways import Pathway
from app.domain.learners.portfolios import Contribution, ContributionState, ContributionStatement
from app.domain.learners.ratings import BadgeRating, SentenceState
from app.domain.messages import Occasion, QueuedMessage
from app.domain.people import AgeGroup, Role
from app.domain.people.consents import About, Consent, ParentAgreement, parent_token
from app.domain.reports.network import ReportSharing, Topic
from app.domain.reports.surveys import Answer, SurveyAnswer, SurveyLink
from app.domain.trust.organisations import (
    Endorsed,
    Endorsement,
    EndorsementRequest,
    Organisation,
    Refusal,
)
from app.errors import AppError, NotFound
from app.services.activity_log.log_check import Older
from app.services.learners.portfolios import ShutPortfolio
from tests.app.api.clients import connected, registered
from tests.app.services.frameworks.test_pathway_progress import draw_pathway
from tests.support.app import COMMAND, App
from tests.support.content.networks import NETWORK, network_of
from tests.support.content.restores import (
    ADA,
    PUBLIC,
    REASON,
    ROOF,
    award_row,
    choose,
    given,
)
from tests.support.content.skills import levelled
from tests.support.databases.copies import Backup, drop_copies


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def test_page_closed_since_the_backup_is_open_nowhere(app: App) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    choose(app, lambda services: services.awards.set_visibility(r, Visibility.CLOSED, by=COMMAND))
    closed = [app.client().get(path.format(r)).status_code for path in PUBLIC]
    with backup.restored() as copy:
        assert {each.older for each in copy.process.behind.values()} == {Older.CHOICES}
        client = copy.client()
        assert client.get("/health/ready").status_code == 503
        for path in PUBLIC:
            assert client.get(path.format(r)).status_code in (404, 503), path
        done = copy.process.put_back_choices(REASON, by=COMMAND)
        assert (done.is_whole, done.people_shut) == (True, 0)
        assert copy.process.compare_with_anchors(thorough=True) == []
        assert [client.get(path.format(r)).status_code for path in PUBLIC] == closed
        choose(copy, lambda services: services.awards.set_visibility(r, Visibility.OPEN, by=COMMAND))
        assert award_row(copy, r).visibility is Visibility.OPEN


def test_choices_since_the_backup_are_restored_on_every_form(app: App) -> None:
    r, a, child = (
        given(app, ROOF),
        given(app, ADA),
        given(app, "Zoé N’Diaye; zoe@exemple.fr"),
    )
    at = app.clock()
    organisation = Organisation(
        domain="atelier.exemple.fr", did="did:web:atelier.exemple.fr", name="Atelier", created_at=at
    )
    with app.unit_of_work() as services:
        session, person = services.stores.session, services.awards.record(r).person
        portfolio = services.portfolios.start(person, [r])
        portfolio.is_open = portfolio.is_findable = True
        for each in (r, a):
            award = services.awards.record(each).award
            award.is_findable = award.answers_checks = True
        session.add(organisation)
        session.flush()
        endorsement = Endorsement(
            organisation_id=organisation.id, campus_id=app.campus.id, about=Endorsed.AWARD, award_id=a,
            subject="urn:uuid:1", organisation_name="Atelier", address="a@atelier.exemple.fr", written="{}", signed_at=at,
        )  # fmt: skip
        of_child = services.awards.record(child).person
        of_child.age_group = AgeGroup.UNDER_15
        session.add(of_child)
        agreement = ParentAgreement(
            award_id=child,
            person_id=of_child.id,
            address="p@exemple.fr",
            asked_at=at,
            answered_at=at,
            agreed=True,
        )
        session.add_all([portfolio, endorsement, agreement])
        services.stores.award_evidence.choose(a, 0, DisclosedContent.ALL, at=at)
    with app.unit_of_work(reading=True) as services:
        (piece,) = services.stores.portfolios.pieces_of(portfolio.id)
    backup = Backup(app)

    with app.unit_of_work() as services:
        session = services.stores.session
        services.awards.set_visibility(child, Visibility.CLOSED, by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=False)
        changed = services.awards.record(a).award
        changed.is_findable = changed.answers_checks = False
        person = services.awards.record(r).person
        person.accepts_links = person.allows_name = False
        session.add_all([changed, person])
        session.add(
            Consent(person_id=person.id, award_id=r, about=About.PUBLICATION, given=False, wording=1, at=at)
        )
        services.stores.award_evidence.choose(a, 0, DisclosedContent.EXISTENCE, at=at)
        shut = services.portfolios.get(portfolio.id)
        services.portfolios.take_out(shut, piece.id)
        services.portfolios.set_open(shut, False)
        session.get(Endorsement, endorsement.id).withdrawn_at = at

    def held(of: App) -> tuple[object, ...]:
        with of.unit_of_work(reading=True) as services:
            session, award = services.stores.session, services.awards.record(a).award
            person = services.awards.record(r).person
            folder = services.stores.portfolios.get(portfolio.id)
            return (
                award.visibility,
                (award.is_findable, award.answers_checks),
                services.awards.record(child).award.visibility,
                (person.accepts_links, person.allows_name),
                [consent.given for consent in services.stores.consents.of_person(person.id)],
                services.stores.award_evidence.shown_of(a),
                (folder.is_open, len(services.stores.portfolios.pieces_of(folder.id))),
                session.get(Endorsement, endorsement.id).withdrawn_at,
                session.get(ParentAgreement, agreement.id).agreed,
            )

    def forms(client: TestClient) -> list[object]:
        pages = [client.get(path.format(each)) for path in PUBLIC for each in (r, a, child)]
        pages.append(client.get(f"/portfolio/{portfolio.id}"))
        return [
            (page.status_code, page.headers.get("x-robots-tag"), "noindex" in page.text) for page in pages
        ]

    chosen, shown = held(app), forms(app.client())
    assert chosen[1:4] == ((False, False), Visibility.CLOSED, (False, False))
    with backup.restored() as copy:
        assert copy.client().get(f"/portfolio/{portfolio.id}").status_code in (404, 503)
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert held(copy) == chosen
        assert forms(copy.client()) == shown


def test_withdrawals_since_the_backup_on_newer_pages_are_restored(app: App) -> None:
    award_id, at = given(app, ROOF), app.clock()
    path = draw_pathway(app)
    with app.unit_of_work() as services:
        session, record = services.stores.session, services.awards.record(award_id)
        network = network_of(services, app.campus)
        services.network_reports.share(app.campus, NETWORK, [*Topic], by=COMMAND)
        rating = BadgeRating(
            campus_id=app.campus.id, badge_id=record.badge.id, person_id=record.person.id,
            score=5, sentence="Utile.", sentence_state=SentenceState.SHOWN, rated_at=at,
        )  # fmt: skip
        picture = CampusPicture(
            campus_id=app.campus.id,
            alternative="Un bras",
            content=b"\x89PNG",
            width=1,
            height=1,
            added_at=at,
        )
        session.add_all([rating, picture])
        services.pathway_followers.join(path, record.person, by=Actor(record.person.id))
        closes_on = app.campus.day_of(services.clock())
        code = services.surveys.open(app.campus, app.activity.id, closes_on=closes_on, by=COMMAND).code
        services.surveys.answer(code, Answer(4, True, "Très bien."), phone="phone")
        (answer,) = services.surveys.page(app.campus, app.activity.id).sentences
        services.surveys.moderate(app.campus, app.activity.id, answer.id, approved=True, by=COMMAND)
    backup = Backup(app)
    with app.unit_of_work() as services:
        session, record = services.stores.session, services.awards.record(award_id)
        changed = session.get(BadgeRating, rating.id)
        changed.sentence, changed.sentence_state = "Moins utile.", SentenceState.WAITING
        services.network_reports.share(app.campus, NETWORK, [], by=COMMAND)
        services.campus_pictures.remove(app.campus, picture.id, by=COMMAND)
        services.pathway_followers.leave(path, record.person, by=Actor(record.person.id))
        services.surveys.moderate(app.campus, app.activity.id, answer.id, approved=False, by=COMMAND)
        services.surveys.close(app.campus, app.activity.id, by=COMMAND)

    def held(of: App) -> tuple[object, ...]:
        with of.unit_of_work(reading=True) as services:
            session = services.stores.session
            kept = session.get(BadgeRating, rating.id)
            return (
                (kept.sentence, kept.sentence_state),
                session.get(ReportSharing, (of.campus.id, network.id)).topics,
                session.get(CampusPicture, picture.id),
                services.pathway_followers.own(path, services.awards.record(award_id).person.id),
                session.get(SurveyLink, of.activity.id).closed_at,
                session.get(SurveyAnswer, answer.id).sentence_state.value,
            )

    assert held(app) == (("Moins utile.", SentenceState.WAITING), frozenset(), None, None, at, "rejected")
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert held(copy) == held(app)


def test_gap_in_the_journal_of_choices_closes_everything_and_asks_holders(
    app: App,
) -> None:
    r, a = given(app, ROOF), given(app, ADA)
    backup = Backup(app)
    journal = app.process.journal
    for is_lost, award_id in ((True, r), (False, a)):
        choose(
            app,
            lambda services, each=award_id: services.awards.set_visibility(
                each, Visibility.CLOSED, by=COMMAND
            ),
        )
        if is_lost:
            for path in (journal.folder / NO_CAMPUS.hex).iterdir():
                path.unlink()
    choose(app, lambda services: services.awards.set_visibility(a, Visibility.OPEN, by=COMMAND))
    with backup.restored() as copy:
        done = copy.process.put_back_choices(REASON, by=COMMAND)
        assert (done.is_whole, done.people_shut) == (False, 2)
        assert {award_row(copy, each).visibility for each in (r, a)} == {Visibility.CLOSED}
        with copy.unit_of_work(reading=True) as services:
            queued = services.stores.session.exec(
                select(QueuedMessage).where(QueuedMessage.occasion == Occasion.ADDRESS_CHANGED)
            ).all()
        assert {each.address for each in queued} == {"remi@exemple.fr", "ada@exemple.fr"}
        assert copy.process.compare_with_anchors(thorough=True) == []


def test_lost_journal_closes_everything(app: App) -> None:
    """Nothing else records a page closed or a link stopped since the backup."""
    r, last_day = given(app, ROOF), date(2027, 6, 1)
    with app.unit_of_work() as services:
        portfolio = services.portfolios.start(services.awards.record(r).person, [r])
        link = services.portfolios.reader_link(portfolio, last_day)
    choose(app, lambda services: services.awards.set_visibility(r, Visibility.OPEN, by=COMMAND))
    backup = Backup(app)
    choose(app, lambda services: services.awards.set_visibility(r, Visibility.CLOSED, by=COMMAND))
    choose(app, lambda services: services.portfolios.end_links(services.portfolios.store.get(portfolio.id)))
    given(app, ADA)
    for path in app.process.journal.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert done.choices is not None
        assert not done.choices.is_whole
        assert award_row(copy, r).visibility is Visibility.CLOSED
        with copy.unit_of_work(reading=True) as services, pytest.raises(ShutPortfolio):
            services.portfolios.open_by_link(portfolio.id, link)


def test_choice_by_any_statement_is_journaled_and_one_that_is_rolled_back_is_not(app: App) -> None:
    r = given(app, ROOF)

    def newest() -> int:
        with app.unit_of_work(reading=True) as services:
            assert services.choice_journal.head() == services.stores.choices.newest()
            return services.stores.choices.newest()

    before = newest()
    choose(
        app, lambda services: services.stores.session.exec(
            update(Award).where(Award.id == r).values(visibility=Visibility.CLOSED)
        )
    )  # fmt: skip
    assert newest() == before + 1

    def open_and_fail(services: Any) -> None:
        services.awards.set_visibility(r, Visibility.OPEN, by=COMMAND)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        choose(app, open_and_fail)
    assert newest() == before + 1
    choose(app, lambda services: services.stores.session.exec(
        update(Award).where(Award.id == r).values(grounds="3 h")
    ))  # fmt: skip
    assert newest() == before + 1
    with app.process.repair(reading=True) as services:
        assert services.choice_journal.missing().changes == []


def test_choice_without_a_frame_after_a_crash_is_appended_at_the_next_start(app: App) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    app.process._journal_choices = lambda: None
    choose(app, lambda services: services.awards.set_visibility(r, Visibility.CLOSED, by=COMMAND))
    app.process.check()
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert award_row(copy, r).visibility is Visibility.CLOSED


def test_stolen_key_former_operator_and_withdrawn_invitation_do_not_come_back(app: App) -> None:
    with app.unit_of_work() as services:
        network_of(services, app.campus)
        operator = services.operators.add("Ines", "Colin", "ines.colin@exemple.fr", by=COMMAND)
        invitation = services.invitations.invite(
            app.campus, "new@exemple.fr", [Role.TRAINER], days=7, by=COMMAND
        )
        stolen = services.register.page(NETWORK).key
    backup = Backup(app)
    with app.unit_of_work() as services:
        network = services.register.network(NETWORK)
        services.partner_keys.retire_of_network(
            network, reason=REASON, method_id="", stolen_since=app.clock(), by=COMMAND
        )
        services.operators.remove(operator.id, by=COMMAND)
        services.invitations.withdraw(app.campus, invitation.id, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        key = services.register.page(NETWORK).key
    assert key != stolen
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        with copy.unit_of_work(reading=True) as services:
            assert services.register.page(NETWORK).key == key
            (former, _) = services.network_signing.keys_of(services.register.network(NETWORK))
            assert former.revoked_at is not None
            assert not services.operators.is_operator(operator.id)
            assert services.invitations.waiting(copy.campus) == []


def test_application_that_was_disconnected_or_removed_reads_nothing_after_the_restore(app: App) -> None:
    r = given(app, ROOF)
    with app.unit_of_work(reading=True) as services:
        person = services.awards.record(r).person
    apps = [registered(app), registered(app)]
    granted = [connected(app, person, registration=each) for each in apps]

    def read(of: App, index: int) -> int:
        headers = {"authorization": f"Bearer {granted[index]['access_token']}", "accept": "application/json"}
        return of.client().get("/ims/ob/v3p0/credentials", headers=headers).status_code

    def renewed(of: App, index: int) -> object:
        with of.unit_of_work() as services:
            client = services.connected_apps.client(apps[index]["client_id"], apps[index]["client_secret"])
            form = {"grant_type": "refresh_token", "refresh_token": granted[index]["refresh_token"]}
            return client and services.connected_apps.tokens(client, form)

    assert [read(app, each) for each in (0, 1)] == [200, 200]
    backup = Backup(app)
    first, second = (UUID(each["client_id"]) for each in apps)
    with app.unit_of_work() as services:
        services.connected_apps.disconnect(person.id, first, by=Actor(person.id))
        services.connected_apps.remove(second)
    with backup.restored() as copy:
        assert {each.older for each in copy.process.behind.values()} == {Older.CHOICES}
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert [read(copy, each) for each in (0, 1)] == [401, 401]
        assert not isinstance(renewed(copy, 0), dict)
        assert renewed(copy, 1) is None
        with copy.unit_of_work(reading=True) as services:
            assert [each.id for each in services.connected_apps.store.list_all()] == [first]


def test_claim_code_that_a_correction_voided_opens_nothing_after_the_restore(app: App) -> None:
    r = app.award(ROOF).lines[0].award_id
    assert r is not None
    with app.unit_of_work() as services:
        record = services.awards.record(r)
        code = services.delivery.codes_for([record])[r].code
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.corrections.correct(
            app.campus, record.person.id, "Rémi", "Roux", "juste@exemple.fr", by=Actor(app.admin.id)
        )
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        with copy.unit_of_work() as services, pytest.raises(AppError):
            services.delivery.claim_by_code(code)


def test_campus_that_the_operator_suspended_stays_suspended(app: App) -> None:
    given(app, ROOF)
    backup = Backup(app)
    choose(app, lambda services: services.operators.suspend(app.campus.slug, by=COMMAND))
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        with copy.unit_of_work(reading=True) as services:
            assert services.campuses.get(app.campus.slug).suspended_at == app.clock()


def test_content_that_a_campus_closed_since_the_backup_stays_closed(app: App) -> None:
    given(app, ROOF)
    path_id, skills, by = draw_pathway(app), levelled(app), Actor(app.admin.id)
    with app.unit_of_work() as services:
        coming = Activity(
            kind=ActivityKind.WORKSHOP, title="Soudure ouverte à tous",
            starts_on=date(2026, 12, 3), ends_on=date(2026, 12, 10), created_at=app.clock(),
        )  # fmt: skip
        services.activities.create(coming, [app.campus], by=by)
        services.catalogue.announce(app.campus, coming, enrolment="", by=by)
        evening = ActivitySession(activity_id=coming.id, held_on=date(2026, 12, 3))
        services.activity_plans.plans.save(evening)
        modules = services.modules.create(app.campus, title="Bloc 1", by=by)
        services.stores.session.get_one(Badge, app.role.badge.id).accepts_requests = True
    badge_ids = app.presence.badge.id, skills.badge.badge.id

    def shown(of: App) -> list[int]:
        addresses = (f"/activites/{coming.id}", f"/competences/{skills.competency.id}",
                     f"/badges/{app.role.badge.id}/demande")  # fmt: skip
        return [of.client().get(each).status_code for each in addresses]

    def in_service(of: App) -> list[bool]:
        with of.unit_of_work(reading=True) as services:
            session = services.stores.session
            rows = [session.get_one(Badge, each).archived_at for each in badge_ids]
            rows += [session.get_one(ModuleSet, modules.id).archived_at]
            rows += [session.get_one(Pathway, path_id).archived_at]
            rows += [session.get_one(ActivitySession, evening.id).cancelled_at]
            return [each is None for each in rows]

    assert (shown(app), in_service(app)) == ([200] * 3, [True] * 5)
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.catalogue.withdraw_announcement(app.campus, coming, by=by)
        services.pathways.archive(app.campus, path_id, archived=True, by=by)
        services.competencies.archive(app.campus, skills.competency.id, by=by)
        services.modules.archive(app.campus, modules.id, by=by)
        for each in badge_ids:
            services.badges.archive(app.campus, each, by=by)
        services.stores.session.get_one(Badge, app.role.badge.id).accepts_requests = False
        services.activity_plans.plans.find_session(coming.id, evening.id).cancelled_at = app.clock()
    closed = shown(app)
    assert 200 not in closed
    with backup.restored() as copy:
        assert {each.older for each in copy.process.behind.values()} == {Older.CHOICES}
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert (shown(copy), in_service(copy)) == (closed, [False] * 5)


def test_stranger_who_refused_for_ever_is_asked_no_more_even_if_asked_since_the_backup(app: App) -> None:
    r = given(app, ROOF)

    def ask(address: str) -> EndorsementRequest:
        with app.unit_of_work() as services:
            record = services.awards.record(r)
            by = Actor(record.person.id)
            return services.peer_recommendations.ask(record, address, "", refused=False, by=by)

    asked = [ask("avant@exemple.fr")]
    backup = Backup(app)
    asked.append(ask("depuis@exemple.fr"))
    with app.unit_of_work() as services:
        for each in asked:
            token = services.peer_recommendations.write_token(each.id)
            services.peer_recommendations.refuse(token, Refusal.EVER)
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        with copy.unit_of_work(reading=True) as services:
            refuses = services.peer_recommendations.endorsements.refuses_all
            assert refuses("avant@exemple.fr")
            assert refuses("depuis@exemple.fr")


def test_copy_that_lacks_only_the_end_of_sessions_is_older_and_ends_them(app: App) -> None:
    given(app, ROOF)
    client = app.client(app.trainer)
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.stores.sessions.end_all_of(app.trainer.id)
    with backup.restored() as copy:
        assert {each.older for each in copy.process.behind.values()} == {Older.CHOICES}
        browser = copy.client()
        browser.cookies.update(client.cookies)
        assert browser.get("/health/ready").status_code == 503
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert browser.get("/compte").status_code == 401


def test_deleted_expired_sessions_are_not_journaled(app: App) -> None:
    app.client(app.trainer)
    with app.unit_of_work(reading=True) as services:
        before = services.stores.choices.newest()
    app.clock.move(days=400)
    with app.unit_of_work() as services:
        services.stores.sessions.sweep(app.clock())
    with app.unit_of_work(reading=True) as services:
        assert services.stores.choices.newest() == before


def test_webhook_that_was_removed_paused_or_given_a_new_secret_stays_so(app: App) -> None:
    def hooks(services: Any) -> Any:
        return {each.label: each for each in services.webhooks.list_of(app.campus)}

    with app.unit_of_work() as services:
        for label in ("Retiré", "En pause", "Secret"):
            services.webhooks.add(
                app.campus,
                url=f"https://{len(label)}.exemple.fr/",
                label=label,
                kinds=["award"],
                by=COMMAND,
            )
    with app.unit_of_work() as services:
        services.webhooks.test(app.campus, hooks(services)["Retiré"].id, by=COMMAND)
    backup = Backup(app)
    with app.unit_of_work() as services:
        found = hooks(services)
        services.webhooks.remove(app.campus, found["Retiré"].id, by=COMMAND)
        services.webhooks.pause(app.campus, found["En pause"].id, by=COMMAND)
        services.webhooks.rotate(app.campus, found["Secret"].id, by=COMMAND)
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        with copy.unit_of_work(reading=True) as services, app.unit_of_work(reading=True) as now:
            back, meant = hooks(services), hooks(now)
            assert back.keys() == meant.keys() == {"En pause", "Secret"}
            assert not back["En pause"].is_active
            assert services.webhooks.secret_of(back["Secret"]) == now.webhooks.secret_of(meant["Secret"])
            with pytest.raises(NotFound):
                services.webhooks.get(app.campus, found["Retiré"].id)


def test_setting_sender_contribution_and_definition_ended_since_the_backup_stay_so(app: App) -> None:
    r = given(app, ROOF)
    with app.unit_of_work() as services:
        person = services.awards.record(r).person
        at = services.clock()
        result = ContributionStatement(
            "Film",
            "J’ai monté le film de l’atelier de robotique, et le générique.",
            PartKind.LEARNER,
            at.date(),
        )
        contribution = services.contributions.add(
            person, app.campus, result, None, [], today=at.date(), by=COMMAND
        ).id
        network, session = network_of(services, app.campus), services.stores.session
        services.campuses.get(app.campus.slug).selective_disclosure = True
        services.senders.assign(app.campus, "badges@itip.exemple.fr", by=COMMAND)
        file = StoredFile(
            campus_id=app.campus.id, noun=FileNoun.CONTRIBUTION, noun_id=contribution, name="film.png",
            media_type="image/png", size=1, digest="0" * 64, state=FileState.CLEAN, added_at=at,
        )  # fmt: skip
        shared = SharedBadge(network_id=network.id, created_at=at)
        session.add_all([file, shared])
        session.flush()
        session.add(FileContent(file_id=file.id, content=b"1"))
        ids = shared.id, file.id
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.contributions.withdraw(person, app.campus, contribution, by=COMMAND)
        campus = services.campuses.get(app.campus.slug)
        campus.selective_disclosure = campus.names_in_credentials = False
        services.senders.remove(app.campus, by=COMMAND)
        services.stores.session.get(SharedBadge, ids[0]).withdrawn_at = services.clock()
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        with copy.unit_of_work(reading=True) as services:
            campus, session = services.campuses.get(app.campus.slug), services.stores.session
            assert (campus.selective_disclosure, campus.names_in_credentials) == (False, False)
            assert services.stores.campuses.sender(campus.id) is None
            assert session.get(Contribution, contribution).state is ContributionState.WITHDRAWN
            assert session.get(SharedBadge, ids[0]).withdrawn_at is not None
            assert (session.get(StoredFile, ids[1]), session.get(FileContent, ids[1])) == (None, None)
