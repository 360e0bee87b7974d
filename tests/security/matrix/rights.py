"""The same table for what people may ask of the data about them."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from tests.security.matrix.cases import Case, anybody, holder, staff

RIGHTS: dict[str, Case] = {
    "GET /mes-badges/{award_id:uuid}/mes-donnees": holder(),
    "GET /mes-badges/{award_id:uuid}/effacement": holder(),
    "POST /mes-badges/{award_id:uuid}/effacement": holder(422, body={}),
    "POST /mes-badges/{award_id:uuid}/mes-donnees": holder(200, body={}),
    "POST /mes-badges/{award_id:uuid}/mes-donnees/emargement": holder(303, body={}),
    "POST /mes-badges/{award_id:uuid}/mes-donnees/competences": holder(303, body={}),
    "GET /archive/{token}": anybody(401),
    "POST /archive/{token}": anybody(401, body={}),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/donnees.zip": staff(Permission.PROTECT, body={}),
    "POST /mes-badges/{award_id:uuid}/parent": holder(422, body={"parent": "pas une"}),
    "GET /parent/{token}": anybody(404),
    "GET /parent/{token}/page": anybody(404),
    "POST /parent/{token}": anybody(404, body={"reponse": "oui"}),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/age": staff(Permission.WORK, 303, body={"age": "plus"}),
    "POST /gestion/{slug}/activites/{activity_id:uuid}/ages": staff(
        Permission.WORK, 303, body={"age": "plus"}
    ),
    "GET /effacement/{token}": anybody(401),
    "POST /effacement/{token}": anybody(401, body={}),
    "GET /effacements/{erasure_id:uuid}": anybody(404),
    "GET /effacements/{erasure_id:uuid}/preuve.{form}": anybody(404),
    "GET /gestion/{slug}/donnees": staff(Permission.PROTECT),
    "GET /gestion/{slug}/repertoire/{person_id:uuid}/effacer": staff(Permission.PROTECT),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/effacer": staff(Permission.PROTECT, 422, body={}),
}
