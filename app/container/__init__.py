"""Composition of services from stores, keys and clock; a unit of work is one transaction."""

from app.adapters.mail import make_dkim_key
from app.adapters.mail.bounces import LONGEST as LONGEST_REPORT
from app.container.health import (
    LastCheck,
    free_space_of,
    kek_written_at,
    last_check_of,
    notes_of,
    objects_to_remove,
    problems_of,
    restore_problem_of,
    schema_problem_of,
    signed_state_of,
    waiting_work_of,
)
from app.container.jobs import (
    FOLDER_UNUSABLE,
    WITNESS_KEY_UNUSABLE,
    IntegrityRun,
    documents_in,
    hand_in,
    log_at,
    make_kek,
    seen_in_pages,
    static_edition,
    witness_folder,
)
from app.container.process import CANNOT_START, AlreadyThere, DatabaseUnreachable, Process, utc_now
from app.container.services import Services
from app.container.stores import shared_between_processes
from app.db.campus.operations import SignedState, WaitingWork
from app.db.engine.schema import Migration, SchemaBusy, SchemaState, is_empty
from app.db.engine.writes import is_deadlock, reply_of
from app.services.publishing.status import SecretReplaced

__all__ = [
    "CANNOT_START",
    "FOLDER_UNUSABLE",
    "LONGEST_REPORT",
    "WITNESS_KEY_UNUSABLE",
    "AlreadyThere",
    "DatabaseUnreachable",
    "IntegrityRun",
    "LastCheck",
    "Migration",
    "Process",
    "SchemaBusy",
    "SchemaState",
    "SecretReplaced",
    "Services",
    "SignedState",
    "WaitingWork",
    "documents_in",
    "free_space_of",
    "hand_in",
    "is_deadlock",
    "is_empty",
    "kek_written_at",
    "last_check_of",
    "log_at",
    "make_dkim_key",
    "make_kek",
    "notes_of",
    "objects_to_remove",
    "problems_of",
    "reply_of",
    "restore_problem_of",
    "schema_problem_of",
    "seen_in_pages",
    "shared_between_processes",
    "signed_state_of",
    "static_edition",
    "utc_now",
    "waiting_work_of",
    "witness_folder",
]
