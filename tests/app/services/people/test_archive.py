"""« Mes données »: one file with all data of a person; the table definitions list what it must contain."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

from app.db.engine.row_level_security import METADATA
from app.domain.people.personal_data import HELD
from sceau_credentials.keys import encode_base64url
from tests.support.app import App
from tests.support.content.somebody import fill, forms_of, mark_of

ZOE, LEO = "Martin Zoé;zoe@exemple.fr", "N’Diaye Léo;leo@exemple.fr"


def archive(app: App, person_id: uuid.UUID) -> dict[str, bytes]:
    with app.unit_of_work(reading=True) as services:
        made = services.archive.make(person_id).body
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_archive_contains_all_data_except_other_people_and_secrets(app: App) -> None:
    """Reads the table definitions: a new table is tested as soon as it is registered."""
    person_id, made = fill(app)
    whole = b"\n".join(archive(app, person_id).values())
    missing, betrayed = [], []
    for name, row in made.items():
        held = HELD[name]
        for column in METADATA.tables[name].columns:
            mark = mark_of(column).encode()
            if mark not in str(row[column.name]).encode():
                continue
            # Short binary values are encoded in base64url.
            found = mark in whole or encode_base64url(mark).encode() in whole
            if column.name in held.kept_back:
                betrayed += [column] if found else []
            elif not found:
                missing.append(f"{name}.{column.name}")
    assert missing == []
    assert betrayed == []
    assert not any(form in whole for form in forms_of(app.trainer.id))


def test_archive_has_files_of_badges_pictures_and_proofs_and_two_readmes(app: App) -> None:
    award_id = app.award(ZOE, LEO).lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        person_id = services.awards.record(award_id).person.id
        signed = services.awards.awards.document_of(award_id).embedded
    found = archive(app, person_id)
    assert found[f"badges/{award_id}.json"] == signed
    assert found[f"badges/{award_id}.png"].startswith(b"\x89PNG")
    assert len([name for name in found if name.endswith(".tlog-proof")]) == 2
    assert len(json.loads(found["journal/journal.json"])["lines"]) == 2
    assert "Industrie Technologique" in found["LISEZMOI.txt"].decode()
    assert "who other people are" in found["README.txt"].decode()
    assert not any("Léo".encode() in content for content in found.values())
