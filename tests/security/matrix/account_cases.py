"""The part of the table of policies that is about one's own account, and about the records of people in a campus."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from tests.security.matrix.cases import Case, anybody, holder, signed_in, staff

ACCOUNT_CASES: dict[str, Case] = {
    "GET /compte": signed_in(),
    "GET /compte/adresses": signed_in(),
    "POST /compte/adresses": signed_in(303, body={"adresse": "autre@exemple.fr"}),
    "POST /compte/adresses/principale": signed_in(404, body={"adresse": "inconnue@exemple.fr"}),
    "POST /compte/adresses/retirer": signed_in(404, body={"adresse": "inconnue@exemple.fr"}),
    "POST /compte/adresses/{challenge_id:uuid}/abandonner": signed_in(303, body={}),
    "POST /compte/adresses/{challenge_id:uuid}/code": signed_in(422, body={"code": "ABCD-EFGH"}),
    "GET /compte/adresses/confirmer/{preuve}": anybody(404),
    "POST /compte/adresses/confirmer/{preuve}": signed_in(404, body={}),
    "POST /mes-badges/{award_id:uuid}/adresse": holder(404, body={"adresse": "inconnue@exemple.fr"}),
    "GET /compte/nom": signed_in(),
    "POST /compte/nom": signed_in(422, body={"prenom": "", "nom": ""}),
    "GET /compte/reunir": signed_in(),
    "POST /compte/reunir/{other_id:uuid}": signed_in(404, body={}),
    "POST /compte/reunir/{merge_id:uuid}/defaire": signed_in(404, body={}),
    "GET /compte/mot-de-passe": signed_in(),
    "POST /compte/mot-de-passe": signed_in(422, body={"mot-de-passe": "court"}),
    "POST /compte/liens": signed_in(303, body={"liens": "acceptes"}),
    "POST /compte/mot-de-passe/retirer": signed_in(303, body={}),
    "POST /compte/cles/question": signed_in(body={}),
    "POST /compte/cles": signed_in(422, body={"nom": "Téléphone", "reponse": "{}"}),
    "POST /compte/cles/{passkey_id:uuid}/nom": signed_in(404, body={"nom": "Autre"}),
    "POST /compte/cles/{passkey_id:uuid}/retirer": signed_in(404, body={}),
    "POST /compte/cours/{account_id:uuid}/delier": signed_in(404, body={}),
    "POST /compte/sessions/{session_id:uuid}/fermer": signed_in(404, body={}),
    "POST /compte/sessions/fermer-les-autres": signed_in(303, body={}, ends_all=True),
    "POST /compte/sessions/fermer-partout": signed_in(303, body={}, ends_all=True),
    "GET /mes-badges/retrouver": anybody(),
    "POST /mes-badges/retrouver": anybody(body={"adresse": "personne@exemple.fr"}),
    "GET /gestion/{slug}/repertoire/noms": staff(Permission.CORRECT),
    "POST /gestion/{slug}/repertoire/noms/{wish_id:uuid}": staff(Permission.CORRECT, 404, body={}),
    "GET /gestion/{slug}/repertoire/{person_id:uuid}/corriger": staff(Permission.CORRECT),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/corriger": staff(
        Permission.CORRECT, 422, body={"prenom": "", "nom": ""}
    ),
    "GET /gestion/{slug}/repertoire/participants/{activity_id}/{person_id:uuid}": staff(Permission.WORK),
    "POST /gestion/{slug}/repertoire/participants/{activity_id}/{person_id:uuid}": staff(
        Permission.WORK, 422, body={"prenom": "", "nom": ""}
    ),
    "GET /gestion/{slug}/repertoire/{person_id:uuid}/reunir": staff(Permission.CORRECT),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/reunir": staff(Permission.CORRECT, 422, body={}),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/reunir/{merge_id:uuid}/defaire": staff(
        Permission.CORRECT, 422, body={}
    ),
}
