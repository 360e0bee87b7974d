"""`sceau restore` and `sceau check`, as an operator types them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from app.adapters.folders.log_files import FolderAnchors
from app.container import Process, notes_of
from app.container.process import utc_now
from app.domain.activity_log.recovery import NO_CAMPUS
from app.domain.awards import Visibility
from app.domain.messages import QueuedMessage, letter_about
from sceau_credentials.transparency_log.notes import TreeHead
from tests.app.cli.conftest import Operator
from tests.app.services.activity_log.test_activity_log import tamper
from tests.app.web.accounts.test_own_addresses import leave
from tests.support.app import COMMAND, App
from tests.support.content.restores import ADA, ROOF, given, place_of, withdraw
from tests.support.databases.copies import Backup

REASON = ("--reason", "Disque perdu, sauvegarde de la veille.")


def test_restore_shows_what_is_missing_and_puts_it_back_in_one_command(stranger: Operator, app: App) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    withdraw(app, r)
    given(app, ADA)
    with backup.restored() as copy:
        stranger.works_with(copy.process.settings)
        stranger.sets(SCEAU_LOG_ANCHORS=str(copy.process.anchors.folder))
        shown = stranger.types("restore")
        assert shown.code == 1
        assert "Retraits manquants : 1." in shown.out
        assert "Attributions manquantes : 1." in shown.out
        assert "Rien n’a été changé" in shown.err
        assert stranger.types("restore", "--yes").code == 1, "a reason is asked for"
        done = stranger.types("restore", "--yes", *REASON)
        assert done.code == 0, done.err
        assert "attributions : 1 ; retraits : 1." in done.err
        assert "rien n’est à reprendre" in stranger.types("restore").err
        good = stranger.types("check", "--processes", "1")
        assert (good.code, good.out) == (0, ""), good.err


@pytest.mark.parametrize("is_absent", [False, True])
def test_restore_without_the_anchors_does_not_say_that_nothing_lacks(
    stranger: Operator, app: App, tmp_path: Path, is_absent: bool
) -> None:
    r = given(app, ROOF)
    with app.unit_of_work() as services:
        record = services.awards.record(r)
        services.stores.letters.enqueue_many([letter_about(record.award, "remi@exemple.fr", at=app.clock())])
    backup = Backup(app)
    withdraw(app, r)
    anchors = tmp_path / "elsewhere" / "anchors"
    if not is_absent:
        anchors.mkdir(parents=True)
    with backup.restored() as copy:
        stranger.works_with(copy.process.settings)
        stranger.sets(SCEAU_LOG_ANCHORS=str(anchors))
        done = stranger.types("restore", "--yes", *REASON)
        assert "ne connaît aucun retrait d’avant" in done.err
        assert "pas plus ancienne que ce qui a été publié" not in done.err
        assert "demandez aux témoins" in done.err
        assert "ne connaît aucun retrait" in stranger.types("restore").err, "it has been begun again"
        assert "sceau mail release" in done.err
        leave(copy)
        assert "remi@exemple.fr" not in {each.to for each in copy.letters.letters if str(r) in each.text}


def test_anchor_folder_of_another_service_is_refused(stranger: Operator, app: App, tmp_path: Path) -> None:
    """It said that nothing was lacking, for it knows nothing of this service: R was valid."""
    r = given(app, ROOF)
    list_id, _ = place_of(app, r)
    backup = Backup(app)
    withdraw(app, r)
    anchors = tmp_path / "elsewhere" / "anchors"
    FolderAnchors(anchors).advance(TreeHead("autre.exemple/campus/nord/journal", 3, bytes(32)))
    with backup.restored() as copy:
        settings = copy.process.settings.model_copy(update={"log_anchors": anchors})
    stranger.works_with(settings)
    done = stranger.types("restore", "--yes", *REASON)
    assert (done.code, "celui d’un autre service" in done.out, "SCEAU_LOG_ANCHORS" in done.err) == (
        3,
        True,
        True,
    )
    assert stranger.types("doctor").code == 1
    copy = replace(app, process=Process(settings, clock=app.clock, mailer=app.letters))
    copy.process.check()
    client = copy.client()
    for path in (f"/attributions/{r}", f"/attributions/{r}.json", f"/statuts/{list_id}.statuslist"):
        assert client.get(path).status_code == 503
    assert "autre service" in client.get("/health/ready").text
    copy.close()


def test_restore_warns_of_withdrawals_that_neither_a_list_nor_the_journal_knows(
    stranger: Operator, app: App
) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    withdraw(app, r)
    given(app, ADA)
    anchors = app.process.anchors.folder
    for path in [*(anchors / "journal").glob("*/????-??-??"), *(anchors / "lists").iterdir()]:
        path.unlink()
    with backup.restored() as copy:
        stranger.works_with(copy.process.settings)
        stranger.sets(SCEAU_LOG_ANCHORS=str(anchors))
        shown = stranger.types("restore")
        assert "Listes de statuts absentes du dossier des ancres : 1." in shown.out


def test_head_with_a_spoiled_key_is_damaged(stranger: Operator, app: App) -> None:
    """It was read in the middle of a restore only, which ended in an error."""
    given(app, ROOF)
    backup = Backup(app)
    given(app, ADA)
    anchors = app.process.anchors
    path = anchors.folder / anchors.name_of("localhost:8000/campus/itip/journal")
    path.write_text(path.read_text()[:-3] + "\n")
    with backup.restored() as copy:
        stranger.works_with(copy.process.settings)
        stranger.sets(SCEAU_LOG_ANCHORS=str(anchors.folder))
        done = stranger.types("restore", "--yes", *REASON)
        assert (done.code, f"{path.name} est abîmé" in done.out) == (3, True)


def test_an_anchor_that_is_no_file_is_named(stranger: Operator, app: App) -> None:
    given(app, ROOF)
    stranger.works_with(app.process.settings)
    stranger.sets(SCEAU_LOG_ANCHORS=str(app.process.anchors.folder))
    (listed,) = [each for each in (app.process.anchors.folder / "lists").iterdir() if each.name != "lock"]
    listed.unlink()
    listed.mkdir()
    for command in ("doctor", "check", "restore"):
        done = stranger.types(command)
        assert done.code
        assert str(listed) in done.out + done.err


@pytest.mark.parametrize("is_lost", [False, True])
def test_restore_of_a_copy_that_lacks_choices_alone(stranger: Operator, app: App, is_lost: bool) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.awards.set_visibility(r, Visibility.CLOSED, by=COMMAND)
    if is_lost:
        for path in (app.process.journal.folder / NO_CAMPUS.hex).iterdir():
            path.unlink()
        with app.unit_of_work() as services:
            services.awards.set_visibility(r, Visibility.OPEN, by=COMMAND)
    with backup.restored() as copy:
        stranger.works_with(copy.process.settings)
        stranger.sets(SCEAU_LOG_ANCHORS=str(copy.process.anchors.folder))
        shown = stranger.types("restore")
        assert (shown.code, "ce que des personnes ont choisi depuis" in shown.out) == (1, True)
        done = stranger.types("restore", "--yes", *REASON)
        assert done.code == 0, done.err
        assert ("D’autres choix sont perdus" in done.err) is is_lost
        assert "rien n’est à reprendre" in stranger.types("restore").err
        copy.process.check()
        assert copy.client().get(f"/attributions/{r}.json").status_code in (403, 404)
        with copy.unit_of_work(reading=True) as services:
            queued = services.stores.session.exec(select(QueuedMessage.once_key)).all()
        assert any("pages_shut" in key for key in queued) is is_lost


@pytest.mark.parametrize("release", [["mail", "release"], ["mail", "release", "--cancel"]])
@pytest.mark.parametrize("is_lost", [False, True])
def test_messages_of_a_copy_wait_for_the_operator_where_later_choices_are_lost(
    stranger: Operator, app: App, is_lost: bool, release: list[str]
) -> None:
    """They left to addresses that were corrected since, and told of badges that were withdrawn."""
    r = given(app, ROOF)
    with app.unit_of_work() as services:
        record = services.awards.record(r)
        services.stores.letters.enqueue_many([letter_about(record.award, "remi@exemple.fr", at=app.clock())])
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.awards.set_visibility(r, Visibility.CLOSED, by=COMMAND)
    if is_lost:
        for path in (app.process.journal.folder / NO_CAMPUS.hex).iterdir():
            path.unlink()
        with app.unit_of_work() as services:
            services.awards.set_visibility(r, Visibility.OPEN, by=COMMAND)
    with backup.restored() as copy:
        stranger.works_with(copy.process.settings)
        stranger.sets(SCEAU_LOG_ANCHORS=str(copy.process.anchors.folder))
        done = stranger.types("restore", "--yes", *REASON)
        assert done.code == 0, done.err
        copy.process.check()
        assert ("sceau mail release" in done.err) is is_lost
        assert ("sceau mail release" in " ".join(notes_of(copy.process))) is is_lost
        assert ("sceau mail release" in stranger.types("doctor").out) is is_lost
        leave(copy)
        assert (
            "remi@exemple.fr" in {each.to for each in copy.letters.letters if str(r) in each.text}
        ) is not is_lost
        told = stranger.types(*release)
        assert (told.code, ": 1" in told.err) == (0, is_lost)
        assert notes_of(copy.process) == []
        copy.clock.now = max(copy.clock.now, utc_now())
        leave(copy)
        told_now = "remi@exemple.fr" in {each.to for each in copy.letters.letters if str(r) in each.text}
        assert told_now is not (is_lost and "--cancel" in release)


def test_released_message_leaves_no_earlier_than_it_would_have(app: App) -> None:
    r = given(app, ROOF)
    with app.unit_of_work() as services:
        later = letter_about(services.awards.record(r).award, "remi@exemple.fr", at=app.clock())
        later.not_before = due = app.clock() + timedelta(days=2)
        services.stores.letters.enqueue_many([later])
    with app.unit_of_work() as services:
        assert services.stores.letters.hold_waiting() > 0
    with app.unit_of_work() as services:
        assert services.stores.letters.hold_waiting() == 0
        assert services.stores.letters.release_held() > 0
    with app.unit_of_work(reading=True) as services:
        found = services.stores.session.get_one(QueuedMessage, later.id)
        assert (found.not_before, found.reason) == (due, "")


def test_check_names_the_damage_and_ends_with_one(stranger: Operator, app: App) -> None:
    given(app, ROOF)
    stranger.works_with(app.process.settings)
    stranger.sets(SCEAU_LOG_ANCHORS=str(app.process.anchors.folder))
    tamper(app, "UPDATE award SET holder_name = 'X' WHERE holder_name IS NOT NULL")
    bad = stranger.types("check", "--processes", "1")
    assert bad.code == 1
    assert "la base ne dit plus ce qui a été signé (name)" in bad.out


def test_commands_stop_under_the_wrong_kek(stranger: Operator, app: App, tmp_path: Path) -> None:
    stranger.works_with(app.process.settings)
    assert stranger.types("keys", "make-kek", tmp_path / "other" / "kek").code == 0
    stranger.sets(SCEAU_KEK=f"file:{tmp_path}/other/kek")
    for command in (("log", "check"), ("check",), ("restore",), ("keys", "list"), ("serve",)):
        result = stranger.types(*command)
        assert (result.code, "SCEAU_KEK n’est pas la clé maîtresse" in result.err) == (3, True), command
        assert "SCEAU_OTHER_KEKS" in result.err


def test_rewrap_names_the_key_that_everything_is_sealed_under(
    stranger: Operator, app: App, tmp_path: Path
) -> None:
    """With the settings still in their old order nothing changes: the sentence shows which key stays in use."""
    stranger.works_with(app.process.settings)
    stranger.types("keys", "make-kek", tmp_path / "other" / "kek")
    stranger.sets(SCEAU_OTHER_KEKS=f"file:{tmp_path}/other/kek")
    done = stranger.types("keys", "rewrap")
    assert (done.code, app.process.settings.kek in done.err) == (0, True)
    assert "Changées : 0." in done.err
