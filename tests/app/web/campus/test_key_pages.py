"""A campus's keys in its settings: each states its purpose, and one of them is retired with a reason."""

from __future__ import annotations

import uuid

from fastapi.testclient import TestClient

from app.domain.campus.campus import KeyPurpose, KeyState, SealedKey
from tests.support.app import App, send


def keys(app: App, purpose: KeyPurpose) -> list[SealedKey]:
    with app.unit_of_work(reading=True) as services:
        return [each for each in services.campuses.keys_of(app.campus) if each.purpose is purpose]


def retiring(key_id: uuid.UUID) -> str:
    return f"/gestion/itip/cles/{key_id}/retirer"


def test_settings_distinguish_the_log_key_from_badge_keys_and_the_dashboard_shows_none(app: App):
    app.award("MARTIN Zoé; zoe@exemple.fr")
    admin = app.client(app.admin)
    assert "did:web" not in admin.get("/gestion/itip").text
    desk = admin.get("/gestion/itip/reglages").text
    assert "Clé des badges" in desk
    assert "Clé du journal d’activité" in desk
    (badges,), (log,), shown_in_part = (keys(app, purpose) for purpose in KeyPurpose)
    assert shown_in_part == [], "a campus switches it on"
    assert retiring(badges.id) in desk
    assert retiring(log.id) in desk


def test_a_key_is_retired_with_a_reason_and_the_next_is_in_service(app: App):
    admin: TestClient = app.client(app.admin)
    (key,) = keys(app, KeyPurpose.CREDENTIAL)
    page = retiring(key.id)
    assert send(admin, page, {"cause": "relais", "motif": ""}).status_code == 422
    assert send(admin, page, {"cause": "volee", "motif": "Sauvegarde perdue."}).status_code == 422
    done = send(admin, page, {"cause": "relais", "motif": "Le relais de chaque année."})
    assert done.status_code == 303, done.text
    states = [each.state for each in keys(app, KeyPurpose.CREDENTIAL)]
    assert sorted(states) == [KeyState.ACTIVE, KeyState.VERIFY_ONLY]


def test_a_stolen_key_is_reported_since_when(app: App):
    admin = app.client(app.admin)
    (key,) = keys(app, KeyPurpose.CREDENTIAL)
    app.clock.move(days=1)
    admin = app.client(app.admin)
    typed = {"cause": "volee", "depuis": "2026-11-24T18:30", "motif": "Sauvegarde perdue."}
    for first in ("0001-01-01T00:00", "hier"):
        assert send(admin, retiring(key.id), typed | {"depuis": first}).status_code == 422
    assert send(admin, retiring(key.id), typed).status_code == 303
    revoked = next(each for each in keys(app, KeyPurpose.CREDENTIAL) if each.id == key.id)
    assert revoked.state is KeyState.REVOKED
    assert revoked.revoked_at is not None
    assert revoked.revoked_at.isoformat() == "2026-11-24T17:30:00+00:00"


def test_the_key_of_the_log_gives_way_and_the_public_page_names_both(app: App):
    app.award("MARTIN Zoé; zoe@exemple.fr")
    with app.unit_of_work() as services:
        services.activity_log.checkpoint(app.campus)
    (log,) = keys(app, KeyPurpose.ACTIVITY_LOG)
    admin = app.client(app.admin)
    assert "Retirer la clé du journal" in admin.get(retiring(log.id)).text
    assert send(admin, retiring(log.id), {"cause": "relais", "motif": "Chaque année."}).status_code == 303
    again = admin.get(retiring(log.id))
    assert again.status_code == 200, "it may still be found stolen"
    assert "prend le relais" not in again.text
    page = app.client().get("/campus/itip/journal").text
    assert "Clé précédente" in page
    assert "Tout ce qu’elle a signé compte toujours" in page
    app.clock.move(days=1)
    typed = {"cause": "volee", "depuis": "2026-11-24T18:30", "motif": "Sauvegarde perdue."}
    assert send(app.client(app.admin), retiring(log.id), typed).status_code == 303
    assert app.client(app.admin).get(retiring(log.id)).status_code == 409
    assert "Volée depuis le" in app.client().get("/campus/itip/journal").text
