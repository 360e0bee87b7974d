"""French labels of domain enums: kinds, roles, parts, outcomes; for the filter `say`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

import nh3
from babel.lists import format_list
from babel.numbers import format_percent
from markdown_it import MarkdownIt
from markupsafe import Markup

from app.domain.accounts.sessions import Scope
from app.domain.activities import ActivityKind, PartKind
from app.domain.awards import REASONS_OF_A_RESTORE, Award, LineOutcome
from app.domain.awards.batches import WithdrawalOutcome
from app.domain.badges import BadgeKind, Repeat
from app.domain.campus.campus import KeyPurpose, KeyState, LabelCategory, LabelState
from app.domain.people import Role
from app.domain.reports.indicators import SMALL
from app.language import (
    DEFAULT_ZONE,
    N_,
    NARROW,
    NO_BREAK,
    babel_locale,
    clock,
    current_locale,
    day,
    days,
    fields_of,
    filled,
    known_locales,
    language_in_words,
    local,
    moment,
    month,
    number,
    short_day,
    short_month,
    time_of_day,
    translated,
    translated_plural,
    weekday,
    weekday_short,
)
from app.services.campus.registers import ListedAward
from app.services.verification.verdicts import Sentence


@dataclass(frozen=True)
class StateLabel:
    """The text of a tag, and the state that colours it: ok, past, bad, unk, shut."""

    text: str
    state: str = ""


BADGE_KINDS = {
    BadgeKind.BELONGING: N_("Badge d’appartenance"),
    BadgeKind.PARTICIPATION: N_("Badge de participation"),
    BadgeKind.ENGAGEMENT: N_("Badge d’engagement"),
    BadgeKind.ATTITUDE: N_("Badge de savoir-être"),
    BadgeKind.COMPETENCY: N_("Badge de compétence"),
    BadgeKind.REALISATION: N_("Badge de réalisation"),
}
KIND_NAMES = {
    BadgeKind.BELONGING: N_("Appartenance"),
    BadgeKind.PARTICIPATION: N_("Participation"),
    BadgeKind.ENGAGEMENT: N_("Engagement"),
    BadgeKind.ATTITUDE: N_("Savoir-être"),
    BadgeKind.COMPETENCY: N_("Compétence"),
    BadgeKind.REALISATION: N_("Réalisation"),
}
KIND_HINTS = {
    BadgeKind.BELONGING: N_("Faire partie d’un lieu ou d’un groupe."),
    BadgeKind.PARTICIPATION: N_("Avoir été là : date et durée."),
    BadgeKind.ENGAGEMENT: N_("Avoir tenu un rôle."),
    BadgeKind.ATTITUDE: N_("Une manière de faire, observée."),
    BadgeKind.COMPETENCY: N_("Savoir faire, jugé sur critères."),
    BadgeKind.REALISATION: N_("Une œuvre ou un projet mené à bien."),
}
REPEATS = {
    Repeat.ONCE: N_("Une seule fois par personne"),
    Repeat.ONCE_PER_ACTIVITY: N_("Une fois par activité"),
    Repeat.ALWAYS: N_("Autant de fois que l’on veut"),
}
ACTIVITY_KINDS = {
    ActivityKind.WORKSHOP: N_("Atelier"),
    ActivityKind.EVENT: N_("Événement"),
    ActivityKind.PROJECT: N_("Projet"),
    ActivityKind.COURSE: N_("Formation"),
    ActivityKind.IMMERSION: N_("Immersion"),
    ActivityKind.MEETING: N_("Réunion"),
    ActivityKind.COUNCIL: N_("Conseil"),
    ActivityKind.INTERVIEW: N_("Entretien"),
    ActivityKind.COMMUNICATION: N_("Communication"),
    ActivityKind.MOBILITY: N_("Mobilité"),
}
PARTS = {PartKind.LEARNER: N_("Apprenant"), PartKind.RESOURCE: N_("Ressource")}
ROLES = {
    Role.CAMPUS_ADMIN: N_("Administration du campus"),
    Role.DESIGNER: N_("Conception des badges"),
    Role.TRAINER: N_("Formation"),
    Role.REVIEWER: N_("Examen des demandes"),
    Role.AUDITOR: N_("Audit"),
    Role.DPO: N_("Protection des données"),
}
ROLE_HINTS = {
    Role.CAMPUS_ADMIN: N_(
        "Invite l’équipe, donne les rôles et règle le campus. Peut tout, sauf la protection des données."
    ),
    Role.DESIGNER: N_("Écrit les badges et les compétences, et dit qui attribue lesquels."),
    Role.TRAINER: N_("Crée des activités, inscrit les personnes, attribue les badges qui lui sont ouverts."),
    Role.REVIEWER: N_("Examine les demandes de badge et y répond."),
    Role.AUDITOR: N_("Lit tout et l’historique du campus, sans rien changer."),
    Role.DPO: N_("Répond aux personnes sur leurs données, et les efface."),
}
SCOPES = {
    Scope.AWARD_CREATE: N_("Attribuer des badges"),
    Scope.AWARD_REVOKE: N_("Retirer des badges"),
    Scope.BADGE_WRITE: N_("Écrire des badges et des compétences"),
    Scope.ACTIVITY_WRITE: N_("Créer des activités et inscrire des personnes"),
    Scope.READ: N_("Lire tout ce que le campus contient"),
    Scope.PERSON_READ: N_("Lire aussi les adresses e-mail des personnes"),
    Scope.PERSON_WRITE: N_("Créer des personnes, corriger leur nom et leur adresse"),
    Scope.WEBHOOK_WRITE: N_("Régler les adresses prévenues des changements (webhooks)"),
    Scope.COMPETENCY_READ: N_("Lire les compétences des personnes qui l’acceptent"),
    Scope.PATHWAY_READ: N_("Lire où en sont les personnes qui suivent un parcours"),
    Scope.CREDENTIAL_ISSUE: N_("Signer toute attestation, pour des essais de conformité"),
}
OUTCOMES = {
    LineOutcome.READY: StateLabel("Prête", "ok"),
    LineOutcome.AWARDED: StateLabel("Attribué", "ok"),
    LineOutcome.ALREADY_HELD: StateLabel("A déjà ce badge", "shut"),
    LineOutcome.INVALID_ADDRESS: StateLabel("Adresse invalide", "bad"),
    LineOutcome.MISSING_NAME: StateLabel("Nom à compléter", "bad"),
    LineOutcome.MISSING_EVIDENCE: StateLabel("Preuve manquante", "past"),
    LineOutcome.TOO_FEW_HOURS: StateLabel("Participation insuffisante", "past"),
    LineOutcome.ONESELF: StateLabel("Soi-même", "past"),
    LineOutcome.REPEATED_LINE: StateLabel("Ligne en double", "shut"),
    LineOutcome.UNREADABLE: StateLabel("Ligne illisible", "bad"),
    LineOutcome.NOT_ALLOWED: StateLabel("Non permis", "past"),
    LineOutcome.ABSENT: StateLabel("Absente", "past"),
    LineOutcome.SEVERAL_OF_NAME: StateLabel("Plusieurs personnes de ce nom", "past"),
}
REVOKED = StateLabel("Retiré", "bad")
UNDONE = StateLabel("Annulé", "shut")
WITHDRAWAL_OUTCOMES = {
    WithdrawalOutcome.WAITING: StateLabel("En attente", "shut"),
    WithdrawalOutcome.WITHDRAWN: StateLabel("Retiré", "ok"),
    WithdrawalOutcome.ALREADY: StateLabel("Était déjà retiré", "shut"),
    WithdrawalOutcome.ABSENT: StateLabel("N’existe pas ici", "bad"),
}
OUTCOME_COUNTS = {
    LineOutcome.READY: N_("Prêtes"),
    LineOutcome.AWARDED: N_("Attribués"),
    LineOutcome.ALREADY_HELD: N_("Ont déjà ce badge"),
    LineOutcome.INVALID_ADDRESS: N_("Adresses invalides"),
    LineOutcome.MISSING_NAME: N_("Noms à compléter"),
    LineOutcome.MISSING_EVIDENCE: N_("Preuves manquantes"),
    LineOutcome.TOO_FEW_HOURS: N_("Participations insuffisantes"),
    LineOutcome.ONESELF: N_("Soi-même"),
    LineOutcome.REPEATED_LINE: N_("Lignes en double"),
    LineOutcome.UNREADABLE: N_("Lignes illisibles"),
    LineOutcome.NOT_ALLOWED: N_("Non permises"),
    LineOutcome.ABSENT: N_("Absentes"),
    LineOutcome.SEVERAL_OF_NAME: N_("Homonymes à préciser"),
}
LABEL_CATEGORIES = {
    LabelCategory.STANDARD: N_("Label Campus des métiers et des qualifications"),
    LabelCategory.EXCELLENCE: N_("Label d’excellence"),
}
LABEL_STATES = {
    LabelState.CURRENT: StateLabel("En cours", "ok"),
    LabelState.FUTURE: StateLabel("À venir", "shut"),
    LabelState.EXPIRED: StateLabel("Terminé", "past"),
    LabelState.WITHDRAWN: StateLabel("Retiré", "bad"),
}
KEY_PURPOSES = {
    KeyPurpose.CREDENTIAL: N_("Clé des badges"),
    KeyPurpose.ACTIVITY_LOG: N_("Clé du journal d’activité"),
    KeyPurpose.DISCLOSURE: N_("Clé des badges montrés en partie"),
}
KEY_STATES = {
    KeyState.PENDING: StateLabel("En attente", "shut"),
    KeyState.ACTIVE: StateLabel("En service", "ok"),
    KeyState.VERIFY_ONLY: StateLabel("Vérifie seulement", "past"),
    KeyState.REVOKED: StateLabel("Retirée", "bad"),
}
AWARD_CHANGES = {
    "award": N_("Attribué"),
    "revoke": N_("Retiré"),
    "suspend": N_("Suspendu"),
    "lift_suspension": N_("Suspension levée"),
    "undo": N_("Annulé avant de partir"),
    "claim": N_("Reçu par la personne"),
    "write_again": N_("E-mail envoyé de nouveau"),
    "remind": N_("Personne relancée"),
    "renew_link": N_("Lien privé renouvelé"),
    "print_slip": N_("Bulletin imprimé"),
    "show_code": N_("Code court montré"),
    "open": N_("Rendu public par la personne qui l’a reçu"),
    "close": N_("Refermé par la personne qui l’a reçu"),
    "let_search": N_("Laissé aux moteurs de recherche par la personne"),
    "count_views": N_("Consultations de la page comptées pour la personne"),
    "stop_counting_views": N_("Fin du comptage des consultations de la page"),
    "allow_checks": N_("Comparaison d’une adresse permise par la personne"),
    "refuse_checks": N_("Comparaison d’une adresse refusée par la personne"),
    "check_address": N_("Adresse comparée depuis la page publique"),
    "keep_from_search": N_("Retiré aux moteurs de recherche par la personne"),
    "register": N_("Enregistré de nouveau depuis son fichier signé"),
}
BADGE_CHANGES = {
    "create": N_("Créé"),
    "revise": N_("Nouvelle version"),
    "rewrite": N_("Réécrit"),
    "open": N_("Publié"),
    "archive": N_("Archivé"),
    "restore": N_("Repris"),
    "open_to_all": N_("Ouvert à tous les formateurs"),
    "open_to_some": N_("Réservé à certains formateurs"),
    "open_to": N_("Ouvert à une personne"),
    "shut_to": N_("Refermé à une personne"),
    "adopt": N_("Définition du réseau adoptée"),
    "decide_improvement": N_("Décision sur une amélioration du réseau"),
    "leave_definition": N_("Définition du réseau quittée"),
    "propose": N_("Proposé au réseau"),
    "answer_proposal": N_("Réponse du réseau"),
}


def ended_label(award: Award) -> StateLabel | None:
    """For an award no longer valid: one undone before delivery was never revoked from its holder."""
    if award.undone_at is not None:
        return UNDONE
    return REVOKED if award.revoked_at is not None else None


def why_ended(award: Award | ListedAward) -> str:
    """Also why it is suspended."""
    if award.undone_at is not None:
        return translated("Avant d’être remis.")
    return reason_shown(award.revoked_reason or award.suspended_reason)


def reason_shown(reason: str) -> str:
    """As the campus wrote it; translated where a restore wrote it."""
    return translated(reason) if reason in REASONS_OF_A_RESTORE else reason


def percent(value: float) -> str:
    """0.4 is 40 %."""
    words = format_percent(value, locale=babel_locale())
    return words.replace(NO_BREAK, NARROW) if current_locale() == "fr" else words


def percentage(value: float) -> str:
    """62.5 is 62,5 %; 62.5% in English."""
    return f"{number(round(value, 1))}{'' if current_locale() == 'en' else NARROW}%"


def size(count: int) -> str:
    """A human-readable size: 5 Mo; 5 MB."""
    units = ("octets", "ko", "Mo", "Go") if current_locale() == "fr" else ("bytes", "kB", "MB", "GB")
    amount, power = float(count), 0
    while amount >= 1000 and power < len(units) - 1:
        amount, power = amount / 1000, power + 1
    shown = round(amount) if amount >= 10 or amount == int(amount) else round(amount, 1)
    return f"{number(shown)}{NO_BREAK}{units[power]}"


OUT_OF_USE = N_("{name} (hors service)")


def out_of_use(name: str, archived_at: datetime | None) -> str:
    """In a list of choices: what was chosen before stays there."""
    return filled(translated(OUT_OF_USE), {"name": name}) if archived_at else name


def listing(values: list[str]) -> str:
    """A, B et C; A, B and C."""
    return format_list(values, locale=babel_locale())


__all__ = [
    "DEFAULT_ZONE",
    "FILTERS",
    "clock",
    "day",
    "days",
    "listing",
    "local",
    "moment",
    "month",
    "number",
    "percent",
    "short_day",
    "short_month",
    "size",
]

FILTERS = {
    "day": day,
    "days": days,
    "short_day": short_day,
    "clock": clock,
    "moment": moment,
    "hour": time_of_day,
    "weekday": weekday,
    "weekday_short": weekday_short,
    "month": month,
    "number": number,
    "percent": percent,
    "size": size,
    "listing": listing,
}


def hours_text(hours: float | None) -> str:
    """14,5: as typed by users and parsed by a French spreadsheet."""
    if hours is None:
        return ""
    return f"{hours:.2f}".rstrip("0").rstrip(".").replace(".", ",")


def holders_words(count: int) -> str:
    if count < SMALL:
        return translated("Moins de {least} personnes l’ont reçu").format(least=SMALL)
    sentence = translated_plural("{n} personne l’a reçu", "{n} personnes l’ont reçu", count)
    return sentence.format(n=number(count))


def people_words(count: int) -> str:
    if count < SMALL:
        return translated("moins de {least} personnes").format(least=SMALL)
    return translated_plural("{n} personne", "{n} personnes", count).format(n=number(count))


def stages_words(count: int) -> str:
    return translated_plural("{n} étape", "{n} étapes", count).format(n=number(count))


def sentence_text(sentence: Sentence | None, zone: str = DEFAULT_ZONE) -> str:
    """Plain text, to be escaped like any other; empty for no sentence."""
    if sentence is None:
        return ""
    words = translated(sentence.words)
    return filled(words, {name: _in_words(sentence.values[name], zone) for name in fields_of(words)})


def _in_words(value: object, zone: str) -> str:
    match value:
        case Sentence():
            return sentence_text(value, zone)
        case datetime() | date():
            return day(value, zone)
        case _:
            return str(value)


_ELEMENTS = {"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a", "h3", "h4", "hr"}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_parser = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable(["image"])
# h1 and h2 belong to the page: headings in a campus's text start below them.
_LEVELS = {"h1": "h3", "h2": "h3", "h3": "h4", "h5": "h4", "h6": "h4"}


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """`text` as safe HTML: no image, no table, no raw HTML, links to http, https and mailto only (T26)."""
    tokens = _parser.parse(text)
    for token in tokens:
        token.tag = _LEVELS.get(token.tag, token.tag)
    html = _parser.renderer.render(tokens, _parser.options, {})
    cleaned = nh3.clean(
        html,
        tags=_ELEMENTS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    # Sanitised by the allow-list just above; no other code in app/web marks foreign text as safe.
    return Markup(cleaned)  # noqa: S704


# Classes inside a drawing: f is filled, k has the colour of the ground, s is a line.

ICONS = {
    "check": '<circle class="f" cx="12" cy="12" r="11"/><path class="k" d="m7 12.5 3.5 3.5L17 8.5"/>',
    "tick": '<path d="m4 12.5 5.5 5.5L20 6.5"/>',
    "cross": '<path class="f" d="M7.7 1.5h8.6l6.2 6.2v8.6l-6.2 6.2H7.7l-6.2-6.2V7.7z"/><path class="k" d="m8.5 8.5 7 7m0-7-7 7"/>',
    "unknown": '<circle cx="12" cy="12" r="10" stroke-dasharray="3.2 3.1"/><path d="M9.4 9.3a2.7 2.7 0 1 1 4.2 2.2c-1 .7-1.6 1.2-1.6 2.3m0 3v.1"/>',
    "clock": '<circle cx="12" cy="12" r="10"/><path d="M12 6.5v6l4 2.5"/>',
    "info": '<circle cx="12" cy="12" r="10"/><path d="M12 11v6m0-10v.1"/>',
    "warn": '<path d="M12 3 22 20.5H2z"/><path d="M12 10v5m0 2.6v.1"/>',
    "lock": '<path d="M4.5 11h15v10h-15zM8 11V7a4 4 0 0 1 8 0v4"/>',
    "open": '<path d="M4.5 11h15v10h-15zM8 11V7a4 4 0 0 1 7.7-1.5"/>',
    "eye": '<path d="M2 12c3-5 6.4-7 10-7s7 2 10 7c-3 5-6.4 7-10 7s-7-2-10-7z"/><circle cx="12" cy="12" r="3"/>',
    "link": '<path d="M9.5 14.5 14.5 9.5M11 6.5l1.5-1.5a4.6 4.6 0 0 1 6.5 6.5L17.5 13M13 17.5 11.5 19A4.6 4.6 0 0 1 5 12.5L6.5 11"/>',
    "qr": '<path d="M3 3h7v7H3zM14 3h7v7h-7zM3 14h7v7H3zM14 14h3v3h-3zM21 14v.1M21 18v3h-3.5M14 21v.1"/>',
    "file": '<path d="M5 2.5h9l5 5v14H5z"/><path d="M14 2.5v5h5"/>',
    "share": '<path d="M12 15V3m-4.5 4.5L12 3l4.5 4.5M7 10.5H4.5v11h15v-11H17"/>',
    "shield": '<path d="M12 2.5 20 5.5v6c0 5-3.5 8.5-8 10-4.5-1.5-8-5-8-10v-6z"/>',
    "close": '<path d="m5 5 14 14M19 5 5 19"/>',
    "up": '<path d="M12 16V4m-5 5 5-5 5 5M4 20h16"/>',
    "down": '<path d="M12 4v12m-5-5 5 5 5-5M4 20h16"/>',
    "rise": '<path d="M12 20V4m-7 7 7-7 7 7"/>',
    "sink": '<path d="M12 4v16m-7-7 7 7 7-7"/>',
    "print": '<path d="M7 9V3h10v6M7 18H3.5V9h17v9H17M7 14.5h10V21H7z"/>',
    "camera": '<path d="M2.5 7h4.5l2-3h6l2 3h4.5v13h-19z"/><circle cx="12" cy="13" r="3.8"/>',
    "person": '<circle cx="12" cy="8" r="4.5"/><path d="M3.5 21.5c1-4.5 4.3-6.5 8.5-6.5s7.5 2 8.5 6.5"/>',
    "people": '<circle cx="9" cy="8" r="4"/><path d="M1.5 20.5c.8-4 3.6-6 7.5-6s6.7 2 7.5 6M16 4.3a4 4 0 0 1 0 7.4M18.5 14.8c2.2.8 3.5 2.7 4 5.7"/>',
    "home": '<path d="M4 21V9.5L12 3l8 6.5V21zM9.5 21v-6.5h5V21"/>',
    "pen": '<path d="m3.5 20.5 1-4.5L16.5 4l3.5 3.5-12 12zM14 6.5 17.5 10"/>',
    "menu": '<path d="M3 6h18M3 12h18M3 18h18"/>',
    "search": '<circle cx="10.5" cy="10.5" r="7"/><path d="m15.8 15.8 5.7 5.7"/>',
    "next": '<path d="M4 12h16m-6-6 6 6-6 6"/>',
    "prev": '<path d="M20 12H4m6-6-6 6 6 6"/>',
    "copy": '<path d="M8.5 8.5h12v12h-12zM15.5 8.5v-5h-12v12h5"/>',
    "mail": '<path d="M2.5 5h19v14h-19zm0 1.5 9.5 7 9.5-7"/>',
    "phone": '<path d="M7 1.5h10v21H7zM11 19h2"/>',
    "plus": '<path d="M12 4v16M4 12h16"/>',
    "refresh": '<path d="M20 5v5.5h-5.5M4 19v-5.5h5.5"/><path d="M19.5 10.5a8 8 0 0 0-14-3M4.5 13.5a8 8 0 0 0 14 3"/>',
    "list": '<path d="M8.5 6H21M8.5 12H21M8.5 18H21M3.5 6h.1M3.5 12h.1M3.5 18h.1"/>',
    "undo": '<path d="M8 4 3.5 8.5 8 13"/><path d="M3.5 8.5H14a6 6 0 0 1 0 12H8"/>',
    "wallet": '<path d="M3 6.5h16v-3H5a2 2 0 0 0-2 2zm0 0V20.5h18v-14h-2M16.5 13.5v.1"/>',
    "building": '<path d="M4 21.5v-17h10v17M14 9.5h6v12M2 21.5h20M8 8.5h2M8 12.5h2M8 16.5h2"/>',
}

_WAX = "M37.0 7.1A5.15 5.15 0 0 1 46.1 10.9A5.15 5.15 0 0 1 53.1 17.9A5.15 5.15 0 0 1 56.9 27.0A5.15 5.15 0 0 1 56.9 37.0A5.15 5.15 0 0 1 53.1 46.1A5.15 5.15 0 0 1 46.1 53.1A5.15 5.15 0 0 1 37.0 56.9A5.15 5.15 0 0 1 27.0 56.9A5.15 5.15 0 0 1 17.9 53.1A5.15 5.15 0 0 1 10.9 46.1A5.15 5.15 0 0 1 7.1 37.0A5.15 5.15 0 0 1 7.1 27.0A5.15 5.15 0 0 1 10.9 17.9A5.15 5.15 0 0 1 17.9 10.9A5.15 5.15 0 0 1 27.0 7.1A5.15 5.15 0 0 1 37.0 7.1Z"
SEALS = {
    "ok": f'<path class="f" d="{_WAX}"/><circle class="k" cx="32" cy="32" r="22" stroke-width="1.2"/><path class="k" d="m21 33 8 8 15-17" stroke-width="5"/>',
    "past": f'<path class="s" d="{_WAX}" stroke-width="3"/><circle class="s" cx="32" cy="32" r="18" stroke-width="1.2"/><path class="s" d="M32 21v12l8 6" stroke-width="4"/>',
    "revoked": f'<path class="s" d="{_WAX}" stroke-width="3"/><circle class="s" cx="32" cy="32" r="20" stroke-width="1.2"/><path class="s" d="M17 47 47 17" stroke-width="6"/>',
    "broken": f'<path class="f" d="{_WAX}"/><path class="k" d="M37-4 29 17l8 9-12 11 9 10-7 20" stroke-width="5" stroke-linejoin="miter"/>',
    "unk": '<circle class="s" cx="32" cy="32" r="27" stroke-width="3.5" stroke-dasharray="7 6.1"/><path class="s" d="M25 25.5a7.5 7.5 0 1 1 11.5 6.5c-3 2-4.5 3.5-4.5 7m0 7.5v.2" stroke-width="4.5"/>',
    "shut": '<circle class="s" cx="32" cy="32" r="27" stroke-width="3"/><path class="s" d="M22 30h20v15H22zM26 30v-5a6 6 0 0 1 12 0v5" stroke-width="3.5"/>',
}

_MARK = "M37.5 4.5A5.68 5.68 0 0 1 47.6 8.7A5.68 5.68 0 0 1 55.3 16.4A5.68 5.68 0 0 1 59.5 26.5A5.68 5.68 0 0 1 59.5 37.5A5.68 5.68 0 0 1 55.3 47.6A5.68 5.68 0 0 1 47.6 55.3A5.68 5.68 0 0 1 37.5 59.5A5.68 5.68 0 0 1 26.5 59.5A5.68 5.68 0 0 1 16.4 55.3A5.68 5.68 0 0 1 8.7 47.6A5.68 5.68 0 0 1 4.5 37.5A5.68 5.68 0 0 1 4.5 26.5A5.68 5.68 0 0 1 8.7 16.4A5.68 5.68 0 0 1 16.4 8.7A5.68 5.68 0 0 1 26.5 4.5A5.68 5.68 0 0 1 37.5 4.5ZM38.9 20.2l-2.9-.6l2.4-1.8l.5 0l1.4 8.8l-1 .2l-3.9-6l1.2 1.3q-1.1-.8-2.2-1.2q-1.1-.4-2.3-.4q-2.4 0-3.5 1.1q-1.2 1-1.2 2.6q0 1.2 .5 1.9q.6 .8 1.5 1.3q.9 .6 2.1 1q1.2 .4 2.5 .9q1.3 .4 2.6 1q1.2 .6 2.3 1.4q1 .9 1.6 2.2q.7 1.3 .7 3.1q0 2.7-1.3 4.5q-1.3 1.8-3.6 2.7q-2.3 1-5.1 1q-2 0-3.6-.3q-1.6-.2-3.2-.9l-1.7-7.1l1.1 0l5.3 7.2l-3.9-2.5q1.5 .8 2.7 1.2q1.2 .4 2.6 .4q2.1 0 3.5-.5q1.4-.6 2.1-1.5q.7-1 .7-2.5q0-1.3-.7-2.2q-.7-.9-1.7-1.5q-1.1-.6-2.4-1q-1.3-.4-2.5-.9q-1.3-.5-2.4-1q-1.1-.6-2-1.4q-.8-.8-1.3-2q-.5-1.1-.5-2.8q0-2.2 1.1-3.8q1.1-1.7 3.2-2.6q2.1-.9 4.8-.9q1.8 0 3.4 .4q1.5 .3 3.1 1.2zM32 10.5a21.5 21.5 0 1 0 0 43 21.5 21.5 0 0 0 0-43zm0 1.8a19.7 19.7 0 1 1 0 39.4 19.7 19.7 0 0 1 0-39.4z"


def icon(name: str, classes: str = "") -> Markup:
    """Decorative: always beside text, so hidden from screen readers."""
    return _drawing(f"i {classes}".strip(), 24, ICONS[name])


def seal(name: str) -> Markup:
    """The seal of a verdict: ok, past, revoked, broken, unk or shut."""
    return _drawing("seal", 64, SEALS[name])


def mark() -> Markup:
    """The mark of the service: a struck seal with its initial."""
    return _drawing("mark", 64, f'<path fill-rule="evenodd" d="{_MARK}"/>')


def _drawing(classes: str, side: int, shapes: str) -> Markup:
    # Only drawings of this file and class names of our templates reach this point.
    return Markup(  # noqa: S704
        f'<svg class="{classes}" viewBox="0 0 {side} {side}" aria-hidden="true" focusable="false">{shapes}</svg>'
    )


def badge_languages(chosen: str) -> list[tuple[str, str]]:
    """(code, name in the reader's language) of each language a badge may be written in, `chosen` included."""
    codes = dict.fromkeys((*known_locales(), chosen))
    return [(code, language_in_words(code).capitalize()) for code in codes]
