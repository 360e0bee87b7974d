"""What each table holds about people: one register, which the archive, the erasure and the pages about both read.

A table that stands in neither list stops `tests/services/privacy/test_personal_data.py`, which says what to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Matter(StrEnum):
    """What data are about, as people are told of them."""

    IDENTITY = "identity"
    ADDRESSES = "addresses"
    SIGN_IN = "sign_in"
    AWARDS = "awards"
    PORTFOLIO = "portfolio"
    PARTICIPATIONS = "participations"
    ROOMS = "rooms"
    LOG = "log"
    REQUESTS = "requests"
    FILES = "files"
    LETTERS = "letters"
    CONSENTS = "consents"
    WORK = "work"
    HISTORY = "history"


@dataclass(frozen=True)
class Link:
    """`column` holds the `to` of a row of `table` that is about the person; of `person` itself, their number."""

    column: str
    table: str = "person"
    to: str = "id"


@dataclass(frozen=True)
class Held:
    """Rows about somebody: in their archive, and gone with their erasure.

    `mentions` name other people: they stay out of the archive, and are emptied where it is the other who goes.
    `kept_back` would open a door, or means nothing outside. `written_as` are columns of a row that names the
    person by words alone, nobody having been recognised in them: given name, family name, address.
    `campus_by` leads to a campus where no column that is always filled does. `once_empty` rows speak of several
    people, and go with the last of them.
    """

    matter: Matter
    links: tuple[Link, ...]
    mentions: tuple[str, ...] = ()
    kept_back: tuple[str, ...] = ()
    written_as: tuple[str, ...] = ()
    campus_by: Link | None = None
    once_empty: Link | None = None


_PERSON = (Link("person_id"),)
_AWARD = (Link("award_id", "award"),)

HELD: Final[Mapping[str, Held]] = MappingProxyType(
    {
        "person": Held(Matter.IDENTITY, (Link("id"),)),
        "person_address": Held(Matter.ADDRESSES, _PERSON),
        "person_merge": Held(
            Matter.IDENTITY, (Link("kept_id"), Link("gone_id")), mentions=("merged_by",), kept_back=("moved",)
        ),
        "name_wish": Held(Matter.IDENTITY, _PERSON, mentions=("decided_by",)),
        # --- how they come in
        "federated_account": Held(Matter.SIGN_IN, _PERSON),
        "password": Held(Matter.SIGN_IN, _PERSON, kept_back=("hash",)),
        "passkey": Held(Matter.SIGN_IN, _PERSON, kept_back=("credential_id", "public_key")),
        "session": Held(
            Matter.SIGN_IN,
            _PERSON,
            kept_back=("secret_digest",),
            campus_by=Link("award_id", "award"),
        ),
        "sign_in_link": Held(Matter.SIGN_IN, _PERSON, kept_back=("secret_digest", "browser_digest")),
        "challenge": Held(Matter.SIGN_IN, _PERSON, kept_back=("secret_digest", "browser_digest", "facts")),
        "set_aside": Held(Matter.SIGN_IN, _PERSON, kept_back=("secret_digest", "sealed")),
        # --- what they did
        "participation": Held(Matter.PARTICIPATIONS, _PERSON, mentions=("recorded_by",)),
        "attendance": Held(Matter.PARTICIPATIONS, (Link("participation_id", "participation"),)),
        "room_entry": Held(
            Matter.ROOMS, (Link("participation_id", "participation"),), kept_back=("phone_digest",)
        ),
        "waiting_signature": Held(
            Matter.ROOMS, (), kept_back=("phone_digest",), written_as=("given_name", "family_name", "address")
        ),
        "list_answer": Held(
            Matter.PARTICIPATIONS,
            (Link("participation_id", "participation"),),
            kept_back=("list_digest",),
        ),
        "log_payload": Held(Matter.LOG, (Link("about_id"), Link("about_id", "person_merge", "gone_id"))),
        "log_dispute": Held(Matter.LOG, _PERSON),
        # --- what they were given
        "award": Held(Matter.AWARDS, _PERSON, mentions=("awarded_by",), kept_back=("once_key",)),
        "signed_credential": Held(Matter.AWARDS, _AWARD),
        "newer_credential": Held(Matter.AWARDS, _AWARD),
        "award_evidence": Held(Matter.AWARDS, _AWARD),
        "evidence_disclosure": Held(Matter.AWARDS, _AWARD),
        "endorsement": Held(Matter.AWARDS, _AWARD, kept_back=("address",)),
        "endorsement_request": Held(Matter.REQUESTS, _AWARD, mentions=("asked_by",)),
        "claim_code": Held(Matter.AWARDS, _AWARD, kept_back=("digest",)),
        "award_batch": Held(
            Matter.AWARDS,
            (Link("id", "award_batch_line", "batch_id"),),
            mentions=("requested_by",),
            kept_back=("idempotency_key", "request_digest"),
            once_empty=Link("id", "award_batch_line", "batch_id"),
        ),
        "award_batch_line": Held(
            Matter.AWARDS, (*_PERSON, *_AWARD), written_as=("given_name", "family_name", "address")
        ),
        "withdrawal": Held(
            Matter.AWARDS,
            (Link("id", "withdrawal_line", "withdrawal_id"),),
            mentions=("requested_by",),
            kept_back=("idempotency_key", "request_digest"),
            once_empty=Link("id", "withdrawal_line", "withdrawal_id"),
        ),
        "withdrawal_line": Held(Matter.AWARDS, _AWARD),
        "portfolio": Held(Matter.PORTFOLIO, _PERSON),
        "portfolio_group": Held(Matter.PORTFOLIO, (Link("portfolio_id", "portfolio"),)),
        "portfolio_piece": Held(Matter.PORTFOLIO, (Link("portfolio_id", "portfolio"), *_AWARD)),
        "brought_badge": Held(Matter.PORTFOLIO, _PERSON),
        "parent_agreement": Held(Matter.CONSENTS, (*_PERSON, *_AWARD)),
        "consent": Held(Matter.CONSENTS, (*_PERSON, *_AWARD)),
        # --- what they asked for
        "badge_request": Held(
            Matter.REQUESTS,
            _PERSON,
            mentions=("first_reviewer_id",),
            written_as=("given_name", "family_name", "address"),
        ),
        "request_step": Held(
            Matter.REQUESTS, (Link("request_id", "badge_request"),), mentions=("person_id",)
        ),
        "contribution": Held(Matter.REQUESTS, _PERSON, mentions=("decided_by",)),
        "stored_file": Held(Matter.FILES, (*_PERSON, Link("noun_id", "badge_request"))),
        "stored_file_content": Held(Matter.FILES, (Link("file_id", "stored_file"),)),
        # --- what they were told
        "letter": Held(
            Matter.LETTERS,
            (
                *_PERSON,
                *_AWARD,
                Link("about_id", "badge_request"),
                Link("about_id", "invitation"),
                Link("about_id", "parent_agreement"),
                Link("about_id", "endorsement_request"),
                Link("about_id", "endorsement"),
            ),
            kept_back=("once_key",),
        ),
        # --- their work for a campus, or for the service
        "membership": Held(Matter.WORK, _PERSON),
        "operator": Held(Matter.WORK, _PERSON),
        "activity_trainer": Held(Matter.WORK, _PERSON),
        "badge_opening": Held(Matter.WORK, _PERSON),
        "invitation": Held(Matter.WORK, (Link("accepted_by"),), mentions=("invited_by",)),
        "private_look": Held(Matter.HISTORY, _PERSON, mentions=("viewer_id",)),
        # Never deleted: an erasure empties what an entry says, and that it was there stays.
        "history_entry": Held(Matter.HISTORY, (Link("actor_id"),)),
    }
)

IMPERSONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "activity": "what a campus organises",
        "activity_badge": "of an activity",
        "activity_campus": "of an activity",
        "activity_competency": "of an activity",
        "activity_file": "a number that is or was a file's, and its activity",
        "activity_session": "of an activity",
        "api_token": "of a program",
        "badge": "of a campus",
        "badge_competency": "of a badge",
        "badge_version": "of a badge",
        "campus": "an organisation and its public address",
        "campus_log": "of a campus",
        "choice_change": "numbers and choices, emptied once the recovery journal holds them",
        "competency": "of a campus",
        "endorsement_place": "the place of a number, as status_slot",
        "erased_award": "a number that was an award's, and that it is gone",
        "erased_portfolio": "a number that was a portfolio's, and that it is gone",
        "erasure": "that something went, and how much; nothing of whom",
        "followed_list": "of another service, about organisations",
        "framework": "of a campus",
        "import_line": "numbers of lines; what refused ones said goes after 30 days, or with whom it names",
        "import_mapping": "headings and words of a source",
        "import_run": "a digest and counts; what was dropped goes when it is confirmed, or after a day",
        "imported": "a keyed digest; what was said under it is emptied when the person is forgotten",
        "integrity_check": "numbers of rows that were found damaged",
        "label": "of a campus",
        "log_checkpoint": "hashes",
        "log_cosignature": "of another organisation",
        "log_entry": "a kind, a minute, and a commitment whose key lies in log_payload",
        "log_review": "what was found when a log was read again",
        "log_tile": "hashes",
        "log_witness": "of another organisation",
        "network": "of campuses",
        "network_key": "of a network",
        "network_member": "of campuses",
        "organisation": "a company and its public address; of one person's mailbox a digest",
        "organisation_key": "of an organisation",
        "picture_digest": "of a badge",
        "rate_count": "counted under a keyed digest, and gone within hours",
        "recognition": "an organisation and its public address",
        "room": "of an activity",
        "signing_clock": "of a machine",
        "signing_key": "of a campus",
        "status_list": "bits at random places",
        "status_slot": "the place of a number; it says that a badge was withdrawn even when all else is gone",
        "trust_edition": "of a network, about organisations",
        "worker": "of a machine",
    }
)
