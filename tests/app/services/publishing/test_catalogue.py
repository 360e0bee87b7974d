"""The public catalogue: derived from the rows of each campus, with search tolerant of accents and typing errors; on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from sqlmodel import update

from app.domain.activities import Activity, ActivityKind, ActivitySession, Plan
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Network
from app.domain.publishing.catalogue import (
    CatalogueOrder,
    CatalogueQuery,
    CatalogueRefresh,
    EntryKind,
    audience_groups,
)
from app.errors import InvalidInput, NotFound
from app.services.publishing.catalogue import CatalogueResult, enrolment_link
from tests.app.services.frameworks.test_pathway_progress import draw_pathway
from tests.support.app import COMMAND, App, build_app
from tests.support.content.networks import label, named, network_of
from tests.support.content.skills import levelled
from tests.support.running.every import for_each

pytestmark = pytest.mark.both_engines


@pytest.fixture
def offering(database_url: str, tmp_path: Path) -> Iterator[App]:
    """An app with awards of « Robotique pour tous » and « Acteur du dispositif Explor’#ICI »."""
    app = build_app(database_url, tmp_path)
    app.award("Zoé N’Diaye; zoe@exemple.fr", "Hugo Martel; hugo@exemple.fr")
    app.award("Zoé N’Diaye; zoe@exemple.fr", badge=app.role, evidence="Elle a animé l’atelier de robotique.")
    refresh(app)
    yield app
    app.close()


def refresh(app: App) -> None:
    with app.unit_of_work() as services:
        for campus_id in services.catalogue.due():
            services.catalogue.refresh(campus_id)


def search(app: App, text: str = "", *, exactly: bool = False, **asked) -> CatalogueResult:
    asked.setdefault("kinds", (EntryKind.BADGE,))
    with app.unit_of_work(reading=True) as services:
        return services.catalogue.search(CatalogueQuery(text=text, **asked), exactly=exactly)


def titles(result: CatalogueResult) -> list[str]:
    return [entry.title for entry in result.entries]


def announced(app: App, *, on: date, enrolment: str = "", badge: bool = True) -> uuid.UUID:
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        row = Activity(
            kind=ActivityKind.WORKSHOP, title="Soudure ouverte à tous", starts_on=on, ends_on=on, audience="Lycéens",
            created_at=app.clock(),
        )  # fmt: skip
        plan = Plan(badges=[app.presence.badge.id] if badge else [])
        activity = services.activity_plans.create(app.campus, row, plan, by=by)
        services.catalogue.announce(app.campus, activity, enrolment=enrolment, by=by)
        return activity.id


@for_each("typed", ["robotique", "ROBOTIQUES", "robotiqe", "roboti", "pour tous robotique"])
def test_search_ignores_case_plural_typing_errors_and_endings(offering: App, typed: str):
    assert "Robotique pour tous" in titles(search(offering, typed))


@pytest.fixture
def labelled(offering: App) -> dict[EntryKind, str]:
    """The paths of a network, and of the label that it gave the campus."""
    with offering.unit_of_work() as services:
        pole = services.campuses.create_network(
            Network(slug="pole", name="Pôle inter-CMQ bas carbone", description="Rénovation et énergie."),
            [offering.campus],
            by=COMMAND,
        )
        services.register.write(pole, named(offering.campus), by=COMMAND)
        given = label(services, pole, offering.campus)
    refresh(offering)
    return {EntryKind.NETWORK: "/reseau/pole", EntryKind.LABEL: f"/labels/{given.id}"}


@for_each(
    ("typed", "kind"),
    [
        ("bas carbone", EntryKind.NETWORK),
        ("Pôle", EntryKind.NETWORK),
        ("carbonne", EntryKind.NETWORK),
        ("rénovation", EntryKind.NETWORK),
        ("excellence", EntryKind.LABEL),
        ("excelence", EntryKind.LABEL),
        ("label ITIP", EntryKind.LABEL),
    ],
)
def test_search_finds_networks_and_labels(
    offering: App, labelled: dict[EntryKind, str], typed: str, kind: EntryKind
):
    found = search(offering, typed, kinds=(kind,))
    assert [entry.path for entry in found.entries] == [labelled[kind]]
    assert found.facets["kind"][kind] == found.total == 1
    assert search(offering, typed).facets["kind"][kind] == 1, "from the page of badges, too"


def test_networks_and_labels_are_derived_when_they_change_and_once(offering: App):
    def due() -> list[uuid.UUID]:
        with offering.unit_of_work(reading=True) as services:
            return list(services.catalogue.due())

    offering.clock.move(seconds=1)
    refresh(offering)
    assert due() == []
    with offering.unit_of_work() as services:
        network = network_of(services, offering.campus)
        label(services, network, offering.campus)
    assert set(due()) == {offering.campus.id, network.id}
    offering.clock.move(seconds=1)
    refresh(offering)
    assert due() == []
    with offering.unit_of_work() as services:
        services.register.network("bfc").name = "Réseau de Bourgogne"
    assert due() == [network.id]
    refresh(offering)
    assert due() == []
    assert titles(search(offering, "bourgogne", kinds=(EntryKind.NETWORK,))) == ["Réseau de Bourgogne"]


def test_search_reports_its_correction_and_can_be_exact(offering: App):
    assert search(offering, "robotiqe").corrected
    assert not search(offering, "robotique").corrected
    assert search(offering, "robotiqe", exactly=True).total == 0


@for_each("typed", ["'", '"', "a OR b", "robot* :", "&|!()", "\\", "NEAR(x y)", "é" * 300, "%", "_"])
def test_search_takes_any_text(offering: App, typed: str):
    search(offering, typed)


def test_only_published_badges_are_listed_with_their_holders_from_five_on(offering: App):
    def listed() -> list[tuple[str, int]]:
        found = search(offering, order=CatalogueOrder.HOLDERS)
        return [(entry.title, entry.holders) for entry in found.entries]

    # Two people and one: the order reveals no more than the page.
    assert listed() == [("Acteur du dispositif Explor’#ICI", 1), ("Robotique pour tous", 1)]
    offering.award("Faure Ada;ada.f@exemple.fr", "Roy Inès;ines@exemple.fr", "Bel Tom;tom@exemple.fr")
    refresh(offering)
    assert listed() == [("Robotique pour tous", 5), ("Acteur du dispositif Explor’#ICI", 1)]


def test_facets_count_the_results_of_each_value(offering: App):
    found = search(offering, badge_kinds=["participation"])
    assert titles(found) == ["Robotique pour tous"]
    assert found.facets["badge_kind"] == {"participation": 1, "engagement": 1}
    assert found.total == 1


def test_badges_and_activities_are_found_by_competency(offering: App):
    given = levelled(offering)
    offering.award("Zoé N’Diaye; zoe@exemple.fr", badge=given.badge, evidence="Deux mesures justes.")
    refresh(offering)
    key = str(given.competency.id)
    title = given.badge.version.name
    assert search(offering).facets["competencies"] == {key: 1}
    found = search(offering, competencies=[key])
    assert (titles(found), found.total) == ([title], 1)
    assert titles(search(offering, title, competencies=[key])) == [title]
    assert search(offering, title, competencies=[str(uuid.uuid4())]).total == 0
    on = date(2026, 12, 3)
    with offering.unit_of_work() as services:
        row = Activity(kind=ActivityKind.WORKSHOP, title="Mesurer", starts_on=on, ends_on=on)
        plan = Plan(competencies=[given.competency.id])
        activity = services.activity_plans.create(offering.campus, row, plan, by=Actor(offering.trainer.id))
        services.catalogue.announce(offering.campus, activity, enrolment="", by=Actor(offering.trainer.id))
    refresh(offering)
    assert titles(search(offering, kinds=(EntryKind.ACTIVITY,), competencies=[key])) == ["Mesurer"]


def test_facets_are_counted_again_as_soon_as_an_announcement_is_withdrawn(offering: App):
    activity_id = announced(offering, on=date(2026, 12, 3))
    refresh(offering)
    assert search(offering, kinds=(EntryKind.ACTIVITY,)).total == 1
    with offering.unit_of_work() as services:
        activity = services.stores.activities.find(activity_id)
        services.catalogue.withdraw_announcement(offering.campus, activity, by=Actor(offering.trainer.id))
    found = search(offering, kinds=(EntryKind.ACTIVITY,))
    assert (found.total, found.entries) == (0, [])


def test_kinds_count_what_the_text_alone_finds(offering: App):
    announced(offering, on=date(2026, 12, 3))
    refresh(offering)
    found = search(offering, "tous", badge_kinds=["participation"], levels=[2])
    assert found.total == 0
    assert found.facets["kind"] == {EntryKind.BADGE: 1, EntryKind.ACTIVITY: 1}


def test_refreshing_again_changes_nothing_and_is_due_after_a_change(offering: App):
    with offering.unit_of_work() as services:
        before = {
            key: entry.number
            for key, entry in services.catalogue.catalogue.entries_of(offering.campus.id).items()
        }
        offering.clock.move(minutes=1)
        services.catalogue.refresh(offering.campus.id)
        after = {
            key: entry.number
            for key, entry in services.catalogue.catalogue.entries_of(offering.campus.id).items()
        }
    assert after == before
    with offering.unit_of_work() as services:
        services.catalogue.refresh(offering.other_campus.id)
        assert offering.campus.id not in services.catalogue.due()
    offering.clock.move(minutes=1)
    offering.award("Inaya Morel; inaya@exemple.fr")
    with offering.unit_of_work(reading=True) as services:
        assert offering.campus.id in services.catalogue.due()


def test_an_activity_is_listed_once_announced_until_it_has_passed(offering: App):
    activity_id = announced(offering, on=date(2026, 12, 3))
    refresh(offering)
    found = search(offering, "soudure", kinds=(EntryKind.ACTIVITY,), audiences=["lyceens"])
    assert titles(found) == ["Soudure ouverte à tous"]
    assert search(offering, "robotique").entries[0].starts_on == date(2026, 12, 3)
    with offering.unit_of_work(reading=True) as services:
        assert services.catalogue.activity(activity_id).enrolment == "mailto:itip@exemple.fr"
    offering.clock.move(days=10)
    refresh(offering)
    assert search(offering, "soudure", kinds=(EntryKind.ACTIVITY,)).total == 0
    with offering.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.catalogue.activity(activity_id)


def test_a_withdrawn_announcement_is_gone_at_once(offering: App):
    activity_id = announced(offering, on=date(2026, 12, 3))
    refresh(offering)
    with offering.unit_of_work() as services:
        activity = services.activities.get(offering.campus, activity_id)
        services.catalogue.withdraw_announcement(offering.campus, activity, by=Actor(offering.trainer.id))
    assert search(offering, "soudure", kinds=(EntryKind.ACTIVITY,)).total == 0


def test_activity_without_an_announcement_is_not_listed(offering: App):
    assert search(offering, "atelier", kinds=(EntryKind.ACTIVITY,)).total == 0
    with offering.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.catalogue.activity(offering.activity.id)


def test_catalogue_contains_no_name_of_a_person(offering: App):
    for kind in EntryKind:
        for name in ("Zoé", "N’Diaye", "Martel", "Anaïs"):
            assert search(offering, name, kinds=(kind,), exactly=True).total == 0


def test_a_suspended_campus_is_not_listed(offering: App):
    with offering.unit_of_work() as services:
        campus = services.campuses.get(offering.campus.slug)
        campus.suspended_at = offering.clock()
        services.campuses.campuses.add(campus)
        services.catalogue.refresh(campus.id)
    assert search(offering).total == 0


@pytest.mark.parametrize("closed", ["announcement", "badge", "competency", "pathway", "campus"])
def test_closed_content_is_removed_from_every_list_at_once(offering: App, closed: str):
    """Before the worker runs: lists and counts, feed and sitemap, rankings, and preview picture."""
    given, path, by = levelled(offering), draw_pathway(offering), Actor(offering.admin.id)
    offering.award("Zoé N’Diaye; zoe@exemple.fr", badge=given.badge, evidence="Deux mesures justes.")
    activity = announced(offering, on=date(2026, 12, 3))
    refresh(offering)
    subject = {
        "announcement": activity, "badge": given.badge.badge.id, "competency": given.competency.id, "pathway": path,
        "campus": offering.campus.id,
    }[closed]  # fmt: skip
    mark = "/campus/itip<" if closed == "campus" else str(subject)
    places = (
        "/sitemap.xml",
        "/nouveautes.atom",
        "/classements",
        "/badges",
        "/competences",
        "/parcours",
        "/activites",
    )

    def found() -> tuple[bool, int, int]:
        texts = [offering.client().get(each).text for each in places]
        card = offering.client().get(f"/cartes/fiche/{subject}/0.png").status_code
        listed = sum(search(offering, kinds=(each,)).total for each in EntryKind)
        return any(mark in each for each in texts), card, listed

    seen, card, total = found()
    assert (seen, card) == (True, 303)
    with offering.unit_of_work() as services:
        campus = offering.campus
        match closed:
            case "announcement":
                services.catalogue.withdraw_announcement(
                    campus, services.activities.get(campus, activity), by=by
                )
            case "badge":
                services.badges.archive(campus, subject, by=by)
            case "competency":
                services.competencies.archive(campus, subject, by=by)
            case "pathway":
                services.pathways.archive(campus, subject, archived=True, by=by)
            case "campus":
                services.operators.suspend(campus.slug, by=by)
    left = 1 if closed == "campus" else total - 1
    now = found()
    assert now == (False, 404, left)
    refresh(offering)
    assert found() == now


def test_facets_changed_by_two_at_once_have_two_new_numbers(offering: App):
    campus_id = offering.campus.id
    with offering.unit_of_work() as services:
        store, session = services.catalogue.catalogue, services.stores.session
        before = store.versions_of_facets()[campus_id]
        session.get_one(CatalogueRefresh, campus_id)
        elsewhere = (
            update(CatalogueRefresh).where(CatalogueRefresh.campus_id == campus_id).values(version=before + 1)
        )
        session.execute(elsewhere.execution_options(synchronize_session=False))
        store.change_facets(campus_id)
        session.flush()
        assert store.versions_of_facets()[campus_id] == before + 2


@pytest.mark.parametrize(
    ("typed", "link"),
    [
        ("", ""),
        ("accueil@exemple.fr", "mailto:accueil@exemple.fr"),
        ("https://exemple.fr/inscription", "https://exemple.fr/inscription"),
    ],
)
def test_enrolment_is_an_address_or_a_page(typed: str, link: str):
    assert enrolment_link(typed) == link


@pytest.mark.parametrize(
    "typed", ["javascript:alert(1)", "http://exemple.fr", "https://", "https://a b", "mailto:x", "data:,x"]
)
def test_enrolment_refuses_anything_else(typed: str):
    with pytest.raises(InvalidInput):
        enrolment_link(typed)


@pytest.mark.parametrize(
    ("written", "groups"),
    [
        ("collégiens de 3e, lycéens", ["collegiens", "lyceens"]),
        ("Demandeurs d’emploi et salariés", ["salaries", "demandeurs"]),
        ("tout public", ["tous"]),
        ("", []),
    ],
)
def test_audience_written_by_a_campus_has_groups(written: str, groups: list[str]):
    assert audience_groups(written) == groups


def test_public_calendar_has_zones_cancelled_sessions_and_nothing_personal(offering: App):
    once = announced(offering, on=date(2026, 12, 3), enrolment="zoe@exemple.fr")
    series = announced(offering, on=date(2026, 12, 10))
    announced(offering, on=date(2026, 11, 2))
    with offering.unit_of_work() as services:
        timed = services.catalogue.activities.find(series)
        assert timed is not None
        timed.start_time, timed.end_time, timed.place = time(9), time(12, 30), "Atelier; bâtiment B"
        held = [ActivitySession(activity_id=series, held_on=date(2026, 12, day)) for day in (10, 17, 18)]
        held[1].cancelled_at = offering.clock()
        held[2].place = "Chez Mme Martin"
        passed = ActivitySession(activity_id=series, held_on=date(2026, 11, 2))
        services.catalogue.plans.save(*held, passed)
    with offering.unit_of_work(reading=True) as services:
        body, _ = services.catalogue.public_calendar("itip", "https://badges.exemple.fr")
        assert services.catalogue.public_calendar("itip", "https://badges.exemple.fr")[0] == body
        with pytest.raises(NotFound):
            services.catalogue.public_calendar("inconnu", "https://badges.exemple.fr")
    read = Calendar.from_ical(body)
    events = {str(each["UID"]).partition("@")[0]: each for each in read.walk("VEVENT")}
    assert events.keys() == {str(once), *(str(each.id) for each in held)}
    whole, (first, off, elsewhere) = events[str(once)], (events[str(each.id)] for each in held)
    assert (whole.start, whole.end, whole["STATUS"]) == (date(2026, 12, 3), date(2026, 12, 4), "CONFIRMED")
    assert first.start == datetime(2026, 12, 10, 9, tzinfo=ZoneInfo("Europe/Paris"))
    assert first.end == datetime(2026, 12, 10, 12, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert [str(zone["TZID"]) for zone in read.walk("VTIMEZONE")] == ["Europe/Paris"]
    assert (off["STATUS"], str(first["LOCATION"])) == ("CANCELLED", "Atelier; bâtiment B")
    assert first["URL"] == f"https://badges.exemple.fr/activites/{series}"
    assert "LOCATION" not in elsewhere, "the announcement shows the activity's place alone"
    assert b"zoe@" not in body
    assert b"ORGANIZER" not in body
    assert not read.errors
