"""Access tokens and keys, as an operator makes, lists and ends them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.container import Process
from app.domain.accounts.sessions import Scope
from app.domain.campus.campus import KeyPurpose
from app.domain.people import Role
from app.errors import NotSignedIn
from app.services.accounts.sessions import Browser
from tests.app.cli.conftest import Operator


def create(operator: Operator, label: str, *scopes: str) -> str:
    scoped = [word for scope in scopes for word in ("--scope", scope)]
    made = operator.types("token", "create", "--campus", "itip", "--label", label, *scoped)
    assert made.code == 0, made.err
    return made.out.strip()


def token_id(operator: Operator, label: str) -> str:
    listed = operator.types("token", "list", "--campus", "itip").out.splitlines()
    return next(line.split("\t")[0] for line in listed if line.split("\t")[4] == label)


def test_a_new_token_opens_what_it_was_made_for_and_the_list_keeps_its_secret(
    operator: Operator, demo: Process
) -> None:
    secret = create(operator, "mon programme", "award:create", "read")
    with demo.unit_of_work(reading=True) as services:
        token, campus = services.people.token_campus(secret, "itip", Scope.AWARD_CREATE)
        assert (campus.slug, token.scopes) == ("itip", ["award:create", "read"])
    listed = operator.types("token", "list", "--campus", "itip").out
    assert "mon programme" in listed
    assert secret not in listed


def test_a_revoked_token_opens_nothing(operator: Operator, demo: Process) -> None:
    secret = create(operator, "à retirer", "read")
    identifier = token_id(operator, "à retirer")
    assert operator.types("token", "revoke", identifier, "--campus", "itip").code == 0
    assert operator.types("token", "revoke", identifier, "--campus", "itip").code == 0
    with demo.unit_of_work(reading=True) as services, pytest.raises(NotSignedIn):
        services.people.token_campus(secret, "itip", Scope.READ)


def test_a_token_of_another_campus_cannot_be_revoked(operator: Operator) -> None:
    create(operator, "reste", "read")
    identifier = token_id(operator, "reste")
    refused = operator.types("token", "revoke", identifier, "--campus", "agt")
    assert refused.code == 1
    assert "jeton" in refused.err


def test_unknown_scopes_and_campuses_are_distinguished(operator: Operator) -> None:
    words = ["token", "create", "--label", "x"]
    assert operator.types(*words, "--campus", "itip", "--scope", "everything").code == 3
    assert operator.types(*words, "--campus", "nowhere", "--scope", "read").code == 1


def test_keys_are_listed_without_their_private_part(operator: Operator, demo: Process) -> None:
    listed = operator.types("keys", "list")
    with demo.unit_of_work(reading=True) as services:
        rows = services.campuses.keys()
    assert len(listed.out.splitlines()) == len(rows) == 16
    for key, campus in rows:
        use = {KeyPurpose.CREDENTIAL: "badges", KeyPurpose.ACTIVITY_LOG: "journal"}[key.purpose]
        assert f"{campus.slug}\t{use}\tEdDSA\ten service\t" in listed.out
        assert key.method_id in listed.out
        assert key.sealed.hex() not in listed.out


def test_a_kek_is_made_once_for_its_owner_alone(stranger: Operator, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "kek"
    assert stranger.types("keys", "make-kek", path).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.read_bytes()
    assert stranger.types("keys", "make-kek", path).code == 3
    assert path.read_bytes() == written
    stranger.sets(SCEAU_KEK=f"file:{path}")
    assert stranger.types("migrate").code == 0


@pytest.mark.parametrize(("word", "role"), [("trainer", Role.TRAINER), ("admin", Role.CAMPUS_ADMIN)])
def test_a_demo_link_signs_in_somebody_with_that_role_once(
    operator: Operator, demo: Process, word: str, role: Role
) -> None:
    link = operator.types("demo", "link", "--role", word, "--campus", "ti").out.strip()
    start = demo.addresses.sign_in_link("")
    assert link.startswith(start)
    with demo.unit_of_work() as services:
        session = services.sign_in.by_link(link.removeprefix(start), Browser())
        place = services.people.workplace(services.sessions.signed_in(session.secret), "ti")
    assert place.roles == {role}
    with demo.unit_of_work() as services, pytest.raises(NotSignedIn):
        services.sign_in.by_link(link.removeprefix(start), Browser())


def test_the_loaded_demo_says_what_is_there_and_adds_nothing(operator: Operator) -> None:
    again = operator.types("demo", "load")
    assert again.code == 0
    assert "rien n’a été ajouté" in again.err
    assert [line.split("\t")[0] for line in again.out.splitlines()] == [
        "ae", "agt", "amf", "fb", "itip", "mma", "msi", "ti",
    ]  # fmt: skip


def test_a_changed_secret_stops_every_command_until_it_is_accepted(operator: Operator, demo: Process) -> None:
    own, other = demo.settings.secret, "un-autre-texte-de-plus-de-32-lettres"
    accept = ("keys", "accept-secret", "--reason", "Une copie a été lue.")
    with demo.unit_of_work() as services:
        services.signing_clock.observe()
        services.signing.note_secret(demo.secret)
    operator.sets(SCEAU_SECRET=other)
    refused = operator.types("token", "list", "--campus", "itip")
    assert (refused.code, "accept-secret" in refused.err) == (3, True)
    assert operator.types("doctor").code == 1
    assert operator.types(*accept).code == 0
    again = operator.types(*accept)
    assert (again.code, "n’avait pas changé" in again.err) == (0, True)
    assert operator.types("token", "list", "--campus", "itip").code == 0
    operator.sets(SCEAU_SECRET=own)
    assert operator.types("token", "list", "--campus", "itip").code == 3
    assert operator.types(*accept).code == 0
