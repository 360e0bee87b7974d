"""One register of all tables about people, read by the archive, the erasure and the pages about data.

A table missing here fails `tests/app/services/people/test_personal_data.py`, which explains what to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.language import N_


class DataSubjectMatter(StrEnum):
    """Categories of personal data, as presented to the data subject."""

    IDENTITY = "identity"
    ADDRESSES = "addresses"
    SIGN_IN = "sign_in"
    AWARDS = "awards"
    PORTFOLIO = "portfolio"
    PARTICIPATIONS = "participations"
    ROOMS = "rooms"
    LOG = "log"
    REQUESTS = "requests"
    PATHWAYS = "pathways"
    FILES = "files"
    LETTERS = "letters"
    CONSENTS = "consents"
    WORK = "work"
    HISTORY = "history"


@dataclass(frozen=True)
class Link:
    """`column` contains the `to` of a row of `table` about the person; for `person` itself, their id."""

    column: str
    table: str = "person"
    to: str = "id"


@dataclass(frozen=True)
class HeldData:
    """Rows about one person: exported in their archive and deleted by their erasure.

    `mentions`: columns that name other people, omitted from the archive and set to NULL when the other person
    is erased. `kept_back`: columns omitted because they grant access (secrets) or mean nothing outside.
    `written_as`: the given name, family name and address columns of rows that name a person only as text,
    with no person linked. `signed_as`: the signature and address of rows that the person wrote about others, from a
    mailbox that is theirs alone or under their name. `campus_by`: the link to a campus if no non-null column leads to one. `once_empty`:
    the rows concern several people, and are deleted once this link finds no rows.
    """

    matter: DataSubjectMatter
    links: tuple[Link, ...]
    mentions: tuple[str, ...] = ()
    kept_back: tuple[str, ...] = ()
    written_as: tuple[str, ...] = ()
    signed_as: tuple[str, ...] = ()
    campus_by: Link | None = None
    once_empty: Link | None = None


_PERSON = (Link("person_id"),)
_AWARD = (Link("award_id", "award"),)
_WRITTEN = ("given_name", "family_name", "address")
_WRITTEN_ABOUT = (
    "badge_request",
    "invitation",
    "parent_agreement",
    "endorsement_request",
    "endorsement",
    "peer_recommendation",
)
_ENROLMENT = (Link("enrolment_id", "pathway_enrolment"),)
_LINK_SECRETS = ("secret_digest", "browser_digest")

HELD: Final[Mapping[str, HeldData]] = MappingProxyType(
    {
        "person": HeldData(DataSubjectMatter.IDENTITY, (Link("id"),)),
        "person_address": HeldData(DataSubjectMatter.ADDRESSES, _PERSON),
        "person_merge": HeldData(
            DataSubjectMatter.IDENTITY,
            (Link("kept_id"), Link("gone_id")),
            mentions=("merged_by",),
            kept_back=("moved",),
        ),
        "campus_person": HeldData(
            DataSubjectMatter.IDENTITY,
            _PERSON,
            kept_back=("listed_as", "created_at", "in_doubt", "activities", "awards", "claimed"),
        ),
        "external_id": HeldData(DataSubjectMatter.IDENTITY, (*_PERSON, *_AWARD)),
        "name_wish": HeldData(DataSubjectMatter.IDENTITY, _PERSON, mentions=("decided_by",)),
        # --- sign-in
        "federated_account": HeldData(DataSubjectMatter.SIGN_IN, _PERSON),
        "lti_account": HeldData(DataSubjectMatter.SIGN_IN, _PERSON),
        "password": HeldData(DataSubjectMatter.SIGN_IN, _PERSON, kept_back=("hash",)),
        "passkey": HeldData(DataSubjectMatter.SIGN_IN, _PERSON, kept_back=("credential_id", "public_key")),
        "session": HeldData(
            DataSubjectMatter.SIGN_IN,
            _PERSON,
            kept_back=("secret_digest",),
            campus_by=Link("award_id", "award"),
        ),
        "sign_in_link": HeldData(DataSubjectMatter.SIGN_IN, _PERSON, kept_back=_LINK_SECRETS),
        "challenge": HeldData(DataSubjectMatter.SIGN_IN, _PERSON, kept_back=(*_LINK_SECRETS, "facts")),
        "set_aside": HeldData(DataSubjectMatter.SIGN_IN, _PERSON, kept_back=("secret_digest", "sealed")),
        "form_draft": HeldData(DataSubjectMatter.SIGN_IN, _PERSON, kept_back=("sealed",)),
        "app_grant": HeldData(DataSubjectMatter.SIGN_IN, _PERSON),
        "app_secret": HeldData(
            DataSubjectMatter.SIGN_IN, (Link("grant_id", "app_grant"),), kept_back=("digest", "challenge")
        ),
        # --- participation
        "participation": HeldData(DataSubjectMatter.PARTICIPATIONS, _PERSON, mentions=("recorded_by",)),
        "attendance": HeldData(
            DataSubjectMatter.PARTICIPATIONS, (Link("participation_id", "participation"),)
        ),
        "room_entry": HeldData(
            DataSubjectMatter.ROOMS, (Link("participation_id", "participation"),), kept_back=("phone_digest",)
        ),
        "waiting_signature": HeldData(
            DataSubjectMatter.ROOMS, (), kept_back=("phone_digest",), written_as=_WRITTEN
        ),
        "remembered_phone": HeldData(DataSubjectMatter.ROOMS, _PERSON, kept_back=("secret_digest",)),
        "list_answer": HeldData(
            DataSubjectMatter.PARTICIPATIONS,
            (Link("participation_id", "participation"),),
            kept_back=("list_digest",),
        ),
        "log_payload": HeldData(
            DataSubjectMatter.LOG, (Link("about_id"), Link("about_id", "person_merge", "gone_id"))
        ),
        "log_dispute": HeldData(DataSubjectMatter.LOG, _PERSON),
        # --- awards
        "award": HeldData(
            DataSubjectMatter.AWARDS, _PERSON, mentions=("awarded_by",), kept_back=("once_key",)
        ),
        "signed_credential": HeldData(DataSubjectMatter.AWARDS, _AWARD),
        "newer_credential": HeldData(DataSubjectMatter.AWARDS, _AWARD),
        "award_evidence": HeldData(DataSubjectMatter.AWARDS, _AWARD),
        "evidence_disclosure": HeldData(DataSubjectMatter.AWARDS, _AWARD),
        "badge_rating": HeldData(DataSubjectMatter.AWARDS, _PERSON),
        "page_view_count": HeldData(DataSubjectMatter.AWARDS, _AWARD),
        "endorsement": HeldData(DataSubjectMatter.AWARDS, _AWARD, kept_back=("address",)),
        "endorsement_request": HeldData(
            DataSubjectMatter.REQUESTS,
            (*_AWARD, Link("endorsement_id", "peer_recommendation")),
            mentions=("asked_by",),
        ),
        "peer_recommendation": HeldData(DataSubjectMatter.AWARDS, _AWARD, signed_as=("signature", "address")),
        "claim_code": HeldData(DataSubjectMatter.AWARDS, _AWARD, kept_back=("digest",)),
        "wallet_offer": HeldData(
            DataSubjectMatter.AWARDS,
            _AWARD,
            kept_back=(
                *("reference_digest", "code_digest", "typed_digest", "token_digest", "nonce_digest"),
                *("state_digest", "request_digest", "challenge", "key_thumbprint"),
                *("transaction_digest", "holder_keys", "refresh_digest", "refreshed_digest"),
            ),
        ),
        "award_batch": HeldData(
            DataSubjectMatter.AWARDS,
            (Link("id", "award_batch_line", "batch_id"),),
            mentions=("requested_by",),
            kept_back=("idempotency_key", "request_digest"),
            once_empty=Link("id", "award_batch_line", "batch_id"),
        ),
        "award_batch_line": HeldData(DataSubjectMatter.AWARDS, (*_PERSON, *_AWARD), written_as=_WRITTEN),
        "withdrawal": HeldData(
            DataSubjectMatter.AWARDS,
            (Link("id", "withdrawal_line", "withdrawal_id"),),
            mentions=("requested_by",),
            kept_back=("idempotency_key", "request_digest"),
            once_empty=Link("id", "withdrawal_line", "withdrawal_id"),
        ),
        "withdrawal_line": HeldData(DataSubjectMatter.AWARDS, _AWARD),
        "portfolio": HeldData(DataSubjectMatter.PORTFOLIO, _PERSON),
        "portfolio_group": HeldData(DataSubjectMatter.PORTFOLIO, (Link("portfolio_id", "portfolio"),)),
        "portfolio_piece": HeldData(
            DataSubjectMatter.PORTFOLIO, (Link("portfolio_id", "portfolio"), *_AWARD)
        ),
        "brought_badge": HeldData(DataSubjectMatter.PORTFOLIO, _PERSON),
        "parent_agreement": HeldData(DataSubjectMatter.CONSENTS, (*_PERSON, *_AWARD)),
        "consent": HeldData(DataSubjectMatter.CONSENTS, (*_PERSON, *_AWARD)),
        # --- requests
        "badge_request": HeldData(
            DataSubjectMatter.REQUESTS, _PERSON, mentions=("first_reviewer_id",), written_as=_WRITTEN
        ),
        "request_step": HeldData(
            DataSubjectMatter.REQUESTS, (Link("request_id", "badge_request"),), mentions=("person_id",)
        ),
        "contribution": HeldData(DataSubjectMatter.REQUESTS, _PERSON, mentions=("decided_by",)),
        "stored_file": HeldData(DataSubjectMatter.FILES, (*_PERSON, Link("noun_id", "badge_request"))),
        "stored_file_content": HeldData(DataSubjectMatter.FILES, (Link("file_id", "stored_file"),)),
        "pathway_enrolment": HeldData(DataSubjectMatter.PATHWAYS, _PERSON, mentions=("decided_by",)),
        "pathway_stage_state": HeldData(DataSubjectMatter.PATHWAYS, _ENROLMENT),
        "pathway_decision": HeldData(DataSubjectMatter.PATHWAYS, _ENROLMENT, mentions=("decided_by",)),
        # --- notices sent to them
        "letter": HeldData(
            DataSubjectMatter.LETTERS,
            (
                *_PERSON,
                *_AWARD,
                *(Link("about_id", table) for table in _WRITTEN_ABOUT),
            ),
            kept_back=("once_key",),
        ),
        # --- work for a campus or the service
        "membership": HeldData(DataSubjectMatter.WORK, _PERSON),
        "saved_view": HeldData(DataSubjectMatter.WORK, _PERSON),
        "operator": HeldData(DataSubjectMatter.WORK, _PERSON),
        "network_administrator": HeldData(DataSubjectMatter.WORK, _PERSON),
        "activity_trainer": HeldData(DataSubjectMatter.WORK, _PERSON),
        "badge_opening": HeldData(DataSubjectMatter.WORK, _PERSON),
        "invitation": HeldData(DataSubjectMatter.WORK, (Link("accepted_by"),), mentions=("invited_by",)),
        "private_look": HeldData(DataSubjectMatter.HISTORY, _PERSON, mentions=("viewer_id",)),
        # Never deleted: an erasure empties the entry's content and retains the entry.
        "history_entry": HeldData(DataSubjectMatter.HISTORY, (Link("actor_id"),)),
    }
)

_OF_ACTIVITY = (
    "activity_announcement", "activity_audience", "activity_badge", "activity_campus", "activity_competency",
    "activity_establishment", "activity_facts", "activity_objective", "activity_organisation", "activity_session",
    "activity_survey", "declared_figure", "participation_tombstone", "room", "survey_link",
)  # fmt: skip
_OF_CAMPUS = (
    "badge", "calendar_subscription", "campus_log", "campus_sender", "catalogue_refresh", "change_head", "competency_synonym",
    "definition_adoption", "definition_proposal", "module_set", "label", "lti_course", "lti_key", "lti_platform", "pathway", "pathway_subject", "pathway_version",
    "report_draft", "report_edition", "report_objective", "report_sharing", "signing_key", "webhook",
)  # fmt: skip
IMPERSONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "activity": "what a campus organises",
        "survey_answer": "of an activity: no person, device or time; its sentence is read before it is quoted",
        **dict.fromkeys(_OF_ACTIVITY, "of an activity: counts, dates, codes and names of organisations"),
        **dict.fromkeys(("badge_competency", "badge_tally", "badge_version", "picture_digest"), "of a badge"),
        "activity_file": "a number that is or was a file's, and its activity",
        "api_answer": "sealed, for the program that was answered; gone within a day",
        "api_token": "of a program",
        **dict.fromkeys(("campus", "recognition"), "an organisation and its public address"),
        **dict.fromkeys(
            ("campus_picture", "report_picture"), "of a campus; recognisable people agreed to it"
        ),
        **dict.fromkeys(("catalogue_entry", "catalogue_term"), "of public pages"),
        "connected_app": "an application: its own description; a digest of its secret",
        "change": "numbers; that of a row that is gone says nothing of it",
        "choice_change": "numbers and choices, emptied once the recovery journal holds them",
        **dict.fromkeys(_OF_CAMPUS, "of a campus"),
        "campus_activity": "what an activity says of itself, and numbers; derived, and gone with it",
        **dict.fromkeys(("log_cosignature", "log_witness", "organisation_key"), "of an organisation"),
        **dict.fromkeys(("log_checkpoint", "log_tile"), "hashes"),
        "lti_launch": "a platform's number of a user, for two hours",
        **dict.fromkeys(("network", "network_member"), "of campuses"),
        **dict.fromkeys(("competency", "competency_version", "framework_term"), "of a framework"),
        **dict.fromkeys(("module_competency", "training_module"), "of a set of modules"),
        "endorsement_place": "the place of a number, as status_slot",
        **dict.fromkeys(
            ("activity_count", "award_count", "month_count"),
            "numbers, derived; deleted with an erasure, and counted again",
        ),
        **dict.fromkeys(
            ("activity_change", "award_change", "month_change"), "that a count is to be made again"
        ),
        **dict.fromkeys(
            ("award_tombstone", "erased_award", "erased_portfolio", "object_removal"),
            "a number; its row is gone",
        ),
        "erasure": "that something went, and how much; nothing of whom",
        "presentation_request": "sealed: who asks for a badge, and the answer; gone within twenty minutes",
        "followed_list": "of another service, about organisations",
        "framework": "of a campus, of a network, or public",
        **dict.fromkeys(("framework_association", "framework_release", "framework_search"), "of a framework"),
        "import_line": "numbers of lines; what refused ones said goes after 30 days, or with whom it names",
        "import_mapping": "headings and words of a source",
        "import_run": "a digest and counts; what was dropped goes when it is confirmed, or after a day",
        "imported": "a keyed digest; what was said under it is emptied when the person is forgotten",
        **dict.fromkeys(("integrity_check", "log_review"), "what a check found damaged, by number"),
        "log_entry": "a kind, a minute, and a commitment whose key lies in log_payload",
        "organisation": "a company and its public address; of one person's mailbox a digest",
        **dict.fromkeys(
            ("rate_count", "survey_turnout", "wallet_used_proof"),
            "keyed digests, gone within hours or once it closes",
        ),
        "status_list": "bits at random places",
        "status_slot": "the place of a number; it says that a badge was withdrawn even when all else is gone",
        **dict.fromkeys(
            ("network_key", "shared_badge", "shared_badge_version", "trust_edition"), "of a network"
        ),
        **dict.fromkeys(("signing_clock", "worker"), "of a machine"),
        "webhook_delivery": "numbers, as change, for thirty days",
    }
)


ROOM_ENTRIES = timedelta(days=30)
"""Phones are distinguished for the longest usual interval between two sessions of a series."""
REFUSED_LINES = LIST_ANSWERS = timedelta(days=90)
"""List lines that matched no person; the answers for ambiguous names, which the same list needs again."""
CLOSED_REQUESTS = timedelta(days=365)
"""Refused or withdrawn; an accepted request lives as long as its badge."""
LETTERS = PATHWAYS = timedelta(days=3 * 365)  # An enrolment, since its last stage.
INVITATIONS = ASKED_ORGANISATIONS = timedelta(days=365)
"""Invitations without an answer; endorsement requests that were unanswered or declined."""
TYPED_ADDRESSES = timedelta(days=7)
"""Typed at a learner's link by a reader who then wrote nothing."""
WAYS_IN = timedelta(days=1)  # After sessions, links and challenges expire.
PAGE_VIEWS = timedelta(days=90)
UNUSED_APPS = timedelta(days=30)
"""Applications that registered themselves and are not connected by anyone."""


@dataclass(frozen=True)
class RetentionRule:
    """French sentences: what, why and for how long. `right`: the legal basis (GDPR, article 6)."""

    what: str
    why: str
    how_long: str
    right: str


_MISSION = N_("Mission d’intérêt public du campus")
_AGREEMENT = N_("Votre accord, que vous retirez quand vous voulez")
_SAFETY = N_("Sécurité du service")
_AS_LONG = N_("Tant que vous avez un badge ou une participation ici, ou jusqu’à votre demande d’effacement")

KEPT: Final[Mapping[DataSubjectMatter, RetentionRule]] = MappingProxyType(
    {
        DataSubjectMatter.IDENTITY: RetentionRule(
            N_("Votre nom et vos préférences"),
            N_("Vous reconnaître d’une activité à l’autre, écrire votre nom si vous le voulez."),
            _AS_LONG,
            _MISSION,
        ),
        DataSubjectMatter.ADDRESSES: RetentionRule(
            N_("Vos adresses e-mail"),
            N_("Vous remettre vos badges et vous écrire à leur sujet."),
            _AS_LONG,
            _MISSION,
        ),
        DataSubjectMatter.AWARDS: RetentionRule(
            N_("Vos badges, avec leurs fichiers signés et leurs preuves"),
            N_("Que vous puissiez les montrer, et qu’un employeur puisse les vérifier des années après."),
            N_(
                "Aussi longtemps que le service existe, ou jusqu’à votre demande d’effacement. Les lignes d’une "
                "liste où personne n’a été reconnu, et le nombre de consultations d’une page : 90 jours"
            ),
            _MISSION,
        ),
        DataSubjectMatter.PORTFOLIO: RetentionRule(
            N_("Votre portfolio : les badges que vous y rangez, vos lignes, qui le voit"),
            N_("Montrer plusieurs badges d’un seul lien, si vous le voulez."),
            N_("Jusqu’à ce que vous l’annuliez"),
            _AGREEMENT,
        ),
        DataSubjectMatter.PARTICIPATIONS: RetentionRule(
            N_("Vos participations : activités, rôle, heures, contribution"),
            N_("Ce sur quoi vos badges reposent."),
            _AS_LONG,
            _MISSION,
        ),
        DataSubjectMatter.ROOMS: RetentionRule(
            N_(
                "L’empreinte du téléphone avec lequel vous avez signé une présence, et cette signature tant que personne n’a dit laquelle des personnes de votre nom vous êtes. Le téléphone qui vous reconnaît, si vous l’avez voulu"
            ),
            N_("Qu’un téléphone ne signe qu’une fois par émargement, et qu’il propose votre nom."),
            N_("30 jours ; un téléphone qui vous reconnaît : six mois, ou jusqu’à ce que vous l’oubliiez"),
            _SAFETY,
        ),
        DataSubjectMatter.LOG: RetentionRule(
            N_("Ce que le journal du campus dit de vous, et ce que vous en avez contesté"),
            N_("Prouver qu’une participation était inscrite avant le badge."),
            N_("Autant que le badge. Effacé, le journal garde une ligne illisible qui ne mène à personne"),
            _MISSION,
        ),
        DataSubjectMatter.REQUESTS: RetentionRule(
            N_("Vos demandes de badge et vos contributions, avec les fichiers joints"),
            N_("Que le campus les examine et vous réponde."),
            N_(
                "Acceptée : autant que le badge ou le journal. Refusée ou retirée : un an. Non confirmée par vous : "
                "7 jours"
            ),
            _MISSION,
        ),
        DataSubjectMatter.PATHWAYS: RetentionRule(
            N_("Les parcours que vous suivez, et vos étapes"),
            N_("Vous dire l’étape suivante, et proposer le badge de l’ensemble au campus."),
            N_("Jusqu’à ce que vous les quittiez, ou trois ans sans nouvelle étape"),
            _AGREEMENT,
        ),
        DataSubjectMatter.FILES: RetentionRule(
            N_("Les fichiers que vous avez remis"),
            N_("Appuyer une demande ou une contribution."),
            N_("Autant que la demande ou la contribution qu’ils appuient"),
            _MISSION,
        ),
        DataSubjectMatter.LETTERS: RetentionRule(
            N_("Les e-mails qui vous sont envoyés : quand, à quelle adresse, arrivés ou non"),
            N_("Savoir si un badge est arrivé. Leur texte n’est pas gardé."),
            N_("Trois ans"),
            _MISSION,
        ),
        DataSubjectMatter.CONSENTS: RetentionRule(
            N_("Ce que vous avez accepté ou retiré, et la phrase que vous aviez lue"),
            N_("Prouver que rien n’a été montré sans vous."),
            N_("Autant que ce que vous aviez accepté"),
            _MISSION,
        ),
        DataSubjectMatter.SIGN_IN: RetentionRule(
            N_("Vos connexions : sessions ouvertes, liens, clés d’accès, applications connectées"),
            N_("Que personne d’autre n’ouvre ce qui est à vous."),
            N_(
                "Un jour après leur fin. Une clé d’accès, jusqu’à ce que vous la retiriez. Une application, jusqu’à ce "
                "que vous la déconnectiez, ou 180 jours sans usage"
            ),
            _SAFETY,
        ),
        DataSubjectMatter.WORK: RetentionRule(
            N_("Vos rôles dans un campus"),
            N_("Savoir qui peut attribuer ou retirer un badge, et qui le pouvait."),
            N_("Tant que le campus en répond ; effacés à votre demande une fois partis"),
            _MISSION,
        ),
        DataSubjectMatter.HISTORY: RetentionRule(
            N_("L’historique de ce qui a été fait, par qui et quand"),
            N_("Que le campus réponde de chaque attribution et de chaque retrait."),
            N_(
                "Autant que le campus ; après un effacement, il ne dit plus de qui. Qui du campus a regardé ce qui est à "
                "vous : un an"
            ),
            _MISSION,
        ),
    }
)
