"""Which tables and columns a restore brings up to date, and which stay as the backup has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import JSON, Column, Enum, Table, create_engine, func, select, text
from sqlmodel import Session, SQLModel

import app.db.engine.row_level_security  # noqa: F401
from app.db.activity_log.choices import ChoiceStore
from app.domain.activity_log.recovery import CHOICES, DELETED_WITH, ENDED, IN_ORDER

# What follows each table says why a row as old as the backup does no harm.
AS_IN_THE_BACKUP = {
    "activity": "not published; typed again",
    "activity_change": "as activity_count",
    "activity_count": "of the same rows; what a restore writes is marked, and counted again",
    "activity_badge": "as activity",
    "activity_audience": "as activity",
    "activity_campus": "as activity",
    "activity_competency": "as activity",
    "activity_establishment": "as activity",
    "activity_objective": "as activity",
    "activity_organisation": "as activity",
    "activity_survey": "as activity",
    "activity_trainer": "as activity",
    "api_answer": "as old as what it answered",
    "attendance": "as activity; what was awarded for it is in the log",
    "award_change": "as award_count",
    "award_count": "as activity_count",
    "award_batch_line": "the awards are in the log",
    "award_tombstone": "erasures are done again",
    "badge_competency": "of published versions in their signed documents",
    "badge_tally": "derived again",
    "campus_log": "compared with its anchor",
    "campus_activity": "as campus_person",
    "campus_person": "of the rows that a restore writes, by triggers",
    "catalogue_entry": "derived again",
    "catalogue_refresh": "derived again",
    "catalogue_term": "derived again",
    "challenge": "all end with a restore",
    "change": "read again from the beginning, as change_head says",
    "change_head": "of a new generation after each restore",
    "choice_change": "the number of the copy itself",
    "competency_synonym": "typed again",
    "competency_version": "as competency",
    "declared_figure": "as activity",
    "definition_proposal": "proposed again",
    "erased_award": "erasures are done again",
    "erased_portfolio": "erasures are done again",
    "erasure": "erasures are done again",
    "external_id": "sent again by the system that gave it",
    "form_draft": "gone within a day",
    "framework": "typed or imported again",
    "framework_association": "as framework",
    "framework_release": "as framework",
    "framework_search": "as competency",
    "framework_term": "as competency",
    "history_entry": "says that it was restored",
    "import_line": "read again",
    "import_mapping": "read again",
    "import_run": "read again",
    "imported": "read again",
    "integrity_check": "checked again",
    "module_competency": "as module_set",
    "month_change": "as activity_count",
    "month_count": "as activity_count",
    "page_view_count": "at worst some openings uncounted",
    "letter": "at worst sent twice",
    "lti_course": "known again from the next launch",
    "lti_key": "the platforms read the published set again",
    "lti_launch": "all end with a restore",
    "list_answer": "answered again",
    "log_checkpoint": "anchored",
    "log_cosignature": "witnesses sign again",
    "log_dispute": "said again",
    "log_entry": "replayed",
    "log_payload": "replayed",
    "log_review": "done again",
    "log_tile": "computed from the log",
    "name_wish": "asked again",
    "network": "created again",
    "network_member": "joined again",
    "organisation": "created again",
    "participation": "as activity",
    "pathway_subject": "published again",
    "pathway_version": "published again",
    "participation_tombstone": "erasures are done again",
    "person_merge": "merged, or separated, again; badges withdrawn by it are in the log",
    "picture_digest": "drawn again",
    "presentation_request": "all end with a restore",
    "private_look": "a record of looks",
    "rate_count": "gone within hours",
    "remembered_phone": "all end with a restore",
    "report_draft": "typed again",
    "report_edition": "signed again, with a higher number",
    "report_objective": "settings are set again",
    "request_step": "the state of its request is a choice",
    "app_secret": "all end with a restore",
    "room": "opened again",
    "room_entry": "signed again",
    "saved_view": "saved again",
    "shared_badge_version": "shared again, with a higher number",
    "set_aside": "all end with a restore",
    "sign_in_link": "all end with a restore",
    "signing_clock": "of the machine",
    "status_list": "anchored",
    "stored_file_content": "stored again",
    "trust_edition": "signed again, with a higher sequence",
    "survey_turnout": "forgotten when the survey closes",
    "waiting_signature": "stands for nobody",
    "withdrawal": "what was withdrawn is in the log",
    "withdrawal_line": "as withdrawal",
    "wallet_offer": "all end with a restore",
    "wallet_used_proof": "proofs of ten minutes",
    "webhook_delivery": "at worst sent twice, under the same id",
    "worker": "of the machine",
    "object_removal": "erasures since the backup are done again, and note their objects again",
}
FACTS = {
    "badge_request": "id campus_id badge_id person_id given_name family_name language narrative links entries "
    "created_at evidence",
    "activity_announcement": "activity_id enrolment announced_at",
    "activity_session": "id activity_id held_on hours place planned_for",
    "badge": "id campus_id slug repeat is_sample created_at",
    "competency": "id framework_id code statement levels kind identifier parent_id position description other_labels "
    "rubric ended_on extra",
    "module_set": "id campus_id title description badge_id created_at",
    "training_module": "id set_id position title contents audience hours badge_id",
    "pathway": "id campus_id title number draft created_at",
    "activity_file": "file_id activity_id session_id",
    "api_token": "id campus_id label secret_digest scopes created_at expires_at",
    "award": "id campus_id badge_id version_id person_id activity_id subject_id state holder_name accepted_name evidence part hours "
    "contribution grounds awarded_at awarded_by valid_until revoked_at revoked_reason suspended_at suspended_until suspended_reason undone_at batch_id once_key "
    "align_due_at reissued_at link_opened_at claimed_at",
    "app_grant": "id app_id person_id scopes given_at used_at",
    "campus": "id slug did short_name name sector carrier site department description contact_email linkedin_id time_zone "
    "hue liveliness language created_at",
    "campus_sender": "campus_id",
    "contribution": "id campus_id person_id activity_id badge_id title telling part done_on hours links created_at decided_by",
    "shared_badge": "id network_id created_at",
    "stored_file": "id campus_id noun noun_id person_id name words media_type size digest state added_at",
    "calendar_subscription": "id campus_id source sealed kek_id url_digest host kind creates created_at next_at asked_at "
    "read_at failures fault waiting declined run_id",
    "claim_code": "award_id digest expires_at",
    "connected_app": "id secret_digest name host facts redirects scopes registered_itself registered_at",
    "session": "id kind secret_digest person_id award_id created_at expires_at seen_at proved_by proved_at browser",
    "webhook": "id campus_id label created_at generation read_to complete failures next_at",
    "award_batch": "id campus_id activity_id version_id requested_by requested_at idempotency_key request_digest "
    "actor_label evidence grounds tells by_review not_before undo_seconds done_at undo_until "
    "removes_brought removed_people removed_participations",
    "badge_opening": "badge_id person_id since",
    "badge_rating": "id campus_id badge_id person_id score rated_at",
    "report_picture": "campus_id digest content",
    "campus_picture": "id campus_id alternative content width height added_at",
    "pathway_decision": "id enrolment_id stage decided_by decided_at note",
    "pathway_enrolment": "id pathway_id campus_id person_id listed_as number joined_at changed_at stale_at checked_at "
    "proposal proposed_at reason decided_by",
    "pathway_stage_state": "enrolment_id stage pathway_id campus_id state is_needed since",
    "survey_answer": "id activity_id is_counted rating recommends sentence",
    "survey_link": "activity_id campus_id code opened_at mailed_at",
    "brought_badge": "id person_id app_id digest content title issuer_name awarded_at verdict place holder_name brought_at "
    "checked_at check_again_at",
    "endorsement": "id organisation_id campus_id about version_id award_id subject organisation_name address language "
    "written token foreign_issuer comment checked_at check_again_at wording signed_at",
    "endorsement_place": "organisation_id position endorsement_id",
    "peer_recommendation": "id campus_id award_id address language words signature wording written_at",
    "federated_account": "id person_id issuer subject linked_at",
    "followed_list": "id url key issuer name sequence body valid_until read_at tried_at trouble added_at",
    "invitation": "id campus_id address roles days invited_by created_at accepted_by",
    "label": "id issuer network_id category starts_on ends_on note embedded signed_at position",
    "log_witness": "id campus_id name label vkey named_at",
    "lti_account": "id campus_id platform_id subject person_id linked_at",
    "lti_platform": "id campus_id label issuer client_id deployments keys_url token_url authorization_url created_at "
    "token_at token_until trouble trouble_at",
    "membership": "id person_id campus_id role since",
    "definition_adoption": "id campus_id network_id badge_id shared_badge_id competency_id shared_competency_id number "
    "adopted_at decided_at answer",
    "network_administrator": "network_id person_id since",
    "operator": "person_id since",
    "passkey": "id person_id credential_id public_key sign_count name created_at used_at",
    "password": "person_id",
    "person": "id created_at is_sample",
    "portfolio": "id person_id layout created_at",
    "portfolio_group": "id portfolio_id title position",
    "recognition": "id network_id issuer name short_name domain keys since",
}


def test_every_table_is_journaled_or_says_why_it_stays_as_in_the_backup() -> None:
    tables = set(SQLModel.metadata.tables)
    assert tables == {*CHOICES, *IN_ORDER, *AS_IN_THE_BACKUP}
    assert not AS_IN_THE_BACKUP.keys() & {*CHOICES, *IN_ORDER}


def test_new_column_of_a_table_with_choices_is_either_a_choice_or_a_fact() -> None:
    left = {
        name: {each.name for each in SQLModel.metadata.tables[name].columns} - {*choices.columns}
        for name, choices in CHOICES.items()
        if not choices.with_new
    }
    assert left == {name: set(columns.split()) for name, columns in FACTS.items()}


CLOSING_COLUMN = re.compile(
    r"^(archived|cancelled|closed|declined|hidden|removed|retired|revoked|suspended|withdrawn)_at$"
)
# What follows each table says why nothing that was closed by its column is open after a restore.
NOT_REOPENED = {
    "activity_campus": "as activity",
    "award": "withdrawals and suspensions are in the log",
    "award_tombstone": "of an award that is gone",
    "campus_log": "compared with its anchor",
    "room": "closes by itself within four hours, and its codes turn",
    "signing_key": "retired and revoked keys are in the log",
    "status_list": "every list is closed by a restore",
}


def test_whatever_closes_or_withdraws_a_row_is_journaled_or_says_why_not() -> None:
    left = {
        name
        for name, table in SQLModel.metadata.tables.items()
        for each in table.columns
        if CLOSING_COLUMN.search(each.name)
        and not (name in CHOICES and (CHOICES[name].with_new or each.name in CHOICES[name].columns))
    }
    assert left == {*NOT_REOPENED}


SECRET_COLUMN = re.compile(r"(^|_)(secret|digest|code|token|nonce|reference)(_|$)")
# What follows each table says why its column of such a name opens nothing after a restore.
NOT_EMPTIED = {
    "object_removal": "digests of signed bytes, which are their names in the object store",
    "api_answer": "digests of an API key's own requests; the token decides",
    "api_token": "`revoked_at` is a choice",
    "award_batch": "digest of a request",
    "award_evidence": "digest of a file",
    "brought_badge": "digest of its content",
    "calendar_subscription": "digest of an address",
    "competency": "its public code",
    "connected_app": "its removal is a choice, and all that was granted to it ends",
    "endorsement": "the public credential",
    "framework": "its public code",
    "import_run": "digest of a file",
    "list_answer": "digest of a list",
    "lti_platform": "URL of another service",
    "newer_credential": "the public credential",
    "report_edition": "the public credential",
    "report_objective": "its public code",
    "report_picture": "digest of a file",
    "room_entry": "digest of a telephone that opens nothing",
    "signed_credential": "the public credential",
    "signing_clock": "a fingerprint of SCEAU_SECRET, which opens nothing",
    "status_list": "the public credential",
    "stored_file": "digest of a file",
    "survey_link": "`closed_at` is a choice",
    "survey_turnout": "digest of a telephone that opens nothing",
    "waiting_signature": "digest of a telephone that opens nothing",
    "wallet_used_proof": "a proof that no longer serves",
    "webhook": "`secret_version` and `previous_until` are choices",
    "withdrawal": "digest of a request",
}


def test_every_table_of_secrets_is_emptied_or_says_why_not() -> None:
    secret = {
        name
        for name, table in SQLModel.metadata.tables.items()
        if any(SECRET_COLUMN.search(each.name) for each in table.columns)
    }
    assert {*ENDED, *NOT_EMPTIED} - secret == {"app_grant"}
    assert secret - {*NOT_EMPTIED} == {*ENDED} - {"app_grant"}
    assert not {*ENDED} & NOT_EMPTIED.keys()


def test_tables_said_to_end_with_a_restore_are_those_that_it_empties() -> None:
    said = {name for name, why in AS_IN_THE_BACKUP.items() if why == "all end with a restore"}
    assert said == {*ENDED} - CHOICES.keys()


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[name] for name in ROWS])
    with Session(engine) as session:
        yield session
    engine.dispose()


ROWS = (*ENDED, *(each for each, _ in DELETED_WITH.values()), *DELETED_WITH, "connected_app")


def test_every_table_that_ends_with_a_restore_is_really_emptied(session: Session) -> None:
    ids = {name: add_row(session, name, {}) for name in ("connected_app",)}
    ids["app_grant"] = add_row(session, "app_grant", {"app_id": ids["connected_app"]})
    for name in ENDED:
        if name != "app_grant":
            add_row(session, name, {"grant_id": ids["app_grant"]})
    session.commit()
    ChoiceStore(session).end_sessions()
    for name in ENDED:
        rows = select(func.count()).select_from(SQLModel.metadata.tables[name])
        assert session.execute(rows).scalar_one() == 0, name


def test_row_deleted_since_goes_with_the_rows_that_refer_to_it(session: Session) -> None:
    kept, removed = (add_row(session, "webhook", {}) for _ in range(2))
    for each in (kept, removed):
        add_row(session, "webhook_delivery", {"webhook_id": each})
    session.commit()
    session.execute(text("PRAGMA foreign_keys = OFF"))
    assert ChoiceStore(session).put_back([["webhook", {"id": str(removed)}, None]]) == 1
    for name, column in (("webhook", "id"), ("webhook_delivery", "webhook_id")):
        table = SQLModel.metadata.tables[name]
        assert session.execute(select(table.c[column])).scalars().all() == [kept]


def add_row(session: Session, name: str, values: dict[str, Any]) -> Any:
    """With any value in each column that must have one; returns its first key."""
    table: Table = SQLModel.metadata.tables[name]
    row = {each.name: any_value(each) for each in table.columns if not each.nullable}
    row |= {key: value for key, value in values.items() if key in row}
    session.execute(table.insert().values(row))
    return row[next(iter(table.primary_key)).name]


def any_value(column: Column[Any]) -> Any:
    if isinstance(column.type, Enum):
        return next(iter(column.type.enum_class or column.type.enums))
    if isinstance(column.type, JSON):
        return []
    kind = getattr(column.type, "impl", column.type).python_type
    known: dict[type, Any] = {
        datetime: datetime(2026, 11, 29, tzinfo=UTC),
        date: date(2026, 11, 29),
        time: time(12),
        bytes: b"0",
    }
    if kind is str:
        return uuid4().hex[: getattr(column.type, "length", None) or 32]
    return known[kind] if kind in known else uuid4() if kind.__name__ == "UUID" else kind(1)
