"""Which tables and columns a restore brings up to date, and which stay as the backup has them."""

from __future__ import annotations

from sqlmodel import SQLModel

import app.tenancy.metadata  # noqa: F401
from app.domain.activity_log.recovery import CHOICES, IN_ORDER

# What follows each table says why a row as old as the backup does no harm.
AS_IN_THE_BACKUP = {
    "activity": "not published; typed again",
    "activity_announcement": "announced again",
    "activity_change": "as activity_count",
    "activity_count": "of the same rows; what a restore writes is marked, and counted again",
    "activity_badge": "as activity",
    "activity_audience": "as activity",
    "activity_campus": "as activity",
    "activity_competency": "as activity",
    "activity_establishment": "as activity",
    "activity_facts": "as activity",
    "activity_objective": "as activity",
    "activity_organisation": "as activity",
    "activity_session": "as activity",
    "activity_survey": "as activity",
    "activity_trainer": "as activity",
    "api_answer": "as old as what it answered",
    "attendance": "as activity; what was awarded for it is in the log",
    "award_change": "as award_count",
    "award_count": "as activity_count",
    "award_batch_line": "the awards are in the log",
    "award_tombstone": "erasures are done again",
    "badge_competency": "of published versions in their signed documents",
    "badge_request": "asked again",
    "badge_tally": "derived again",
    "campus": "settings are set again",
    "campus_log": "compared with its anchor",
    "campus_person": "of the rows that a restore writes, by triggers",
    "campus_sender": "settings are set again",
    "catalogue_entry": "derived again",
    "calendar_subscription": "followed again; what was imported is recognised",
    "catalogue_refresh": "derived again",
    "catalogue_term": "derived again",
    "challenge": "all end with a restore",
    "change": "read again from the beginning, as change_head says",
    "change_head": "of a new generation after each restore",
    "choice_change": "the number of the copy itself",
    "claim_code": "opens one award for its holder",
    "competency": "typed again",
    "competency_synonym": "typed again",
    "competency_version": "as competency",
    "contribution": "what was decided is in the log",
    "declared_figure": "as activity",
    "definition_proposal": "proposed again",
    "endorsement_request": "asked again",
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
    "module_set": "typed again",
    "month_change": "as activity_count",
    "month_count": "as activity_count",
    "page_view_count": "at worst some openings uncounted",
    "training_module": "as module_set",
    "letter": "at worst sent twice",
    "lti_course": "known again from the next launch",
    "lti_key": "the platforms read the published set again",
    "lti_launch": "gone within two hours",
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
    "pathway": "typed again",
    "pathway_subject": "published again",
    "pathway_version": "published again",
    "participation_tombstone": "erasures are done again",
    "person_merge": "merged again; badges withdrawn by it are in the log",
    "picture_digest": "drawn again",
    "presentation_request": "gone within twenty minutes",
    "private_look": "a record of looks",
    "rate_count": "gone within hours",
    "remembered_phone": "remembered again",
    "report_draft": "typed again",
    "report_edition": "signed again, with a higher number",
    "report_objective": "settings are set again",
    "request_step": "as badge_request",
    "app_grant": "connected again",
    "app_secret": "all end with a restore",
    "connected_app": "registered again",
    "room": "opened again",
    "room_entry": "signed again",
    "saved_view": "saved again",
    "shared_badge": "shared again",
    "shared_badge_version": "shared again, with a higher number",
    "session": "all end with a restore",
    "set_aside": "gone within a day",
    "sign_in_link": "all end with a restore",
    "signing_clock": "of the machine",
    "status_list": "anchored",
    "stored_file": "stored again",
    "stored_file_content": "stored again",
    "trust_edition": "signed again, with a higher sequence",
    "survey_turnout": "forgotten when the survey closes",
    "waiting_signature": "stands for nobody",
    "withdrawal": "what was withdrawn is in the log",
    "withdrawal_line": "as withdrawal",
    "wallet_offer": "offered again",
    "webhook": "settings are set again; its receiver hears that the feed began again",
    "webhook_delivery": "at worst sent twice, under the same id",
    "worker": "of the machine",
}
FACTS = {
    "activity_file": "file_id activity_id session_id",
    "api_token": "id campus_id label secret_digest scopes created_at expires_at",
    "award": "id campus_id badge_id version_id person_id activity_id subject_id state holder_name evidence part hours "
    "contribution grounds awarded_at awarded_by valid_until revoked_at revoked_reason suspended_at suspended_until suspended_reason undone_at batch_id once_key "
    "align_due_at reissued_at link_opened_at claimed_at",
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
    "survey_answer": "id activity_id rating recommends sentence",
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
    "person": "id given_name family_name listed_as created_at is_sample",
    "person_address": "id person_id address name_key verified_at is_main",
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
