"""Who may use each address, written down a second time: what the routes declare must say the same.

A declaration that opens a door too far is found here, because this table does not read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.domain.access import Scope
from app.domain.permissions import Deed, Role
from app.policies import Policy, Who

# Every role × every deed, by the order of `Deed`: view work award revoke design review manage audit export protect.
GRID = {
    Role.CAMPUS_ADMIN: "x x x x x x x x x -",
    Role.DESIGNER:     "x - - - x - - - - -",
    Role.TRAINER:      "x x x x - - - - - -",
    Role.REVIEWER:     "x - - - - x - - - -",
    Role.AUDITOR:      "x - - - - - - x - -",
    Role.DPO:          "x - - - - - - - x x",
}  # fmt: skip
ROLES_MAY = {
    role: frozenset(deed for deed, mark in zip(Deed, marks.split(), strict=True) if mark == "x")
    for role, marks in GRID.items()
}


@dataclass(frozen=True)
class Case:
    """`good` is the status for whoever may; it shows that the request got past the door, not that all is well in it."""

    policy: Policy
    good: int = 200
    body: Any = None
    """A JSON body, or the fields of a form."""
    uses_up: bool = False
    """It ends or opens sessions: each caller comes with new ones."""
    ends_all: bool = False
    """It ends sessions of other browsers too: each caller is somebody who has no other use."""
    elsewhere: int = 200
    speaks_for_itself: bool = False
    """Its address is the proof, and programs send it without any page of ours."""
    """For somebody signed in who works nowhere."""


def anybody(good: int = 200, body: Any = None, *, uses_up: bool = False) -> Case:
    return Case(Policy(Who.ANYBODY), good, body, uses_up)


def holder(good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.HOLDER), good, body)


def staff(deed: Deed, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.STAFF, deed=deed), good, body)


def scoped(scope: str, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.TOKEN, scope=Scope(scope)), good, body)


def signed_in(good: int = 200, body: Any = None, *, ends_all: bool = False) -> Case:
    return Case(Policy(Who.SIGNED_IN), good, body, uses_up=ends_all, ends_all=ends_all, elsewhere=good)


_SIGNED_IN = signed_in()
_ANYBODY, _HOLDER, _READ, _PREFLIGHT = anybody(), holder(), scoped("read"), anybody(204)
_VIEW, _WORK, _AWARD = staff(Deed.VIEW), staff(Deed.WORK), staff(Deed.AWARD)
_DESIGN, _MANAGE = staff(Deed.DESIGN), staff(Deed.MANAGE)
_WORDING = {
    "kind": "participation",
    "name": "Atelier",
    "description": "Un atelier.",
    "criteria": "A pris part." * 3,
}

CASES: dict[str, Case] = {
    # --- anybody's pages
    "GET /": _ANYBODY,
    "GET /static/{path:path}": _ANYBODY,
    "GET /couleurs/tous.css": _ANYBODY,
    "GET /couleurs/{slug}.css": _ANYBODY,
    "GET /langue/{code}": anybody(303),
    "GET /aide": _ANYBODY,
    "GET /ob2/attributions/{award_id:uuid}": _ANYBODY,
    "GET /preuves/{award_id:uuid}": _ANYBODY,
    "GET /preuves/{award_id:uuid}/montrees": _ANYBODY,
    "GET /contextes/preuves-v1.jsonld": _ANYBODY,
    "GET /schemas/preuves-v1.json": _ANYBODY,
    "OPTIONS /preuves/{award_id:uuid}": _PREFLIGHT,
    "OPTIONS /preuves/{award_id:uuid}/montrees": _PREFLIGHT,
    "OPTIONS /contextes/preuves-v1.jsonld": _PREFLIGHT,
    "OPTIONS /schemas/preuves-v1.json": _PREFLIGHT,
    "GET /ob2/attributions/{award_id:uuid}.png": _ANYBODY,
    "GET /ob2/badges/{badge_id:uuid}/v{number}": _ANYBODY,
    "GET /ob2/campus/{slug}": _ANYBODY,
    "GET /donnees-personnelles": _ANYBODY,
    "GET /accessibilite": _ANYBODY,
    "GET /mentions-legales": _ANYBODY,
    "GET /verifier": _ANYBODY,
    "POST /verifier": anybody(422, body={}),
    # --- signing in and out
    "GET /connexion": Case(Policy(Who.GUEST)),
    "POST /connexion": anybody(body={"adresse": "personne@exemple.fr"}),
    "POST /connexion/mot-de-passe": anybody(
        401, body={"adresse": "personne@exemple.fr", "mot-de-passe": "inventé"}
    ),
    "POST /connexion/code": anybody(401, body={"code": "ABCD-EFGH"}),
    "POST /connexion/cle/question": anybody(body={}),
    "POST /connexion/cle": anybody(401, body={"reponse": "{}"}),
    "GET /connexion/{secret}": anybody(401),
    "POST /connexion/{secret}": anybody(401, body={}),
    "POST /deconnexion": anybody(303, body={}, uses_up=True),
    "GET /invitation/{invitation}": anybody(404),
    "POST /invitation/{invitation}": anybody(404, body={}),
    # --- a phone in a room
    "GET /presence": _ANYBODY,
    "GET /presence/{code}": anybody(404),
    "POST /presence": anybody(409, body={}),
    # --- one's own ways in
    "GET /compte": _SIGNED_IN,
    "GET /compte/mot-de-passe": _SIGNED_IN,
    "POST /compte/mot-de-passe": signed_in(422, body={"mot-de-passe": "court"}),
    "POST /compte/mot-de-passe/retirer": signed_in(303, body={}),
    "POST /compte/cles/question": signed_in(body={}),
    "POST /compte/cles": signed_in(422, body={"nom": "Téléphone", "reponse": "{}"}),
    "POST /compte/cles/{passkey_id:uuid}/nom": signed_in(404, body={"nom": "Autre"}),
    "POST /compte/cles/{passkey_id:uuid}/retirer": signed_in(404, body={}),
    "POST /compte/sessions/{session_id:uuid}/fermer": signed_in(404, body={}),
    "POST /compte/sessions/fermer-les-autres": signed_in(303, body={}, ends_all=True),
    "POST /compte/sessions/fermer-partout": signed_in(303, body={}, ends_all=True),
    "GET /confirmer": _SIGNED_IN,
    "POST /confirmer/cle/question": signed_in(body={}),
    "POST /confirmer/cle": signed_in(403, body={"reponse": "{}"}),
    "POST /confirmer/mot-de-passe": signed_in(403, body={"mot-de-passe": "inventé"}),
    "POST /confirmer/lien": signed_in(body={}),
    "POST /confirmer/reprendre": signed_in(303, body={}),
    # --- the learner's
    "GET /recevoir/{token}": anybody(303, uses_up=True),
    "GET /attributions/{award_id:uuid}/carte.png": _ANYBODY,
    "GET /attributions/{award_id:uuid}/integrer": _ANYBODY,
    "GET /oembed": anybody(404),
    "POST /verifier/trace": anybody(303, body={}),
    "GET /attributions/{award_id:uuid}/personne": _ANYBODY,
    "POST /attributions/{award_id:uuid}/personne/adresse": anybody(200, body={"adresse": "a@exemple.fr"}),
    "POST /attributions/{award_id:uuid}/personne/code": anybody(200, body={}),
    "POST /attributions/{award_id:uuid}/personne/lu": anybody(422, body={"demande": "x", "chiffres": "1"}),
    "GET /attributions/{award_id:uuid}/campus": _ANYBODY,
    "POST /attributions/{award_id:uuid}/campus": anybody(422, body={"adresse": "a@exemple.fr"}),
    "GET /verifier/integrer": _ANYBODY,
    "GET /v/{signs}": anybody(303),
    "GET /mes-badges": _ANYBODY,
    "GET /badges/{badge_id:uuid}/demande": _ANYBODY,
    "POST /badges/{badge_id:uuid}/demande": anybody(422, body={}),
    "GET /demandes/{demande}": _ANYBODY,
    "POST /demandes/{demande}/confirmer": anybody(303, body={}),
    "POST /demandes/{demande}/completer": anybody(422, body={}),
    "POST /demandes/{demande}/retirer": anybody(303, body={}),
    "GET /recuperer": _ANYBODY,
    "POST /recuperer": anybody(422, body={"code": "trop court"}),
    "GET /rappels/{wish}": _ANYBODY,
    "POST /rappels/{wish}": Case(Policy(Who.ANYBODY), 204, {}, speaks_for_itself=True),
    "POST /rappels/{wish}/choix": anybody(303, body={"rappels": "oui"}),
    "POST /mes-badges/quitter": anybody(303, body={}, uses_up=True),
    "GET /mes-badges/{award_id:uuid}": _HOLDER,
    "GET /mes-badges/{award_id:uuid}/badge.{form}": _HOLDER,
    "GET /mes-badges/{award_id:uuid}/code.{form}": _HOLDER,
    "GET /mes-badges/{award_id:uuid}/journal": _HOLDER,
    "GET /mes-badges/{award_id:uuid}/journal/mon-journal.json": _HOLDER,
    "GET /mes-badges/{award_id:uuid}/journal/mon-journal.pdf": _HOLDER,
    "POST /mes-badges/{award_id:uuid}/journal/montrer": holder(303, body={}),
    "POST /mes-badges/{award_id:uuid}/journal/contester": holder(422, body={"ligne": "2", "texte": ""}),
    "GET /gestion/{slug}/activites/{activity_id}/journal": _VIEW,
    "GET /gestion/{slug}/activites/{activity_id}/journal/suivi": _VIEW,
    "POST /gestion/{slug}/activites/{activity_id}/journal/contestations/{dispute_id}": staff(
        Deed.WORK, 422, body={}
    ),
    "POST /mes-badges/{award_id:uuid}/visibilite": holder(303, body={"vue": "ouvert"}),
    "POST /mes-badges/{award_id:uuid}/recevoir": holder(303, body={}),
    "POST /mes-badges/{award_id:uuid}/nom": holder(303, body={"nom": "oui"}),
    # --- the learner's portfolio
    "GET /mes-badges/portfolio": Case(Policy(Who.ANYBODY)),
    "POST /mes-badges/portfolio": anybody(303, body={}),
    "GET /mes-badges/portfolio/{portfolio_id:uuid}": _HOLDER,
    "POST /mes-badges/portfolio/{portfolio_id:uuid}": holder(303, body={"recherche": "oui"}),
    "POST /mes-badges/portfolio/{portfolio_id:uuid}/visibilite": holder(303, body={"vue": "ouvert"}),
    "POST /mes-badges/portfolio/{portfolio_id:uuid}/badges": holder(303, body={}),
    "POST /mes-badges/portfolio/{portfolio_id:uuid}/groupes": holder(422, body={"titre": ""}),
    "GET /mes-badges/portfolio/{portfolio_id:uuid}/apercu": _HOLDER,
    "GET /mes-badges/portfolio/{portfolio_id:uuid}/code.{form}": _HOLDER,
    "GET /portfolio/{portfolio_id:uuid}": _ANYBODY,
    "GET /portfolio/{portfolio_id:uuid}/carte.png": _ANYBODY,
    "GET /portfolio/{portfolio_id:uuid}/integrer": _ANYBODY,
    # --- a campus's people
    "GET /gestion": Case(Policy(Who.SIGNED_IN), 303),
    "GET /gestion/{slug}": _VIEW,
    "GET /gestion/{slug}/badges": _VIEW,
    "GET /gestion/{slug}/badges/badges.csv": _VIEW,
    "GET /gestion/{slug}/badges/nouveau": _DESIGN,
    "POST /gestion/{slug}/badges/nouveau": staff(Deed.DESIGN, 422, body={}),
    "POST /gestion/{slug}/badges/apercu": staff(Deed.DESIGN, body={}),
    "GET /gestion/{slug}/badges/{badge_id:uuid}": _VIEW,
    "GET /gestion/{slug}/badges/{badge_id:uuid}/differences": _VIEW,
    "GET /gestion/{slug}/badges/{badge_id:uuid}/modifier": _DESIGN,
    "POST /gestion/{slug}/badges/{badge_id:uuid}/modifier": staff(Deed.DESIGN, 422, body={}),
    "POST /gestion/{slug}/badges/{badge_id:uuid}/ouvrir": staff(Deed.DESIGN, 303, body={}),
    "POST /gestion/{slug}/badges/{badge_id:uuid}/archiver": staff(Deed.DESIGN, 303, body={}),
    "POST /gestion/{slug}/badges/{badge_id:uuid}/reprendre": staff(Deed.DESIGN, 303, body={}),
    "GET /gestion/{slug}/badges/{badge_id:uuid}/formateurs": _DESIGN,
    "POST /gestion/{slug}/badges/{badge_id:uuid}/formateurs": staff(Deed.DESIGN, 422, body={}),
    "GET /gestion/{slug}/competences": _VIEW,
    "GET /gestion/{slug}/competences/competences.csv": _VIEW,
    "GET /gestion/{slug}/competences/nouvelle": _DESIGN,
    "POST /gestion/{slug}/competences/nouvelle": staff(Deed.DESIGN, 422, body={}),
    "GET /gestion/{slug}/competences/importer": _DESIGN,
    "POST /gestion/{slug}/competences/importer": staff(Deed.DESIGN, 422, body={}),
    "GET /gestion/{slug}/competences/{competency_id:uuid}": _DESIGN,
    "POST /gestion/{slug}/competences/{competency_id:uuid}": staff(Deed.DESIGN, 422, body={}),
    "POST /gestion/{slug}/competences/{competency_id:uuid}/archiver": staff(Deed.DESIGN, 303, body={}),
    "POST /gestion/{slug}/competences/{competency_id:uuid}/reprendre": staff(Deed.DESIGN, 303, body={}),
    "GET /gestion/{slug}/recherche": _VIEW,
    "POST /gestion/{slug}/recherche": staff(Deed.VIEW, 303, body={"mots": "zoé"}),
    "GET /gestion/{slug}/repertoire": _VIEW,
    "GET /gestion/{slug}/repertoire/{person_id:uuid}": _VIEW,
    "GET /gestion/{slug}/repertoire/repertoire.csv": staff(Deed.EXPORT),
    "GET /gestion/{slug}/attributions/attributions.csv": staff(Deed.EXPORT),
    "GET /gestion/{slug}/equipe": _MANAGE,
    "POST /gestion/{slug}/equipe/invitations": staff(Deed.MANAGE, 422, body={}),
    "POST /gestion/{slug}/equipe/invitations/{invitation_id:uuid}/renvoyer": staff(Deed.MANAGE, 303, body={}),
    "POST /gestion/{slug}/equipe/invitations/{invitation_id:uuid}/retirer": staff(Deed.MANAGE, 303, body={}),
    "GET /gestion/{slug}/equipe/{member_id:uuid}": _MANAGE,
    "POST /gestion/{slug}/equipe/{member_id:uuid}": staff(Deed.MANAGE, 422, body={}),
    "POST /gestion/{slug}/equipe/{member_id:uuid}/badges": staff(Deed.MANAGE, 303, body={}),
    "POST /gestion/{slug}/equipe/{member_id:uuid}/cles/retirer": staff(Deed.MANAGE, 409, body={}),
    "POST /gestion/{slug}/equipe/{member_id:uuid}/retirer": staff(Deed.MANAGE, 422, body={}),
    "GET /gestion/{slug}/reglages": _MANAGE,
    "POST /gestion/{slug}/reglages": staff(Deed.MANAGE, 422, body={}),
    "GET /gestion/{slug}/jetons": _MANAGE,
    "POST /gestion/{slug}/jetons": staff(Deed.MANAGE, 422, body={}),
    "POST /gestion/{slug}/jetons/{token_id:uuid}/retirer": staff(Deed.MANAGE, 303, body={}),
    "GET /gestion/{slug}/historique": staff(Deed.AUDIT),
    "GET /gestion/{slug}/historique/historique.csv": staff(Deed.AUDIT),
    "GET /gestion/{slug}/activites": _VIEW,
    "GET /gestion/{slug}/activites/nouvelle": _WORK,
    "POST /gestion/{slug}/activites/nouvelle": staff(Deed.WORK, 422, body={}),
    "GET /gestion/{slug}/activites/{activity_id}": _VIEW,
    "GET /gestion/{slug}/activites/{activity_id}/modifier": _WORK,
    "POST /gestion/{slug}/activites/{activity_id}/modifier": staff(Deed.WORK, 422, body={}),
    "POST /gestion/{slug}/activites/{activity_id}/dupliquer": staff(Deed.WORK, 303, body={}),
    "POST /gestion/{slug}/activites/{activity_id}/invitation": staff(Deed.MANAGE, 409, body={}),
    "POST /gestion/{slug}/activites/{activity_id}/participants": staff(Deed.WORK, 422, body={}),
    "GET /gestion/{slug}/activites/{activity_id}/participants/{participation_id}": _WORK,
    "POST /gestion/{slug}/activites/{activity_id}/participants/{participation_id}": staff(
        Deed.WORK, 422, body={"heures": "beaucoup"}
    ),
    "GET /gestion/{slug}/activites/{activity_id}/seances/{session_id}": _WORK,
    "POST /gestion/{slug}/activites/{activity_id}/seances/{session_id}": staff(Deed.WORK, 303, body={}),
    "GET /gestion/{slug}/activites/{activity_id}/connues": _WORK,
    "POST /gestion/{slug}/activites/{activity_id}/connues": staff(Deed.WORK, body={}),
    "GET /gestion/{slug}/activites/{activity_id}/salle": _WORK,
    "GET /gestion/{slug}/activites/{activity_id}/salle/ecran": _WORK,
    "GET /gestion/{slug}/activites/{activity_id}/salle/suivi": _WORK,
    "POST /gestion/{slug}/activites/{activity_id}/salle": staff(Deed.WORK, 303, body={"geste": "fermer"}),
    "POST /gestion/{slug}/activites/{activity_id}/salle/pointage": staff(Deed.WORK, 303, body={}),
    "GET /gestion/{slug}/activites/{activity_id}/remise": _AWARD,
    "POST /gestion/{slug}/activites/{activity_id}/bulletins": staff(Deed.AWARD, body={}),
    "GET /gestion/{slug}/activites/{activity_id}/projection": _AWARD,
    "GET /gestion/{slug}/activites/{activity_id}/projection/ecran": _AWARD,
    "GET /gestion/{slug}/demandes": staff(Deed.REVIEW),
    "GET /gestion/{slug}/demandes/{request_id:uuid}": staff(Deed.REVIEW),
    "GET /gestion/{slug}/demandes/{request_id:uuid}/pieces/{file_id:uuid}": staff(Deed.REVIEW),
    "GET /gestion/{slug}/demandes/{request_id:uuid}/pieces/{file_id:uuid}/apercu": staff(Deed.REVIEW),
    "POST /gestion/{slug}/demandes/{request_id:uuid}/accepter": staff(Deed.REVIEW, 422, body={}),
    "POST /gestion/{slug}/demandes/{request_id:uuid}/demander": staff(Deed.REVIEW, 422, body={}),
    "POST /gestion/{slug}/demandes/{request_id:uuid}/refuser": staff(Deed.REVIEW, 422, body={}),
    "GET /gestion/{slug}/lettres": _AWARD,
    "GET /gestion/{slug}/rappels": staff(Deed.MANAGE),
    "POST /gestion/{slug}/rappels": staff(Deed.MANAGE, 303, body={"rappels": "oui"}),
    "GET /gestion/{slug}/attributions/{award_id}/remise": _AWARD,
    "POST /gestion/{slug}/attributions/{award_id}/lettre": staff(Deed.AWARD, 422, body={"adresse": "pas une"}),
    "POST /gestion/{slug}/attributions/{award_id}/lien": staff(Deed.AWARD, 422, body={}),
    "POST /gestion/{slug}/attributions/{award_id}/code": staff(Deed.AWARD, body={}),
    "POST /gestion/{slug}/attributions/{award_id}/bulletin": staff(Deed.AWARD, 409, body={}),
    "GET /gestion/{slug}/activites/{activity_id}/attribuer": _AWARD,
    "POST /gestion/{slug}/activites/{activity_id}/attribuer": staff(Deed.AWARD, 422, body={}),
    "GET /gestion/{slug}/resultats/{batch_id}": _AWARD,
    "GET /gestion/{slug}/resultats/{batch_id}/avancement": _AWARD,
    "POST /gestion/{slug}/resultats/{batch_id}/annuler": staff(Deed.AWARD, 409, {}),
    "POST /gestion/{slug}/resultats/{batch_id}/remettre": staff(Deed.AWARD, 303, {}),
    "GET /gestion/{slug}/resultats/{batch_id}/refus.csv": _AWARD,
    "GET /gestion/{slug}/resultats/{batch_id}/liens.csv": _AWARD,
    "GET /gestion/{slug}/attributions": _VIEW,
    "GET /gestion/{slug}/attributions/{award_id}": _VIEW,
    "GET /gestion/{slug}/attributions/{award_id}/retirer": staff(Deed.REVOKE),
    "POST /gestion/{slug}/attributions/{award_id}/retirer": staff(Deed.REVOKE, 422, body={}),
    "GET /gestion/{slug}/retraits/nouveau": staff(Deed.REVOKE),
    "POST /gestion/{slug}/retraits/nouveau": staff(Deed.REVOKE, 422, body={}),
    "GET /gestion/{slug}/retraits/{withdrawal_id:uuid}": staff(Deed.REVOKE),
    "GET /gestion/{slug}/retraits/{withdrawal_id:uuid}/avancement": staff(Deed.REVOKE),
    "GET /gestion/{slug}/retraits/{withdrawal_id:uuid}/lignes.csv": staff(Deed.REVOKE),
    "GET /campus/{slug}/journal": _ANYBODY,
    "GET /gestion/{slug}/audit/journal": staff(Deed.AUDIT),
    "POST /gestion/{slug}/audit/journal": staff(Deed.AUDIT, 303, body={}),
    # --- what the world reads
    "GET /attributions/{award_id:uuid}": _ANYBODY,
    "GET /attributions/{award_id:uuid}.{extension}": _ANYBODY,
    "GET /badges/{badge_id:uuid}": _ANYBODY,
    "GET /badges/{badge_id:uuid}/v{number}": _ANYBODY,
    "GET /badges/{badge_id:uuid}/v{number}/image.{form}": _ANYBODY,
    "GET /campus/{slug}": _ANYBODY,
    "GET /campus/{slug}/did.json": _ANYBODY,
    "GET /campus/{slug}/journal/{file:path}": _ANYBODY,
    "OPTIONS /campus/{slug}/journal/{file:path}": _PREFLIGHT,
    "GET /statuts/{list_id:uuid}": _ANYBODY,
    "GET /.well-known/did.json": _ANYBODY,
    "GET /.well-known/jwks.json": _ANYBODY,
    "OPTIONS /attributions/{award_id:uuid}": _PREFLIGHT,
    "OPTIONS /attributions/{award_id:uuid}.{extension}": _PREFLIGHT,
    "OPTIONS /badges/{badge_id:uuid}": _PREFLIGHT,
    "OPTIONS /badges/{badge_id:uuid}/v{number}": _PREFLIGHT,
    "OPTIONS /campus/{slug}": _PREFLIGHT,
    "OPTIONS /campus/{slug}/did.json": _PREFLIGHT,
    "OPTIONS /statuts/{list_id:uuid}": _PREFLIGHT,
    "OPTIONS /.well-known/did.json": _PREFLIGHT,
    "OPTIONS /.well-known/jwks.json": _PREFLIGHT,
    # By the operator's token, which nobody here shows.
    "GET /metrics": Case(Policy(Who.OPERATOR), 404),
    "GET /exploitation": Case(Policy(Who.OPERATOR)),
    "POST /exploitation/campus": Case(Policy(Who.OPERATOR), 422, {}),
    "POST /exploitation/campus/{slug}/inviter": Case(Policy(Who.OPERATOR), 422, {}),
    "POST /exploitation/campus/{slug}/reprendre": Case(Policy(Who.OPERATOR), 303, {}),
    "POST /exploitation/campus/{slug}/suspendre": Case(Policy(Who.OPERATOR), 422, {}),
    "GET /health/live": _ANYBODY,
    "GET /health/ready": _ANYBODY,
    # --- programs
    "GET /api/v1/openapi.json": _ANYBODY,
    "POST /api/v1/verify": anybody(body={"not": "a badge"}),
    "POST /api/v1/campuses/{slug}/log/cosignatures": anybody(422, body={}),
    "GET /api/v1/campuses/{slug}/competencies": _READ,
    "GET /api/v1/campuses/{slug}/competencies/{competency_id}": _READ,
    "POST /api/v1/campuses/{slug}/competencies": scoped("badge:write", 422, {}),
    "GET /api/v1/campuses/{slug}/badges": _READ,
    "GET /api/v1/campuses/{slug}/badges/{badge_id}": _READ,
    "POST /api/v1/campuses/{slug}/badges": scoped("badge:write", 422, {}),
    "POST /api/v1/campuses/{slug}/badges/{badge_id}/versions": scoped("badge:write", 201, _WORDING),
    "GET /api/v1/campuses/{slug}/activities": _READ,
    "GET /api/v1/campuses/{slug}/activities/{activity_id}": _READ,
    "POST /api/v1/campuses/{slug}/activities": scoped("activity:write", 422, {}),
    "GET /api/v1/campuses/{slug}/activities/{activity_id}/participations": _READ,
    "POST /api/v1/campuses/{slug}/activities/{activity_id}/participations": scoped(
        "activity:write", 200, [{"family_name": "Petit"}]
    ),
    "POST /api/v1/campuses/{slug}/awards": scoped("award:create", 422, {}),
    "GET /api/v1/campuses/{slug}/awards": _READ,
    "GET /api/v1/campuses/{slug}/awards/{award_id}": _READ,
    "POST /api/v1/campuses/{slug}/awards/{award_id}/revocation": scoped(
        "award:revoke", 200, {"reason": "Attribué par erreur."}
    ),
}  # fmt: skip
