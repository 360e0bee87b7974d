"""`sceau network`, `sceau trust` and `sceau verify --trust-list`: registers without a browser."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

from app.container import Process
from tests.app.cli.conftest import Operator

NETWORK = "bourgogne-franche-comte"


def test_a_register_is_written_suspended_labelled_and_carried_over(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    new = "did:web:campus.exemple.fr"
    assert operator.types("network", "recognise", NETWORK, new, "--name", "Campus d’essai").code == 0
    given = operator.types(
        "network", "label", NETWORK, new, "--category", "standard", "--since", "2026-01-01", "--until", "2030-12-31"
    )  # fmt: skip
    assert given.code == 0, given.err
    label_id = given.out.strip().rpartition("/")[2]
    assert operator.types("network", "suspend", NETWORK, "mma", "--reason", "Visite.").code == 0
    shown = operator.types("network", "show", NETWORK).out
    assert f"{new}\treconnu\tCampus d’essai" in shown
    assert ":mma\tsuspendu\t" in shown
    assert label_id in shown
    (file := tmp_path / "registre.json").write_text(operator.types("network", "export", NETWORK).out)
    assert operator.types("network", "create", "copie", "--name", "Copie").code == 0
    assert operator.types("network", "import", "copie", file).code == 0
    again = operator.types("network", "import", "copie", file)
    assert again.code == 0, again.err
    assert operator.types("network", "export", "copie").out == file.read_text()
    with demo.unit_of_work(reading=True) as services:
        edition = services.register.page("copie").edition
    assert operator.types("network", "import", "copie", file).code == 0
    with demo.unit_of_work(reading=True) as services:
        after = services.register.page("copie").edition
    assert edition is not None
    assert after is not None
    assert after.sequence == edition.sequence, "read again it changes nothing"
    assert operator.types("network", "withdraw-label", label_id).code == 0
    assert operator.types("network", "resume", NETWORK, "mma").code == 0
    assert operator.types("network", "end", NETWORK, new).code == 0
    (file := tmp_path / "faux.json").write_text('{"campuses": [{"name": "Sans émetteur"}]}')
    refused = operator.types("network", "import", "copie", file)
    assert (refused.code, "campuses.0.issuer" in refused.err) == (1, True)


def test_a_list_kept_as_a_file_says_who_the_issuer_is(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    with demo.unit_of_work(reading=True) as services:
        without_keys = services.network_documents.trust_list(NETWORK).body
        campus = services.campuses.get("itip")
        keys = [each.method_id.partition("#")[2] for each in services.campuses.keys_of(campus)]
    with_keys = (part for key in keys for part in ("--key", key))
    assert operator.types("network", "recognise", NETWORK, "itip", *with_keys).code == 0
    with demo.unit_of_work(reading=True) as services:
        page = services.register.page(NETWORK)
        body = services.network_documents.trust_list(NETWORK).body
        award_id = services.awards.awards.open_ids(
            services.campuses.get("itip").id, after=uuid.UUID(int=0), limit=1
        )[0]
        badge = services.verification.package_of(services.awards.record(award_id)).body
    (kept := tmp_path / "liste.json").write_bytes(body)
    (package := tmp_path / "badge.zip").write_bytes(badge)
    asked = ("verify", "--offline", "--trust-list", kept)
    result = operator.types(*asked, "--network-key", page.key, package)
    assert "Reconnu par « Réseau des campus de Bourgogne-Franche-Comté »" in result.out, result.err
    found = json.loads(operator.types(*asked, "--network-key", page.key, "--json", package).out)
    assert found["issuerStanding"]["kind"] == "recognised"
    assert operator.types(*asked, package).code == 3
    kept.write_bytes(without_keys)
    unknown = operator.types(*asked, "--network-key", page.key, package)
    assert (unknown.code, "rien n’authentifie ce paquet" in unknown.out) == (2, True)
    forged = body.replace(b'"standing":"recognised"', b'"standing":"suspended"', 1)
    kept.write_bytes(forged)
    refused = operator.types(*asked, "--network-key", page.key, package)
    assert (refused.code, "pas signée par la clé" in refused.err) == (3, True)


def test_a_list_that_does_not_answer_is_followed_all_the_same(operator: Operator, demo: Process) -> None:
    url = "https://reseau.exemple.invalid/campus-reconnus.json"
    with demo.unit_of_work(reading=True) as services:
        key = services.register.page(NETWORK).key
    operator.sets(SCEAU_FETCH="off")
    followed = operator.types("trust", "follow", url, "--key", key)
    assert (followed.code, "n’a pas pu être lue" in followed.err) == (2, True)
    assert operator.types("trust", "list").out.startswith(url)
    assert operator.types("trust", "refresh").code == 2
    assert operator.types("trust", "unfollow", url).code == 0
    assert operator.types("trust", "list").out == ""


def test_the_key_of_a_network_gives_way_and_both_are_listed(operator: Operator):
    old = operator.types("network", "keys", NETWORK).out.strip().split("\t")
    rotated = operator.types("network", "rotate-key", NETWORK, "--reason", "Le relais de chaque année.")
    assert rotated.code == 0, rotated.err
    assert "Pendant 90 jours" in " ".join(rotated.err.split())
    rows = operator.types("network", "keys", NETWORK).out.splitlines()
    assert len(rows) == 2
    assert rotated.out.strip() in rows[1]
    assert "a cédé sa place" in rows[0]
    assert old[-1] in rows[0]
    stolen = operator.types(
        "network", "rotate-key", NETWORK, "--reason", "Sauvegarde perdue.",
        "--key", old[-1], "--stolen-since", datetime.now(UTC).isoformat(),
    )  # fmt: skip
    assert stolen.code == 0, stolen.err
    assert "volée depuis" in operator.types("network", "keys", NETWORK).out
    assert operator.types("organisation", "keys", "nulle-part.example").code == 1
