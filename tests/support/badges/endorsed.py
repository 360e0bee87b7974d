"""An endorsement by a company and a recommendation by a peer, without the e-mails in between."""

from __future__ import annotations

import uuid

from app.container import Services
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.trust import checked_peer_words
from app.domain.trust.organisations import Endorsement, checked_words
from app.services.awards.awards import AwardRecord
from app.services.trust.endorsement_requests import EndorsementAsked
from app.services.trust.endorsements import EndorsementOutcome

BOSS = "lea.roy@atelier-roy.example"
WORDS = checked_words("Nous embauchons les yeux fermés.\nVraiment.", "cheffe d’atelier", "", shows_name=False)


def endorsed(
    services: Services,
    campus: Campus,
    badge_id: uuid.UUID | None = None,
    *,
    award: AwardRecord | None = None,
) -> Endorsement:
    """The company « Atelier Roy » endorses an award, a badge of the campus, or the campus."""
    subjects, signing = services.endorsement_subjects, services.endorsement_signing
    if award:
        subject = subjects.of_award(award)
    else:
        subject = subjects.of_badge(campus, badge_id) if badge_id else subjects.of_campus(campus)
    asked = services.endorsement_asking.ask(
        subject, EndorsementAsked(BOSS, "Atelier Roy"), refused=False, by=Actor.command("tests")
    )
    return signing.sign(
        signing.token_of(asked.id),
        EndorsementOutcome("Atelier Roy", "https://atelier-roy.example"),
        WORDS,
        language="fr",
    )


def recommended_by_peer(
    services: Services,
    record: AwardRecord,
    address: str = "karim@exemple.fr",
    words: str = "Elle a monté le bras du robot.",
) -> uuid.UUID:
    """A recommendation that the holder of the award has accepted."""
    peers, by = services.peer_recommendations, Actor(record.person.id)
    asked = peers.ask(record, address, "", refused=False, by=by)
    checked = checked_peer_words(words, "Karim, même équipe")
    row = peers.write(peers.write_token(asked.id), checked, language="fr")
    peers.accept(record, row.id, by=by)
    return row.id
