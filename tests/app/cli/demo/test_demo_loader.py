"""The loaded demo is what its files say, dated as they say, and every badge in it is a real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import pytest

from app.container import Process, Services
from app.domain.awards import LineOutcome, Visibility
from app.domain.campus.audit_log import Actor
from app.domain.messages import Letter, LetterRefused, Reason
from app.services.awards.awards import AwardRecord, AwardRequest
from app.settings import Settings
from demo.content import DemoContent
from demo.loader import ZONE, DemoEvent, load_demo
from sceau_credentials.verification.report import CheckId, Verdict
from tests.support.databases.engines import ENGINES
from tests.support.demo import given_awards, participants, state_of
from tests.support.running.examples import IS_LONG, in_turn
from tests.support.servers.post_office import PostOffice
from tests.support.servers.server import DemoTemplate

BOTH_FORMS = ("json", "jwt")


def settings_for(database_url: str, tmp_path: Path, template: DemoTemplate) -> Settings:
    """At the address of the demo that was loaded before, which its pictures name: they are not drawn again."""
    base_url = template.settings(tmp_path).base_url
    return Settings(database_url=database_url, development_dir=tmp_path / "secrets", base_url=base_url)


def records_in(services: Services) -> list[tuple[str, AwardRecord]]:
    """Every award, by the reference of its badge."""
    return [
        (f"{campus.slug}/{record.badge.slug}", record)
        for campus in services.campuses.list_all()
        for record in services.awards.list_in(campus, limit=10_000)
    ]


def day_of(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


@pytest.fixture(params=ENGINES)
def loaded(request: pytest.FixtureRequest, tmp_path: Path, demo_template: DemoTemplate) -> Iterator[Process]:
    """On SQLite a copy of the loaded demo; on PostgreSQL it is loaded here."""
    if request.param == "sqlite":
        yield request.getfixturevalue("demo")
        return
    settings = settings_for(request.getfixturevalue("postgres_url"), tmp_path, demo_template)
    assert load_demo(settings)
    process = Process(settings)
    yield process
    process.engine.dispose()


def test_every_badge_of_the_demo_is_genuine_in_both_forms_and_counts_unless_its_story_says_otherwise(
    loaded: Process, content: DemoContent
) -> None:
    """On PostgreSQL each in one form, the next in the other."""
    times = 2 if IS_LONG or loaded.engine.dialect.name == "sqlite" else 1
    with loaded.unit_of_work(reading=True) as services:
        records = records_in(services)
        faults: Counter[str] = Counter()
        for number, (_, record) in enumerate(records):
            for form in BOTH_FORMS if times == 2 else in_turn(BOTH_FORMS, number):
                body = services.publication.award_file(record, form).body
                report = services.verification.verify(body).report
                assert report is not None
                assert report.document is not None, report.checks
                if report.verdict is not Verdict.VALID:
                    faults[
                        f"{report.check(CheckId.STATUS).reason} {report.check(CheckId.VALIDITY).reason}"
                    ] += 1
        states = Counter(state_of(services, record) for _, record in records)
    given = Counter((award.badge, award.awarded_on) for award in given_awards(content))
    assert Counter((badge, day_of(record.award.awarded_at)) for badge, record in records) == given
    assert faults == {"revoked in_force": times, "not_revoked expired": times}
    assert states["revoked"] == states["expired"] == 1
    assert states["superseded"] == sum(award.version == 1 for award in given_awards(content))


def test_the_whole_story_stands_where_it_was_written(demo: Process, content: DemoContent) -> None:
    with demo.unit_of_work(reading=True) as services:
        assert {campus.slug for campus in services.campuses.list_all()} == set(content.campuses)
        for slug, written in content.campuses.items():
            page = services.campuses.page(slug)
            desk = services.campuses.desk(page.campus)
            labels = services.labels.of_issuer(page.campus.did)
            assert len(labels) == len(written.labels)
            assert all(each.answer is not None for each in labels), "the network signed every label"
            assert {badge.slug for badge, _ in desk.badges} == {badge.slug for badge in written.badges}
            adopted = slug == "fb"  # its badge of the region's definition brought a competency
            assert (
                len(page.competencies) == sum(len(each.competencies) for each in written.frameworks) + adopted
            )
            for badge, version in desk.badges:
                assert version.number == {each.slug: each.version for each in written.badges}[badge.slug]
        poles = {network.slug for network in services.campuses.page("itip").networks}
        assert poles == {content.network.slug, "pole-bas-carbone"}


def test_everybody_who_came_is_in_the_activity_log(demo: Process, content: DemoContent) -> None:
    titles = {activity.title: reference for reference, _, activity in content.activities()}
    expected = {reference: len(people) for reference, people in participants(content).items()}
    with demo.unit_of_work(reading=True) as services:
        for campus in services.campuses.list_all():
            for activity, count in services.activities.list_in(campus):
                assert count == expected.get(titles[activity.title], 0), activity.title


def test_deeds_are_dated_in_an_order_that_could_have_happened(demo: Process) -> None:
    with demo.unit_of_work(reading=True) as services:
        keys = {campus.id: key.created_at for key, campus in services.campuses.keys()}  # noqa: SIM118
        first_given: dict[object, datetime] = {}
        for _, record in records_in(services):
            award, version = record.award, record.version
            assert keys[award.campus_id] < version.created_at < award.awarded_at <= demo.clock()
            assert version.frozen_at is not None
            assert version.frozen_at <= award.awarded_at
            first_given[version.id] = min(award.awarded_at, first_given.get(version.id, award.awarded_at))
            if version.number == 1:
                assert version.created_at.year <= first_given[version.id].year
        for _, record in records_in(services):
            if record.version.number == 1:
                assert record.version.created_at.year == first_given[record.version.id].year


def test_pages_are_open_where_the_story_opens_them(demo: Process, content: DemoContent) -> None:
    expected = Counter(award.badge for award in given_awards(content) if award.open)
    with demo.unit_of_work(reading=True) as services:
        opened = Counter(
            badge for badge, record in records_in(services) if record.award.visibility is Visibility.OPEN
        )
    assert opened == expected


def test_a_private_link_opens_its_own_award(demo: Process) -> None:
    with demo.unit_of_work() as services:
        award = records_in(services)[0][1].award
        token = services.people.private_link_token(award.id, award.link_generation)
        assert services.people.open_private_link(token).session.award_id == award.id


def test_thirty_people_wait_in_the_room_and_two_of_them_hold_the_badge_already(demo: Process) -> None:
    with demo.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        waiting = next(
            activity
            for activity, count in services.activities.list_in(campus)
            if count == 30 and activity.starts_on == day_of(demo.clock())
        )
        badge = next(
            badge for badge, _ in services.badges.list_current(campus) if badge.slug == "robotique-pour-tous"
        )
        request = AwardRequest(badge.id, waiting.id, everybody=True)
        preview = services.awards.preview(campus, request, by=Actor.command("tests"))
    outcomes = Counter(line.eligibility.outcome for line in preview.lines)
    assert outcomes == {LineOutcome.READY: 28, LineOutcome.ALREADY_HELD: 2}


def test_loading_again_changes_nothing(demo: Process) -> None:
    with demo.unit_of_work(reading=True) as services:
        before = [record.award.id for _, record in records_in(services)]
    assert load_demo(demo.settings) is False
    with demo.unit_of_work(reading=True) as services:
        assert [record.award.id for _, record in records_in(services)] == before


def test_a_load_that_is_cut_short_leaves_the_database_empty(
    sqlite_url: str, tmp_path: Path, demo_template: DemoTemplate
) -> None:
    def cut_short(actions: Sequence[DemoEvent]) -> Iterator[DemoEvent]:
        yield from actions[:40]
        raise KeyboardInterrupt

    settings = settings_for(sqlite_url, tmp_path, demo_template)
    with pytest.raises(KeyboardInterrupt):
        load_demo(settings, progress=cut_short)
    process = Process(settings)
    with process.unit_of_work(reading=True) as services:
        assert services.campuses.list_all() == []
    process.engine.dispose()


def test_nothing_happens_after_the_moment_of_loading(
    sqlite_url: str, tmp_path: Path, demo_template: DemoTemplate
) -> None:
    """Loaded on an evening in 2027, the workshop of the day is of that day."""
    evening = datetime(2027, 3, 5, 20, 0, tzinfo=ZONE)
    settings = settings_for(sqlite_url, tmp_path, demo_template)
    assert load_demo(settings, now=evening)
    process = Process(settings, clock=lambda: evening)
    with process.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        activities = [activity for activity, _ in services.activities.list_in(campus)]
        assert max(activity.created_at for activity in activities) <= evening
        assert any(activity.starts_on == date(2027, 3, 5) for activity in activities)
    process.engine.dispose()


def test_demo_refuses_real_addresses_in_a_process_that_was_not_started_as_a_demo(
    demo: Process, office: PostOffice, tmp_path: Path
) -> None:
    """The database itself says that it holds the demo: `sceau work` with a mail server is held back too."""
    settings = demo.settings.model_copy(
        update={"smtp_url": f"smtp://127.0.0.1:{office.port}", "mail_from": "sceau@demo.example"}
    )
    process = Process(settings)
    assert process.mailer is not None
    with pytest.raises(LetterRefused) as refused:
        process.mailer.send(Letter("quelquun@exemple.fr", "Votre badge", "Bonjour"))
    assert refused.value.reason is Reason.DEMO
    process.mailer.send(Letter("quelquun@courriel.example", "Votre badge", "Bonjour"))
    assert office.recipients == ["quelquun@courriel.example"]
    process.engine.dispose()
