"""After a restore, no edition number is used twice and no register returns to an older state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domain.reports.editions import document_of
from app.jobs.kinds import FOLLOWED_LISTS
from sceau_credentials.trust import Standing
from tests.app.services.reports.test_editions import publish, save
from tests.app.services.trust import test_peers
from tests.app.services.trust.test_endorsements import BOSS, asked, link_in, rows_with, signed
from tests.app.services.trust.test_followed_lists import Follower
from tests.app.services.trust.test_network_register import move, published
from tests.support.app import COMMAND, App
from tests.support.content.networks import NETWORK, named, network_of
from tests.support.content.restores import REASON
from tests.support.databases.copies import Backup, drop_copies


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def renew(app: App) -> None:
    with app.unit_of_work() as services:
        for each in services.register.due():
            services.register.renew(each)


def test_register_continues_from_the_list_that_was_served_last(app: App) -> None:
    with app.unit_of_work() as services:
        network_of(services, app.campus)
    published(app)
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.register.write(services.register.network(NETWORK), named(app.other_campus), by=COMMAND)
    move(app, Standing.SUSPENDED, "Visite en cours.")
    last = published(app)
    with backup.restored() as copy:
        assert published(copy) == last
        copy.process.put_back_choices(REASON, by=COMMAND)
        renew(copy)
        listed = published(copy)
        assert listed.sequence == last.sequence + 1
        assert {each.id: each.standing for each in listed.entries} == {
            app.campus.did: Standing.SUSPENDED,
            app.other_campus.did: Standing.RECOGNISED,
        }


def test_change_after_a_restore_is_made_to_the_register_that_was_served(app: App) -> None:
    """Even if the database had no list yet and the journal of choices is lost."""
    with app.unit_of_work() as services:
        network_of(services, app.campus, app.other_campus, recognises=False)
    backup = Backup(app)
    with app.unit_of_work() as services:
        network = services.register.network(NETWORK)
        for each in (app.campus, app.other_campus):
            services.register.write(network, named(each), by=COMMAND)
    move(app, Standing.SUSPENDED)
    last = published(app)
    for path in app.process.journal.folder.rglob("????-??-??"):
        path.unlink()
    with backup.restored() as copy:
        assert copy.process.behind == {}
        with copy.unit_of_work() as services:
            network = services.register.network(NETWORK)
            services.register.move(network, app.other_campus.did, Standing.ENDED, "", by=COMMAND)
        listed = published(copy)
        assert listed.sequence > last.sequence
        assert {each.id: each.standing for each in listed.entries} == {
            app.campus.did: Standing.SUSPENDED,
            app.other_campus.did: Standing.ENDED,
        }


def test_campus_that_came_back_is_recognised_since_then_after_a_restore(app: App) -> None:
    with app.unit_of_work() as services:
        network_of(services, app.campus)
    published(app)
    backup = Backup(app)
    for standing in (Standing.SUSPENDED, Standing.RECOGNISED):
        app.clock.move(days=30)
        move(app, standing)
    last = published(app).find(app.campus.did)
    with backup.restored() as copy:
        renew(copy)
        again = published(copy).find(app.campus.did)
    assert last is not None
    assert again is not None
    assert again.since == last.since


def test_report_after_a_restore_has_a_new_number(app: App) -> None:
    app.award("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work() as services:
        cells = {"effectif": "40", "publics": "33 lycéens, 7 enseignants", "departement": "71"}
        services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)
    app.clock.move(days=60)
    save(app)
    backup = Backup(app)
    numbers = [document_of(publish(app))["edition"]]
    with backup.restored() as copy:
        numbers.append(document_of(publish(copy))["edition"])
    assert numbers == [1, 2]


def test_restore_does_not_roll_back_a_followed_list(app: App) -> None:
    follower = Follower(app)
    follower.answers(1)
    follower.reads()
    backup = Backup(app)
    follower.answers(6)
    follower.reads()
    with backup.restored() as copy:
        copy.process.beyond = follower.beyond
        follower.answers(5)
        FOLLOWED_LISTS.perform(copy.process, follower.id)
        with copy.unit_of_work(reading=True) as services:
            (row,) = services.followed_lists.list_all()
        assert (row.trouble, row.sequence) == ("older_than_known", 1)


def test_endorsements_withdrawn_since_the_backup_are_erased_again(app: App) -> None:
    award_id = test_peers.awarded(app)
    endorsement = signed(app, asked(app, award_id))
    peer = test_peers.accepted(app, award_id)
    back = [link_in(app, path) for path in ("/recommandations/retirer/", "/temoigner/retirer/")]
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.endorsements_taken_back.withdraw(back[0])
        services.peer_recommendations.withdraw(back[1])
    with backup.restored() as copy:
        assert rows_with(copy, BOSS)
        assert rows_with(copy, test_peers.KARIM)
        copy.process.put_back_choices(REASON, by=COMMAND)
        assert (rows_with(copy, BOSS), rows_with(copy, test_peers.KARIM)) == (set(), set())
        with copy.unit_of_work(reading=True) as services:
            row = services.stores.endorsements.get(endorsement.id)
            assert (row.written, row.token, row.comment) == ("", "", "")
            assert services.stores.peers.get(peer).words == ""
