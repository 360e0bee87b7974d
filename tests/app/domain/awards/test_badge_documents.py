"""A batch's documents are what each credential would be written as, byte for byte."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import timedelta

import pytest

from app.domain.awards import Award
from app.domain.awards.open_badges import BadgeDocuments, credential_of, profile_of
from app.domain.core import as_signed, new_row
from app.services.awards.award_issuer import _achievement_in
from sceau_credentials.model import BitstringStatusListEntry
from sceau_credentials.status_list import status_entry
from sceau_credentials.values import dump_json
from tests.support.app import NOON, App

STATUS = "http://localhost:8000/statuts/1"


@pytest.mark.parametrize("in_an_activity", [True, False])
def test_documents_of_a_batch_are_those_of_each_credential(app: App, in_an_activity: bool) -> None:
    app.award("HADDAD;Yasmine;yasmine@exemple.fr")  # which freezes the definition
    with app.unit_of_work(reading=True) as services:
        version = services.badges.badges.current_version(app.presence.badge.id)
        given = {
            "achievement": _achievement_in(version),
            "issuer": profile_of(app.campus, services.addresses),
            "campus": app.campus,
            "version": version,
            "activity": app.activity if in_an_activity else None,
            "addresses": services.addresses,
        }
        documents = BadgeDocuments(**given)
        for number, award in enumerate(_awards(app)):
            entry = status_entry(STATUS, number)
            written = credential_of(award, **given, status=BitstringStatusListEntry.from_document(entry))
            assert dump_json(documents.document_of(award, entry)) == dump_json(written.to_document())


def _awards(app: App) -> list[Award]:
    differences = [
        {"holder_name": "Zoé Martin"},
        {"holder_name": "Ana\u0301 \u200bPetit"},
        {"holder_name": None},
        {"part": "resource"},
        {"hours": 2.5, "contribution": "A tenu le stand."},
        {"hours": 2.5, "contribution": "A tenu la caisse."},
        {"evidence": "Observé sur trois pièces."},
        {"valid_until": NOON + timedelta(days=30)},
        {"awarded_at": NOON + timedelta(seconds=1)},
    ]
    return [
        new_row(
            Award,
            **{
                "campus_id": app.campus.id,
                "badge_id": app.presence.badge.id,
                "version_id": uuid.uuid4(),
                "person_id": uuid.uuid4(),
                "awarded_at": NOON,
                "part": "learner",
                "holder_name": "Éric Martin",
                **difference,
            },
        )
        for difference in [*differences, *differences]
    ]


def test_a_row_made_quickly_is_the_row_its_class_makes(app: App) -> None:
    given = {
        "campus_id": app.campus.id,
        "badge_id": uuid.uuid4(),
        "version_id": uuid.uuid4(),
        "person_id": uuid.uuid4(),
        "awarded_at": NOON,
        "id": uuid.uuid4(),
        "subject_id": uuid.uuid4(),
    }
    assert new_row(Award, **given).model_dump() == Award(**given).model_dump()


def test_what_is_signed_of_a_text_is_what_one_sees_of_it_composed() -> None:
    for number in range(0x3000):
        sign = chr(number)
        seen = [
            each
            for each in unicodedata.normalize("NFC", sign)
            if each in "\n\t\r\u200c\u200d" or unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Cn")
        ]
        assert as_signed(sign) == "".join(seen), hex(number)
