"""« Historique »: the audit log of a campus, filtered by person, subject and date, and exported."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.accounts.sessions import Scope
from app.domain.campus.audit_log import NOUNS_OF, Subject
from app.domain.campus.campus import Campus
from app.domain.core import csv_for_excel, lines_for_excel
from app.domain.people import Role
from app.errors import InvalidInput
from app.http.pages.words import ROLES, SCOPES, day, local
from app.http.request_scope import ReadingServices, status_for, visit, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.campus import Event, Filter

SUBJECTS = {
    Subject.TEAM: N_("L’équipe"),
    Subject.AWARDS: N_("Les attributions"),
    Subject.REQUESTS: N_("Les demandes de badges"),
    Subject.CONTRIBUTIONS: N_("Les contributions"),
    Subject.BADGES: N_("Les badges et les compétences"),
    Subject.ACTIVITIES: N_("Les activités"),
    Subject.ACCESS: N_("Les connexions et les accès"),
    Subject.CAMPUS: N_("Le campus"),
    Subject.EXPORTS: N_("Les tableaux emportés"),
}
OTHER_EVENT = N_("Autre changement")
EVENT_LABELS = {
    ("membership", "join"): N_("Rôle donné"),
    ("membership", "leave"): N_("Rôle retiré"),
    ("invitation", "invite"): N_("Invitation envoyée"),
    ("invitation", "resend"): N_("Invitation renvoyée"),
    ("invitation", "withdraw"): N_("Invitation retirée"),
    ("invitation", "accept"): N_("Invitation acceptée"),
    ("campus", "keep"): N_("Tout ce qui est public, gardé en fichiers"),
    ("campus", "keep_for_ever"): N_("Tout ce qui est public, gardé en fichiers pour toujours"),
    ("award", "award"): N_("Badge attribué"),
    ("award", "revoke"): N_("Badge retiré"),
    ("award", "suspend"): N_("Badge suspendu"),
    ("award", "lift_suspension"): N_("Suspension levée"),
    ("award", "undo"): N_("Attribution annulée avant tout envoi"),
    ("award", "open"): N_("Page du badge ouverte à tous"),
    ("award", "close"): N_("Page du badge refermée"),
    ("award", "let_search"): N_("Page du badge laissée aux moteurs de recherche"),
    ("award", "keep_from_search"): N_("Page du badge retirée aux moteurs de recherche"),
    ("award", "disclose"): N_("Choix de ce que la personne montre de ses preuves"),
    ("award", "ask_parent"): N_("Accord d’un parent demandé"),
    ("award", "parent_agrees"): N_("Un parent est d’accord pour ouvrir la page"),
    ("award", "correct_parent"): N_(
        "Adresse d’un parent corrigée : les réponses de l’ancienne ne comptent plus"
    ),
    ("award", "parent_refuses"): N_("Un parent n’est pas d’accord, ou ne l’est plus"),
    ("person", "age_band"): N_("Tranche d’âge notée ou changée"),
    ("person", "close_portfolio"): N_(
        "Portfolio d’un enfant refermé : il disait un nom, un âge, une classe ou une école"
    ),
    ("person", "hand_link"): N_("Lien de connexion donné par l’exploitant, sans e-mail"),
    ("award", "claim"): N_("Badge récupéré"),
    ("award", "renew_link"): N_("Lien privé remplacé"),
    ("award", "write_again"): N_("E-mail renvoyé"),
    ("award", "remind"): N_("Personne relancée"),
    ("award", "show_code"): N_("Code de retrait affiché"),
    ("award", "print_slip"): N_("Bulletin à remettre imprimé"),
    ("award_batch", "plan"): N_("Attribution à plusieurs personnes, programmée"),
    ("award_batch", "cancel"): N_("Attribution programmée, abandonnée"),
    ("award_batch", "undo"): N_("Attribution à plusieurs personnes, annulée"),
    ("person", "correct_address"): N_("Adresse corrigée"),
    ("award_batch", "remove_brought"): N_("Personnes et présences d’une liste annulée, retirées"),
    ("award_batch", "hand_over"): N_("Badges remis sans attendre"),
    ("request", "ask"): N_("Badge demandé"),
    ("request", "confirm"): N_("Demande confirmée"),
    ("request", "complete"): N_("Demande complétée"),
    ("request", "withdraw"): N_("Demande retirée par la personne"),
    ("request", "agreed"): N_("Premier accord sur une demande"),
    ("request", "asked_more"): N_("Demande à compléter"),
    ("request", "accepted"): N_("Demande acceptée"),
    ("request", "refused"): N_("Demande refusée"),
    ("request", "refuse_file"): N_("Fichier refusé par l’antivirus"),
    ("contribution", "add"): N_("Contribution proposée"),
    ("contribution", "complete"): N_("Contribution complétée"),
    ("contribution", "withdraw"): N_("Contribution retirée par la personne"),
    ("contribution", "confirm"): N_("Contribution confirmée"),
    ("contribution", "ask_more"): N_("Contribution à compléter"),
    ("contribution", "decline"): N_("Contribution refusée"),
    ("contribution", "reopen"): N_("Contribution à confirmer par une autre personne"),
    ("contribution", "correct"): N_("Contribution corrigée"),
    ("contribution", "dispute"): N_("Ligne du journal contestée"),
    ("contribution", "answer"): N_("Réponse à une contestation"),
    ("contribution", "refuse_file"): N_("Fichier refusé par l’antivirus"),
    ("activity", "attach"): N_("Photos ou fichiers joints"),
    ("activity", "show_file"): N_("Photo montrée à tous"),
    ("activity", "hide_file"): N_("Photo cachée de nouveau"),
    ("activity", "remove_file"): N_("Photo ou fichier retiré"),
    ("activity", "refuse_file"): N_("Fichier refusé par l’antivirus"),
    ("badge", "create"): N_("Badge créé"),
    ("badge", "revise"): N_("Nouvelle version du badge"),
    ("badge", "rewrite"): N_("Badge réécrit"),
    ("badge", "open"): N_("Badge publié"),
    ("campus", "add_picture"): N_("Image ajoutée à la page du campus"),
    ("campus", "remove_picture"): N_("Image retirée de la page du campus"),
    ("campus", "remove_report_picture"): N_("Image retirée des rapports signés"),
    ("campus", "ask_sender"): N_("Adresse d’envoi demandée"),
    ("campus", "confirm_sender"): N_("Adresse d’envoi confirmée"),
    ("campus", "use_sender"): N_("Adresse d’envoi mise en service"),
    ("campus", "remove_sender"): N_("Adresse d’envoi retirée"),
    ("campus", "add_platform"): N_("Plateforme de cours inscrite"),
    ("campus", "remove_platform"): N_("Plateforme de cours retirée"),
    ("campus", "link_platform"): N_("Compte d’un cours relié"),
    ("campus", "unlink_platform"): N_("Compte d’un cours délié"),
    ("campus", "renew_lti_key"): N_("Clé pour les plateformes de cours renouvelée"),
    ("campus", "choose_verbs"): N_("Verbes xAPI choisis"),
    ("calendar", "add"): N_("Agenda suivi"),
    ("calendar", "pause"): N_("Agenda mis en pause"),
    ("calendar", "resume"): N_("Agenda repris"),
    ("calendar", "fail"): N_("Agenda mis en pause après des échecs répétés"),
    ("calendar", "remove"): N_("Agenda qui n’est plus suivi"),
    ("webhook", "add"): N_("Webhook ajouté"),
    ("webhook", "rotate"): N_("Secret d’un webhook remplacé"),
    ("webhook", "pause"): N_("Webhook mis en pause"),
    ("webhook", "resume"): N_("Webhook repris"),
    ("webhook", "fail"): N_("Webhook mis en pause après des échecs répétés"),
    ("webhook", "remove"): N_("Webhook retiré"),
    ("webhook", "test"): N_("Message d’essai envoyé à un webhook"),
    ("webhook", "replay"): N_("Messages d’un webhook renvoyés"),
    ("badge", "show_sentence"): N_("Phrase d’un avis publiée"),
    ("badge", "decline_sentence"): N_("Phrase d’un avis refusée"),
    ("badge", "archive"): N_("Badge archivé"),
    ("badge", "adopt"): N_("Définition du réseau adoptée"),
    ("badge", "decide_improvement"): N_("Décision sur une amélioration du réseau"),
    ("badge", "leave_definition"): N_("Définition du réseau quittée"),
    ("badge", "propose"): N_("Badge ou amélioration proposés au réseau"),
    ("badge", "answer_proposal"): N_("Réponse du réseau à une proposition"),
    ("competency", "adopt"): N_("Définition du réseau adoptée"),
    ("competency", "decide_improvement"): N_("Décision sur une amélioration du réseau"),
    ("competency", "leave_definition"): N_("Définition du réseau quittée"),
    ("competency", "propose"): N_("Badge ou amélioration proposés au réseau"),
    ("competency", "answer_proposal"): N_("Réponse du réseau à une proposition"),
    ("badge", "restore"): N_("Badge remis en service"),
    ("badge", "open_to_all"): N_("Badge ouvert à tous les formateurs"),
    ("badge", "open_to_some"): N_("Badge réservé à certains formateurs"),
    ("badge", "open_to"): N_("Badge ouvert à une personne"),
    ("badge", "shut_to"): N_("Badge refermé à une personne"),
    ("endorsement", "ask"): N_("Recommandation demandée à une organisation"),
    ("endorsement", "sign"): N_("Recommandation signée par une organisation"),
    ("endorsement", "decline"): N_("Recommandation refusée par une organisation"),
    ("endorsement", "withdraw"): N_("Recommandation retirée par l’organisation"),
    ("endorsement", "hide"): N_("Recommandation cachée par la personne"),
    ("endorsement", "show"): N_("Recommandation montrée de nouveau par la personne"),
    ("endorsement", "set_aside"): N_("Recommandation écartée par le campus"),
    ("endorsement", "take_up"): N_("Recommandation montrée de nouveau par le campus"),
    ("endorsement", "ask_peer"): N_("Deux lignes demandées à une personne"),
    ("endorsement", "open_peer_link"): N_("Lien de recommandation partagé"),
    ("endorsement", "close_peer_link"): N_("Lien de recommandation fermé"),
    ("endorsement", "prove_peer"): N_("Adresse à prouver pour écrire deux lignes"),
    ("endorsement", "write_peer"): N_("Deux lignes écrites par une personne"),
    ("endorsement", "decline_peer"): N_("Demande de deux lignes refusée"),
    ("endorsement", "accept_peer"): N_("Lignes d’une personne acceptées"),
    ("endorsement", "hide_peer"): N_("Lignes d’une personne cachées"),
    ("endorsement", "delete_peer"): N_("Lignes d’une personne effacées"),
    ("endorsement", "withdraw_peer"): N_("Lignes d’une personne retirées par elle"),
    ("endorsement", "set_aside_peer"): N_("Lignes d’une personne écartées par le campus"),
    ("endorsement", "take_up_peer"): N_("Lignes d’une personne montrées de nouveau par le campus"),
    ("framework", "create"): N_("Référentiel créé"),
    ("framework", "import"): N_("Référentiel importé"),
    ("pathway", "create"): N_("Parcours créé"),
    ("pathway", "change"): N_("Brouillon de parcours changé"),
    ("pathway", "publish"): N_("Version d’un parcours publiée"),
    ("pathway", "archive"): N_("Parcours archivé"),
    ("pathway", "restore"): N_("Parcours remis en service"),
    ("pathway", "join"): N_("Parcours commencé par la personne"),
    ("pathway", "leave"): N_("Parcours quitté par la personne"),
    ("pathway", "move"): N_("Version de parcours changée par la personne"),
    ("pathway", "decide"): N_("Étape de parcours reconnue"),
    ("pathway", "undecide"): N_("Étape de parcours remise en question"),
    ("pathway", "decline"): N_("Badge d’un parcours refusé"),
    ("pathway", "reopen"): N_("Badge d’un parcours proposé de nouveau"),
    ("competency", "relate"): N_("Métiers d’une compétence changés"),
    ("framework", "amend"): N_("Référentiel changé"),
    ("module_set", "create"): N_("Ensemble de modules créé"),
    ("module_set", "amend"): N_("Ensemble de modules changé"),
    ("module_set", "archive"): N_("Ensemble de modules archivé"),
    ("module_set", "restore"): N_("Ensemble de modules remis en service"),
    ("competency", "synonym"): N_("Synonyme ajouté à une compétence"),
    ("competency", "no_synonym"): N_("Synonyme retiré d’une compétence"),
    ("competency", "create"): N_("Compétence créée"),
    ("competency", "amend"): N_("Compétence changée"),
    ("competency", "archive"): N_("Compétence archivée"),
    ("competency", "restore"): N_("Compétence remise en service"),
    ("activity", "create"): N_("Activité créée"),
    ("activity", "announce"): N_("Activité annoncée au public"),
    ("activity", "withdraw_announcement"): N_("Annonce publique retirée"),
    ("activity", "amend"): N_("Activité modifiée"),
    ("activity", "delete"): N_("Activité supprimée"),
    ("activity", "close"): N_("Activité close"),
    ("activity", "reopen"): N_("Activité rouverte"),
    ("activity", "ask"): N_("Accord demandé pour organiser ensemble"),
    ("activity", "accept"): N_("Activité commune acceptée"),
    ("activity", "decline"): N_("Activité commune refusée ou quittée"),
    ("log_witness", "name_witness"): N_("Témoin du journal nommé"),
    ("log_witness", "retire_witness"): N_("Témoin du journal retiré"),
    ("activity", "record"): N_("Participants inscrits"),
    ("activity", "note_attendance"): N_("Présences d’une séance notées"),
    ("activity", "add_session"): N_("Séance ajoutée à une série"),
    ("activity", "begin_series"): N_("Activité devenue une série"),
    ("activity", "change_session"): N_("Séance changée"),
    ("activity", "cancel_session"): N_("Séance annulée"),
    ("activity", "restore_session"): N_("Séance rétablie"),
    ("campus", "restore"): N_("Base complétée après une restauration"),
    ("award", "register"): N_("Attribution enregistrée de nouveau depuis son fichier signé"),
    ("campus_log", "reconcile"): N_("Journal repris après une restauration"),
    ("activity", "open_room"): N_("Code de présence affiché"),
    ("activity", "close_room"): N_("Code de présence arrêté"),
    ("activity", "tell_apart"): N_("Homonymes distingués parmi les signatures"),
    ("participation", "amend"): N_("Participation corrigée"),
    ("participation", "dispute"): N_("Ligne du journal contestée"),
    ("participation", "answer"): N_("Réponse à une contestation"),
    ("import", "take_over"): N_("Activités importées d’un fichier ou d’un programme"),
    ("token", "create"): N_("Jeton d’accès créé pour un programme"),
    ("campus", "sign_credential"): N_("Attestation signée pour un programme"),
    ("token", "revoke"): N_("Jeton d’accès retiré"),
    ("session", "sign_in"): N_("Connexion"),
    ("session", "prove"): N_("Identité confirmée"),
    ("session", "sign_out"): N_("Déconnexion"),
    ("person", "sign_out_everywhere"): N_("Déconnexion partout"),
    ("person", "ask_address"): N_("Adresse à confirmer"),
    ("person", "prove_address"): N_("Adresse confirmée par la personne"),
    ("person", "choose_main_address"): N_("Adresse principale choisie"),
    ("person", "remove_address"): N_("Adresse retirée par la personne"),
    ("person", "ask_name"): N_("Autre nom demandé par la personne"),
    ("person", "refuse_name"): N_("Autre nom refusé"),
    ("person", "rename"): N_("Nom corrigé"),
    ("award", "say_address"): N_("Empreinte d’une adresse ajoutée à la version 2.0"),
    ("award", "count_views"): N_("Consultations de la page comptées pour la personne"),
    ("award", "stop_counting_views"): N_("Fin du comptage des consultations de la page"),
    ("award", "allow_checks"): N_("Comparaison d’une adresse permise par la personne"),
    ("award", "refuse_checks"): N_("Comparaison d’une adresse refusée par la personne"),
    ("award", "check_address"): N_("Adresse comparée depuis la page publique"),
    ("award", "hide_address"): N_("Empreinte d’une adresse retirée de la version 2.0"),
    ("award", "give_to_wallet"): N_("Badge donné à un portefeuille par la personne"),
    ("award", "reissue"): N_("Badge signé de nouveau, à la place du précédent"),
    ("person", "merge"): N_("Deux fiches d’une personne fusionnées"),
    ("person", "unmerge"): N_("Deux fiches séparées de nouveau"),
    ("person", "connect_app"): N_("Application connectée par la personne"),
    ("person", "disconnect_app"): N_("Application déconnectée par la personne"),
    ("person", "accept_links"): N_("Liens privés de nouveau acceptés par la personne"),
    ("person", "refuse_links"): N_("Liens privés refusés par la personne"),
    ("person", "allow_name"): N_("Choix sur le nom dans les badges"),
    ("password", "set"): N_("Mot de passe choisi"),
    ("password", "drop"): N_("Mot de passe supprimé"),
    ("password", "mistype"): N_("Mot de passe refusé"),
    ("passkey", "enrol"): N_("Clé d’accès enregistrée"),
    ("passkey", "remove"): N_("Clé d’accès retirée"),
    ("passkey", "reset"): N_("Clés d’accès retirées par l’administration"),
    ("passkey", "suspect_copy"): N_("Clé d’accès refusée : copie possible"),
    ("federated_account", "link"): N_("Compte d’un autre service relié"),
    ("federated_account", "unlink"): N_("Compte d’un autre service délié"),
    ("campus", "create"): N_("Campus créé"),
    ("campus", "amend"): N_("Réglages changés"),
    ("report", "amend"): N_("Rapport annuel modifié"),
    ("report", "publish"): N_("Rapport annuel signé"),
    ("report", "objectives"): N_("Axes et objectifs modifiés"),
    ("campus", "invite_administrator"): N_("Personne invitée par l’exploitant à administrer le campus"),
    ("campus", "suspend"): N_("Campus suspendu par l’exploitant"),
    ("campus", "resume"): N_("Campus rouvert par l’exploitant"),
    ("campus", "label"): N_("Label enregistré"),
    ("campus", "withdraw_label"): N_("Label retiré par le réseau"),
    ("key", "create"): N_("Clé de signature créée"),
    ("key", "retire"): N_("Clé de signature retirée"),
    ("reminders", "start"): N_("Rappels remis en marche"),
    ("reminders", "stop"): N_("Rappels arrêtés"),
    ("erasure", "erase"): N_("Données d’une personne effacées"),
    ("table", "export"): N_("Tableau emporté"),
}
OF_THE_SERVICE = {
    ("operator", "join"): N_("Exploitation du service confiée"),
    ("operator", "hand_link"): N_("Lien de connexion donné sans e-mail"),
    ("operator", "leave"): N_("Exploitation du service retirée"),
    ("network", "create"): N_("Réseau créé"),
    ("network", "appoint"): N_("Réseau confié à une personne"),
    ("network", "dismiss"): N_("Réseau repris à une personne"),
    ("network", "share"): N_("Définition partagée par un réseau"),
    ("network", "improve"): N_("Définition améliorée par un réseau"),
    ("network", "withdraw_definition"): N_("Définition qui n’est plus partagée"),
    ("network_key", "retire"): N_("Clé du réseau retirée"),
    ("organisation_key", "retire"): N_("Clé d’une organisation retirée"),
    ("sign_in_link", "make"): N_("Lien de connexion fait par une commande"),
    ("recognition", "recognise"): N_("Campus inscrit au registre d’un réseau"),
    ("recognition", "amend"): N_("Registre d’un réseau corrigé"),
    ("recognition", "recognised"): N_("Campus reconnu de nouveau"),
    ("recognition", "suspended"): N_("Reconnaissance d’un campus suspendue"),
    ("recognition", "ended"): N_("Reconnaissance d’un campus terminée"),
    ("label", "label"): N_("Label donné à un campus d’un autre service"),
    ("label", "withdraw_label"): N_("Label retiré à un campus d’un autre service"),
    ("signing_clock", "stop"): N_("Signatures arrêtées : l’horloge a sauté"),
    ("signing_clock", "confirm"): N_("Heure du serveur confirmée, signatures reprises"),
    ("secret", "replace"): N_("SCEAU_SECRET remplacé"),
    ("followed_list", "follow"): N_("Liste d’un autre service suivie"),
    ("followed_list", "unfollow"): N_("Liste d’un autre service laissée"),
}
"""Events of the whole service, not of a campus: readable by operators, shown on no campus page."""
TABLES = {
    "repertoire": N_("Tableau des personnes"),
    "attributions": N_("Tableau des attributions"),
    "demandes": N_("Tableau des demandes"),
    "participants": N_("Tableau des participants d’une activité"),
    "refus": N_("Lignes refusées d’une liste"),
    "retraits": N_("Lignes d’un retrait de badges"),
    "parcours": N_("Tableau des personnes d’un parcours"),
    "liens": N_("Liens privés d’une attribution"),
    "historique": N_("Historique du campus"),
    "donnees": N_("Données d’une personne, pour elle"),
}
PROOFS = {
    "link": N_("par lien"),
    "password": N_("par mot de passe"),
    "passkey": N_("par clé d’accès"),
    "oidc": N_("par un autre service"),
}
ACTORS = {
    "sign-in page": N_("Page de connexion"),
    "somebody who asks": N_("Une personne qui demande un badge"),
    "link in a letter": N_("Lien d’un e-mail"),
    "a parent": N_("Un parent"),
    "an organisation": N_("Une organisation"),
    "somebody forgotten": N_("Une personne dont les données sont effacées"),
}
COMMAND, PROGRAM, SERVICE = N_("Commande de l’exploitant"), N_("Un programme"), N_("Le service")


A_PAGE = 50
Before = Annotated[int | None, Query(ge=1, lt=2**63)]
"""The number of the oldest entry of the previous page."""
_BLOCK = 500
_READ = 400
"""Events read for one page of groups."""
_AT_ONCE = timedelta(minutes=1)
router = APIRouter(prefix="/gestion/{slug}/historique")
_AUDIT = [staff(Permission.AUDIT)]
_PLACES = {"award": "attributions", "badge": "badges", "activity": "activites"}
_BAD_DATE = N_("Écrivez les dates ainsi : 2026-11-24.")
_BACKWARDS = N_("Le dernier jour vient avant le premier : échangez les deux dates.")
_FIRST_DAY, _LAST_DAY = date.min, date.max - timedelta(days=1)
"""Beyond these, the previous or next day has no date in some time zone."""


@dataclass(frozen=True)
class EventLine:
    at: datetime
    what: str
    about: str
    href: str
    detail: str
    who: str

    @staticmethod
    def of(event: Event, home: str) -> EventLine:
        entry = event.entry
        place = _PLACES.get(entry.noun, "") if event.subject else ""
        return EventLine(
            entry.at,
            translated(EVENT_LABELS.get((entry.noun, entry.action), OTHER_EVENT)),
            event.subject,
            f"{home}/{place}/{entry.noun_id}" if place else "",
            detail_of(event),
            who_of(event),
        )


def groups_of(events: Sequence[Event], *, is_cut: bool) -> list[list[Event]]:
    """Consecutive events of one kind, by one actor, within a minute: what was done at once.

    `is_cut`: there are older events. The last group may then continue, and is left to the next page.
    """
    groups: list[list[Event]] = []
    for event in events:
        if groups and _are_one(groups[-1][0], event):
            groups[-1].append(event)
        else:
            groups.append([event])
    return groups[:-1] if is_cut and len(groups) > 1 else groups


def _are_one(newest: Event, event: Event) -> bool:
    first, entry = newest.entry, event.entry
    return (first.noun, first.action, first.actor_id, first.actor_label) == (
        entry.noun,
        entry.action,
        entry.actor_id,
        entry.actor_label,
    ) and first.at - entry.at < _AT_ONCE


@dataclass(frozen=True)
class HistoryQuery:
    """The filter as typed."""

    who: str = ""
    what: str = ""
    first: str = ""
    last: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        typed = {"qui": self.who, "quoi": self.what, "du": self.first, "au": self.last}
        return urlencode({name: value for name, value in typed.items() if value})

    def filter(self, campus: Campus) -> Filter:
        """The valid part of the filter; a person unknown here has no events."""
        subject = next((each for each in Subject if each.value == self.what), None)
        first, last = self._day("du", self.first), self._day("au", self.last)
        if first and last and last < first:
            self.errors["au"] = translated(_BACKWARDS)
        return Filter(
            NOUNS_OF[subject] if subject else (),
            _uuid(self.who),
            _beginning(first, campus) if first else None,
            _beginning(last + timedelta(days=1), campus) if last else None,
        )

    def _day(self, name: str, typed: str) -> date | None:
        try:
            day = date.fromisoformat(typed) if typed else None
        except ValueError:
            day = _FIRST_DAY
        if day is None or _FIRST_DAY < day < _LAST_DAY:
            return day
        self.errors[name] = translated(_BAD_DATE)
        return None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return uuid.UUID(int=0)


def _beginning(day: date, campus: Campus) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(campus.time_zone)).astimezone(UTC)


def detail_of(event: Event) -> str:
    """Further details of the entry, as text."""
    facts, parts = event.entry.facts, []
    if event.entry.noun == "membership" and facts.get("role") in list(Role):
        parts.append(translated(ROLES[Role(facts["role"])]))
    if event.entry.noun == "invitation":
        parts += [translated(ROLES[role]) for role in Role if role.value in facts.get("roles", ())]
    if event.entry.noun == "token":
        parts += [translated(SCOPES[scope]) for scope in Scope if scope.value in facts.get("scopes", ())]
    if isinstance(facts.get("number"), int):
        parts.append(translated("version {number}").format(number=facts["number"]))
    parts += _days_of(facts)
    if facts.get("by") in PROOFS:
        parts.append(translated(PROOFS[facts["by"]]))
    if facts.get("table") in TABLES:
        parts.append(translated(TABLES[facts["table"]]))
    return ", ".join(parts)


def _days_of(facts: Mapping[str, Any]) -> list[str]:
    """Of a deleted session or activity: its day, and the day it was moved to."""
    on, to = facts.get("on"), facts.get("to")
    if not isinstance(on, str):
        return []
    first_day = day(date.fromisoformat(on))
    if not isinstance(to, str) or to == on:
        return [first_day]
    return [translated("du {first} au {day}").format(first=first_day, day=day(date.fromisoformat(to)))]


def who_of(event: Event) -> str:
    label = event.entry.actor_label
    if event.actor is not None:
        return event.actor.name
    if label in ACTORS:
        return translated(ACTORS[label])
    if label.startswith("token "):
        return (
            translated("Programme « {label} »").format(label=event.program)
            if event.program
            else translated(PROGRAM)
        )
    return translated(COMMAND if label.startswith("command ") else SERVICE)


@router.get("", dependencies=_AUDIT)
def show_history(
    request: Request,
    services: ReadingServices,
    qui: str = "",
    quoi: str = "",
    du: str = "",
    au: str = "",
    avant: Before = None,
) -> HTMLResponse:
    work, asked = at_work(request), HistoryQuery(qui, quoi, du, au)
    wanted = asked.filter(work.campus)
    found = services.history.page(work.campus, wanted, before=avant, limit=_READ)
    groups, query = groups_of(found[:_READ], is_cut=len(found) > _READ)[:A_PAGE], asked.query
    last = groups[-1][-1] if groups else None
    has_older = last is not None and last is not found[-1]
    older = f"?{query}&avant={last.entry.id}".replace("?&", "?") if last and has_older else ""
    return work.page(
        request,
        "campus/history.html",
        status=status_for(asked.errors),
        zone=work.campus.time_zone,
        asked=asked,
        people=_people(services, work),
        subjects=[("", translated("Tout"))] + [(each.value, translated(SUBJECTS[each])) for each in Subject],
        groups=[[EventLine.of(event, work.home) for event in group] for group in groups],
        is_filtered=bool(query),
        is_first=avant is None,
        first_href=f"?{query}",
        older=older,
        table=f"{work.home}/historique/historique.csv" + (f"?{query}" if query else ""),
    )


@router.get("/historique.csv", dependencies=_AUDIT)
def history_table(request: Request, qui: str = "", quoi: str = "", du: str = "", au: str = "") -> Response:
    work, asked = at_work(request), HistoryQuery(qui, quoi, du, au)
    wanted = asked.filter(work.campus)
    if asked.errors:
        raise InvalidInput(_BACKWARDS if "au" in asked.errors and wanted.until else _BAD_DATE)
    export_noted(request, "historique")

    def rows(services: Services) -> Iterator[Sequence[str]]:
        for event in services.history.all(work.campus, wanted):
            line = EventLine.of(event, work.home)
            when = local(line.at, work.campus.time_zone)
            yield f"{when:%d/%m/%Y}", f"{when:%H:%M:%S}", line.who, line.what, line.about, line.detail

    heading = ("Date", "Heure", "Par", "Action", "Concerne", "Précision")
    return streamed_table(request, "historique", heading, rows)


def _people(services: Services, work: AtWork) -> list[tuple[str, str]]:
    everybody = [("", translated("Tout le monde"))]
    return everybody + [(str(person.id), person.name) for person in services.history.people_of(work.campus)]


def export_noted(request: Request, table: str) -> None:
    """Audit event, committed before the first line is sent: exports of names are always attributable."""
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.history.note_export(work.campus, table, by=work.actor)


def streamed_table(
    request: Request, name: str, heading: Sequence[str], rows: Callable[[Services], Iterable[Sequence[str]]]
) -> Response:
    """A table for a spreadsheet, read in its own transaction, open until everything is sent."""

    def blocks() -> Iterator[bytes]:
        yield csv_for_excel(heading, [])
        with visit(request, reading=True) as services:
            block: list[Sequence[str]] = []
            for row in rows(services):
                block.append(row)
                if len(block) >= _BLOCK:
                    yield lines_for_excel(block)
                    block = []
            yield lines_for_excel(block)

    return StreamingResponse(
        blocks(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )
