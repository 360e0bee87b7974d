"""After a restore people have the names and addresses that they had, and who was erased since is erased again, even if
the copy has them under other records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlmodel import select

from app.domain.activity_log.recovery import Frame
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterState
from app.domain.people import Person, name_key
from app.services.messages import Post
from tests.app.services.activity_log.test_restored_erasures import behind, erase, is_there, person_of, restore
from tests.app.services.activity_log.test_restoring import faults
from tests.support.app import COMMAND, NOON, App
from tests.support.content.restores import REASON, ROOF, given
from tests.support.databases.copies import Backup, drop_copies
from tests.support.letters import letters_of, promise, send_all

LÉA, LEA, OTHER = (
    "Léa Morvan; lea@exemple.fr",
    "Lea Morvan; l.morvan@exemple.fr",
    "Léo Morvan; leo@exemple.fr",
)
SAME = "C’est la même personne."


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def merge(app: App, kept: uuid.UUID, gone: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work() as services:
        return services.merging.merge_in_campus(app.campus, kept, gone, SAME, by=COMMAND).id


def separate(app: App, merge_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merge_id, by=COMMAND)


def named(copy: App) -> set[str]:
    with copy.process.repair(reading=True) as services:
        return {each.given_name for each in services.stores.people.session.exec(select(Person))}


def statuses(copy: App, *awards: uuid.UUID) -> list[int]:
    return [copy.client().get(f"/attributions/{each}.json").status_code for each in awards]


def test_person_merged_and_erased_since_does_not_come_back_under_the_record_that_was_merged(app: App) -> None:
    first, second = given(app, LÉA), given(app, LEA)
    kept, gone = person_of(app, first), person_of(app, second)
    backup = Backup(app)
    since = given(app, LEA)
    merge(app, kept, gone)
    erase(app, kept)
    assert statuses(app, first, second, since) == [410, 410, 410]
    with backup.restored() as copy:
        restore(copy)
        assert statuses(copy, first, second, since) == [410, 410, 410]
        assert {"Léa", "Lea"} & named(copy) == set()
        assert (behind(copy), faults(copy)) == ([], [])


def test_records_merged_one_after_the_other_and_erased_since_do_not_come_back(app: App) -> None:
    awards = given(app, LÉA), given(app, LEA), given(app, OTHER)
    one, two, three = (person_of(app, each) for each in awards)
    backup = Backup(app)
    merge(app, two, one)
    merge(app, three, two)
    erase(app, three)
    with backup.restored() as copy:
        restore(copy)
        assert statuses(copy, *awards) == [410, 410, 410]
        assert {"Léa", "Lea", "Léo"} & named(copy) == set()
        assert (behind(copy), faults(copy)) == ([], [])


@pytest.mark.parametrize("erased", ["gone", "kept"])
def test_record_separated_and_erased_since_takes_no_badge_of_the_other(app: App, erased: str) -> None:
    awards = {"kept": given(app, LÉA), "gone": given(app, OTHER)}
    people = {name: person_of(app, each) for name, each in awards.items()}
    done = merge(app, people["kept"], people["gone"])
    backup = Backup(app)
    separate(app, done)
    erase(app, people[erased])
    (left,) = awards.keys() - {erased}
    assert statuses(app, awards[erased], awards[left]) == [410, 200]
    with backup.restored() as copy:
        restore(copy)
        assert statuses(copy, awards[erased], awards[left]) == [410, 200]
        with copy.unit_of_work(reading=True) as services:
            award = services.stores.awards.session.get_one(Award, awards[left])
            assert (award.person_id, award.revoked_at) == (people[left], None)
        assert is_there(copy, people[left])
        assert (behind(copy), faults(copy)) == ([], [])


def test_frames_from_before_merged_records_were_journaled_are_still_read() -> None:
    person, erasure = str(uuid.uuid4()), str(uuid.uuid4())
    (read,) = Frame(uuid.uuid4(), "log", 4, 5, NOON, {"erased": [[person, erasure]]}).erasures
    assert (str(read.person_id), str(read.erasure_id), read.merged) == (person, erasure, None)
    assert read.records == [read.person_id]


def test_name_and_addresses_corrected_since_the_backup_are_those_of_the_register(app: App) -> None:
    award_id, other_id = given(app, "Zoé Lebrun; zoe@exemple.fr"), given(app, ROOF)
    with app.unit_of_work(reading=True) as services:
        person, account = (services.awards.record(each).person for each in (award_id, other_id))
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.corrections.correct(
            app.campus, person.id, "Noé", "Le Brun", "noe@exemple.fr", by=Actor(app.trainer.id)
        )
        addresses = services.stores.own_addresses
        for address in ("first@exemple.fr", "second@exemple.fr"):
            addresses.people.add_address(services.stores.people.get(account.id), address)
            addresses.verify(account, address, at=app.clock())
        addresses.make_main(account.id, "second@exemple.fr")
        addresses.remove(account.id, "first@exemple.fr")

    def known(of: App) -> tuple[object, ...]:
        with of.unit_of_work(reading=True) as services:
            found = services.stores.people.get(person.id)
            rows = services.stores.own_addresses.list_of(account.id)
            return (
                found.name,
                found.listed_as,
                services.stores.people.find_named_at("noe@exemple.fr", name_key("Noé", "Le Brun")) == found,
                services.stores.people.find_named_at("zoe@exemple.fr", name_key("Zoé", "Lebrun")),
                sorted((each.address, each.is_main, each.verified_at) for each in rows),
            )

    expected = known(app)
    assert expected[0] == "Noé Le Brun"
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert known(copy) == expected


def test_address_that_moved_with_a_merge_since_the_backup_stays_with_its_record(app: App) -> None:
    """Records are separate as in the backup: each has the addresses that open it."""
    kept_id, gone_id = given(app, "Zoé Lebrun; zoe@exemple.fr"), given(app, "Zoé Le Brun; zlb@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        kept, gone = (services.awards.record(each).person for each in (kept_id, gone_id))
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.merging.merge_in_campus(app.campus, kept.id, gone.id, "Même personne.", by=COMMAND)
        services.stores.own_addresses.verify(kept, "zlb@exemple.fr", at=app.clock())
        assert services.stores.people.all_addresses(gone.id) == []
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        with copy.unit_of_work(reading=True) as services:
            assert services.stores.people.all_addresses(gone.id) == ["zlb@exemple.fr"]
            assert services.stores.people.all_addresses(kept.id) == ["zoe@exemple.fr"]


@pytest.mark.parametrize("is_merged_before", [False, True])
def test_record_merged_or_separated_since_keeps_the_name_of_the_copy(
    app: App, is_merged_before: bool
) -> None:
    """Merges are as in the backup: a separate record has a name, a merged one has none."""
    kept, gone = person_of(app, given(app, LÉA)), person_of(app, given(app, LEA))

    def name_of(of: App) -> str:
        with of.unit_of_work(reading=True) as services:
            return services.stores.people.get(gone).name

    merge_id = merge(app, kept, gone) if is_merged_before else None
    before, backup = name_of(app), Backup(app)
    if merge_id:
        separate(app, merge_id)
    else:
        merge(app, kept, gone)
    assert name_of(app) != before
    with backup.restored() as copy:
        copy.process.put_back_choices(REASON, by=COMMAND)
        assert name_of(copy) == before


@pytest.mark.parametrize("address", ["vrai@exemple.fr", ""])
def test_letter_that_waits_in_the_copy_goes_to_no_address_that_was_corrected_since(
    app: App, post: Post, address: str
) -> None:
    """It has the person's private link: a reader of that mailbox would open their badge."""
    award_id = given(app, ROOF)
    promise(app, [award_id], "remi@exemple.fr")
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.corrections.correct(
            app.campus, person_of(app, award_id), "Rémi", "Roux", address, by=Actor(app.admin.id)
        )
    with backup.restored() as copy:
        copy.process.mailer = app.process.mailer
        copy.process.put_back_choices(REASON, by=COMMAND)
        send_all(copy.process.post)
        (letter,) = letters_of(copy, award_id)
        sent_to = letter.address if letter.state is LetterState.SENT else ""
        assert sent_to == address
