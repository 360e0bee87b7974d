"""Merging two records of one person: what moves to the remaining record, who may merge, and how to undo it."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import event
from sqlmodel import select, update

from app.db.people import MergeStore
from app.domain.accounts.sessions import SetAside
from app.domain.accounts.sign_in import FederatedAccount
from app.domain.activities import Activity, Participation
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup, Role
from app.domain.people.consents import ParentNeeded
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.app.web.accounts.test_learner_account import award_elsewhere
from tests.support.app import COMMAND, App, listed, send

pytestmark = pytest.mark.both_engines

ZOE, TYPO = "Zoé N’Diaye; zoe@exemple.fr", "Zoé Ndiay"
REASON = "Même date d’inscription, faute de frappe."


def people_of(app: App, *results) -> list[uuid.UUID]:
    with app.unit_of_work(reading=True) as services:
        return [services.awards.record(result.lines[0].award_id).person.id for result in results]


def merge(app: App, kept: uuid.UUID, gone: uuid.UUID, reason: str = REASON) -> uuid.UUID:
    with app.unit_of_work() as services:
        return services.merging.merge_in_campus(app.campus, kept, gone, reason, by=Actor(app.admin.id)).id


def test_merge_moves_everything_to_the_remaining_record_and_changes_no_signed_document(app: App):
    first, second = app.award(ZOE), app.award(TYPO, badge=app.role, evidence="A tenu le stand.")
    kept, gone = people_of(app, first, second)
    award_id = second.lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        before = services.awards.awards.document_of(award_id).embedded
        lines = len(services.personal_log.lines(gone, {app.campus.id}))
        mine = len(services.personal_log.lines(kept, {app.campus.id}))
    merge(app, kept, gone)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        assert record.person.id == kept
        assert services.awards.awards.document_of(award_id).embedded == before
        assert services.verification.verify_award(record).report.verdict.value == "valid"
        # Both lines of the activity became one: the log has a correction of each.
        assert len(services.personal_log.lines(kept, {app.campus.id})) == lines + mine + 2
        there = services.activities.page(app.campus, app.activity.id).participants
        assert [person.id for part, person in there if part.is_present] == [kept]
        actions = [entry.action for entry, _ in services.people.history.list_of("person", kept)]
        assert "merge" in actions
    learner = app.client()
    assert learner.get(app.private_link(second)).status_code == 303
    assert learner.get(f"/mes-badges/{award_id}").status_code == 200


def test_merge_moves_no_sign_in_method(app: App):
    kept, gone = people_of(app, app.award(ZOE), app.award(TYPO))
    with app.unit_of_work() as services:
        session = services.stores.session
        session.add(
            FederatedAccount(
                person_id=gone, issuer="https://ent.exemple.fr", subject="17", linked_at=app.clock()
            )
        )
        session.add(
            SetAside(person_id=gone, secret_digest="0" * 64, sealed=b"sealed", expires_at=app.clock())
        )
    # The person who proved both addresses may merge; a campus may not merge a record with an account.
    with app.unit_of_work() as services:
        MergeStore(services.stores.session).hand_over(kept, gone)
    with app.unit_of_work(reading=True) as services:
        for kind in (FederatedAccount, SetAside):
            assert services.stores.session.exec(select(kind)).all() == []


def test_remaining_record_does_not_get_the_same_badge_again(app: App):
    first, second = app.award(ZOE, badge=app.role, evidence="Tient le stand."), app.award(TYPO)
    kept, gone = people_of(app, first, second)
    merge(app, kept, gone)
    again = app.award(ZOE)
    assert [line.outcome.value for line in again.lines] == ["already_held"]


def test_both_hold_the_same_badge_and_both_badges_stay(app: App):
    result = app.award(ZOE, TYPO)
    with app.unit_of_work(reading=True) as services:
        kept, gone = (services.awards.record(line.award_id).person.id for line in result.lines)
    merge(app, kept, gone)
    with app.unit_of_work(reading=True) as services:
        assert {record.award.id for record in services.awards.list_of(kept)} == {
            line.award_id for line in result.lines
        }


def test_merge_undone_within_a_month_restores_everything(app: App):
    first, second = app.award(ZOE), app.award(TYPO, badge=app.role, evidence="A tenu le stand.")
    kept, gone = people_of(app, first, second)
    merge_id = merge(app, kept, gone)
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merge_id, by=Actor(app.admin.id))
    assert people_of(app, first, second) == [kept, gone]
    with app.unit_of_work(reading=True) as services:
        assert services.merging.merged_into(app.campus, kept) == []
        assert services.personal_log.lines(gone, {app.campus.id})
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.merging.undo_in_campus(app.campus, merge_id, by=Actor(app.admin.id))


def test_merge_cannot_be_undone_after_a_month(app: App):
    kept, gone = people_of(app, app.award(ZOE), app.award(TYPO))
    merge_id = merge(app, kept, gone)
    app.clock.move(days=31)
    with app.unit_of_work() as services, pytest.raises(Conflict, match="Le délai est passé"):
        services.merging.undo_in_campus(app.campus, merge_id, by=Actor(app.admin.id))


def test_merge_refuses_a_record_that_another_campus_knows(app: App):
    here, shared = app.award(TYPO), app.award(ZOE)
    award_elsewhere(app, ZOE)
    kept, gone = people_of(app, here, shared)
    with pytest.raises(NotAllowed, match="autre campus"):
        merge(app, kept, gone)
    merge(app, gone, kept)


def test_merge_refuses_a_record_with_an_account_or_a_role(app: App):
    (kept,) = people_of(app, app.award(ZOE))
    with app.unit_of_work() as services:
        staff = services.people.add_staff(
            app.campus, given_name="Zoé", family_name="Ndiaye", address="z@exemple.fr", role=Role.TRAINER,
            by=COMMAND,
        )  # fmt: skip
    result = app.award("Zoé Ndiaye; z@exemple.fr")
    assert people_of(app, result) == [staff.id]
    with pytest.raises(NotAllowed, match="a un compte"):
        merge(app, kept, staff.id)


def test_merge_does_not_find_people_of_another_campus(app: App):
    (kept,) = people_of(app, app.award(ZOE))
    (theirs,) = people_of(app, award_elsewhere(app, "Léo Martin"))
    with pytest.raises(NotFound):
        merge(app, kept, theirs)


@pytest.mark.parametrize("reason", ["", "  ", "oui", "x" * 301])
def test_merge_requires_a_reason(app: App, reason: str):
    kept, gone = people_of(app, app.award(ZOE), app.award(TYPO))
    with pytest.raises(InvalidInput):
        merge(app, kept, gone, reason)


def test_pages_compare_merge_and_undo(app: App):
    kept, gone = people_of(app, app.award("Zoé Martin; zoe@exemple.fr"), app.award("Zoé Martin-Petit"))
    admin, page = app.client(app.admin), f"/gestion/itip/repertoire/{kept}/reunir"
    assert f"?avec={gone}" in admin.get(page).text
    fields = {"avec": str(gone), "garder": str(kept), "motif": REASON}
    refused = send(admin, page, {**fields, "motif": ""}, seen_on=f"{page}?avec={gone}")
    assert refused.status_code == 422
    sent = send(admin, page, fields, seen_on=f"{page}?avec={gone}")
    assert sent.headers["location"] == f"{page}?fait=reunis"
    done = admin.get(sent.headers["location"]).text
    assert REASON in done
    assert admin.get(f"/gestion/itip/repertoire/{gone}").status_code == 404
    undo = done.split('action="' + page)[1].split('"')[0]
    assert send(admin, page + undo, seen_on=page).status_code == 303
    assert admin.get(f"/gestion/itip/repertoire/{gone}").status_code == 200


def age(app: App, person_id: uuid.UUID, group: AgeGroup) -> None:
    with app.unit_of_work() as services:
        services.guardians.set_age_group(app.campus, person_id, group, by=COMMAND)


def group_of(app: App, person_id: uuid.UUID) -> tuple[AgeGroup | None, bool]:
    with app.unit_of_work(reading=True) as services:
        person = services.people.people.get(person_id)
        return person.age_group, person.under_15_on is not None


def test_a_child_merged_into_a_record_without_an_age_stays_a_child(app: App):
    """Otherwise a merge would open the child's badges before a parent agrees."""
    result = app.award(TYPO)
    kept, gone = people_of(app, app.award(ZOE, badge=app.role, evidence="A tenu le stand."), result)
    age(app, gone, AgeGroup.UNDER_15)
    merge(app, kept, gone)
    assert group_of(app, kept) == (AgeGroup.UNDER_15, True)
    with app.unit_of_work() as services, pytest.raises(ParentNeeded):
        services.awards.set_visibility(result.lines[0].award_id, Visibility.OPEN, by=COMMAND)
    # The campus that noted the age of the merged record is the one that may change it.
    age(app, kept, AgeGroup.FROM_15)
    assert group_of(app, kept) == (AgeGroup.FROM_15, False)


def test_what_was_open_of_the_other_record_closes_for_a_child(app: App):
    first, second = app.award(ZOE), app.award(TYPO, badge=app.role, evidence="A tenu le stand.")
    kept, gone = people_of(app, first, second)
    age(app, kept, AgeGroup.UNDER_15)
    award_id = second.lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    merge(app, kept, gone)
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(award_id).award.visibility is Visibility.CLOSED
    assert group_of(app, kept) == (AgeGroup.UNDER_15, True)


def test_undone_merge_gives_each_record_its_own_age(app: App):
    kept, gone = people_of(app, app.award(ZOE), app.award(TYPO))
    age(app, gone, AgeGroup.UNDER_15)
    merge_id = merge(app, kept, gone)
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merge_id, by=Actor(app.admin.id))
    assert group_of(app, kept) == (None, False)
    assert group_of(app, gone) == (AgeGroup.UNDER_15, True)


def test_merged_person_refuses_what_either_record_refused(app: App):
    kept, gone = people_of(app, app.award(ZOE), app.award(TYPO))
    with app.unit_of_work() as services:
        services.people.allow_name(gone, False, by=COMMAND)
        services.reminders.set_for_person(services.people.people.get(gone), False)
    merge(app, kept, gone)
    with app.unit_of_work(reading=True) as services:
        person = services.people.people.get(kept)
        assert (person.allows_name, person.wants_reminders) == (False, False)


def test_page_makes_as_many_queries_for_many_namesakes_as_for_two(app: App):
    result = app.award("Zoé Martin; zoe@exemple.fr", "Zoé Martin; zoe2@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        mine = services.awards.record(result.lines[0].award_id).person.id
    admin, page, asked = app.client(app.admin), f"/gestion/itip/repertoire/{mine}/reunir", list[str]()
    event.listen(app.process.engine, "before_cursor_execute", lambda *answered: asked.append(answered[2]))
    counts = []
    for others in (1, 10):
        admin.get(page)  # fills the caches of the process
        asked.clear()
        assert admin.get(page).text.count("?avec=") == others
        counts.append(len(asked))
        app.award(*(f"Zoé Martin; z{number}@exemple.fr" for number in range(9)))
    assert counts[0] == counts[1]


def test_rows_of_a_table_move_in_one_statement_unless_the_remaining_record_has_an_equivalent(app: App):
    first, second = app.award(ZOE), app.award(TYPO, badge=app.role, evidence="A tenu le stand.")
    kept, gone = people_of(app, first, second)
    activities = []
    with app.unit_of_work() as services:
        for number in range(3):
            by = Actor(app.trainer.id)
            facts = {**app.activity.model_dump(), "id": uuid.uuid4(), "title": f"Atelier {number}"}
            activities.append(services.activities.create(Activity(**facts), [app.campus], by=by).id)
            services.activities.record(app.campus, activities[-1], listed(TYPO), by=by)
            services.stores.session.execute(
                update(Participation)
                .where(Participation.activity_id == activities[-1])
                .values(person_id=gone)
            )
    asked = list[str]()
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: asked.append(result[2]))

    def moved() -> int:
        return sum(each.startswith("UPDATE participation SET person_id") for each in asked)

    merge_id = merge(app, kept, gone)
    with app.unit_of_work(reading=True) as services:
        rows = services.stores.session.exec(
            select(Participation).where(Participation.person_id == kept)
        ).all()
        assert {each.activity_id for each in rows} == {app.activity.id, *activities}
        [left] = services.stores.session.exec(
            select(Participation).where(Participation.person_id == gone)
        ).all()
        assert left.activity_id == app.activity.id
    assert moved() == 1 + 4  # the single statement is refused: both were in one of the four
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merge_id, by=Actor(app.admin.id))
        services.stores.session.delete(services.stores.session.get(Participation, left.id))
        services.stores.session.flush()
        asked.clear()
        moves = services.stores.merges.hand_over(kept, gone)
        assert len(moves["participation.person_id"]) == 3
    assert moved() == 1
