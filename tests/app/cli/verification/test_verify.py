"""`sceau verify`: one readable answer for each source, and an exit code that scripts can trust."""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter
from sqlalchemy import make_url

from app.container import Process, Services
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRecord
from sceau_credentials.verification.report import CheckId
from tests.app.cli.conftest import Operator
from tests.sceau_credentials.baking.pictures import itxt, png
from tests.support.demo import state_of

FORMS = ("json", "jwt", "png", "svg")


@dataclass(frozen=True)
class Files:
    """Badges of the demo as files, and all that is needed to check them without the service."""

    folder: Path
    open_link: str
    closed_link: str
    list_path: str

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


def newest(services: Services, state: str, visibility: Visibility = Visibility.OPEN) -> AwardRecord:
    return next(
        record
        for campus in services.campuses.list_all()
        for record in services.awards.list_in(campus, limit=1000)
        if record.award.visibility is visibility and state_of(services, record) == state
    )


@pytest.fixture(scope="module")
def files(demo: Process, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("badges")
    with demo.unit_of_work(reading=True) as services:
        for state in ("valid", "revoked", "expired"):
            record = newest(services, state)
            for form in FORMS:
                (folder / f"{state}.{form}").write_bytes(services.publication.award_file(record, form).body)
        valid, closed = newest(services, "valid"), newest(services, "valid", Visibility.CLOSED)
        list_url = json.loads((folder / "valid.json").read_bytes())["credentialStatus"][
            "statusListCredential"
        ]
        documents = services.verification.documents
        slug = valid.campus.slug
        host = services.addresses.host
        for path in (f"campus/{slug}/did.json", list_url.split(f"{host}/")[1]):
            place = folder / "documents" / host / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(documents.fetch(f"https://{host}/{path}").body)
        links = services.addresses.award(valid.award.id), services.addresses.award(closed.award.id)
    altered = (folder / "valid.json").read_text().replace('"fr"', '"en"', 1)
    (folder / "altered.json").write_text(altered)
    return Files(folder, *links, list_path=f"{host}/{list_url.split(f'{host}/')[1]}")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("state", "code", "words"),
    [("valid", 0, "Authentique"), ("revoked", 1, "Retiré"), ("expired", 1, "expiré")],
)
def test_a_file_of_any_form_is_answered_in_words(
    operator: Operator, files: Files, state: str, code: int, words: str, form: str
) -> None:
    answer = operator.types("verify", files[f"{state}.{form}"])
    assert answer.code == code, answer.out
    assert words in answer.out
    assert answer.out.startswith(str(files[f"{state}.{form}"]))


def test_an_altered_badge_is_not_authentic(operator: Operator, files: Files) -> None:
    answer = operator.types("verify", files["altered.json"])
    assert answer.code == 1
    assert "modifié" in answer.out


def test_offline_is_the_honest_third_answer(operator: Operator, files: Files) -> None:
    answer = operator.types("verify", "--offline", files["valid.json"])
    assert answer.code == 2
    assert "Non vérifiable" in answer.out


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("valid.json", "valid.png"), 0),
        (("valid.json", "text.txt"), 2),
        (("text.txt", "revoked.jwt", "valid.json"), 1),
        (("revoked.jwt", "absent.json", "valid.json"), 3),
    ],
)
def test_of_several_sources_the_gravest_decides_and_all_are_answered(
    operator: Operator, files: Files, names: tuple[str, ...], code: int
) -> None:
    files["text.txt"].write_text("Bonjour")
    answer = operator.types("verify", *(files[name] for name in names))
    assert answer.code == code
    for name in names:
        assert name in answer.out + answer.err


def test_a_link_to_an_open_badge_is_checked_and_a_closed_one_says_only_that_it_is_closed(
    operator: Operator, files: Files
) -> None:
    assert operator.types("verify", files.open_link).code == 0
    closed = operator.types("verify", "--json", files.closed_link)
    assert closed.code == 2
    result = json.loads(closed.out)
    assert result["checks"] == []
    assert "document" not in result


def test_a_link_elsewhere_is_not_followed(operator: Operator) -> None:
    assert operator.types("verify", "https://badges.exemple.org/attributions/1").code == 2


def test_a_file_with_an_address_is_answered_with_that_address(operator: Operator, tmp_path: Path) -> None:
    address = "https://badges.exemple.org/attributions/1"
    held = tmp_path / "adresse"
    for content in (f"{address}\n".encode(), png(itxt(b"openbadgecredential", address.encode()))):
        held.write_bytes(content)
        answer = operator.types("verify", "--offline", str(held))
        assert f"Nous n’avons pas demandé {address} :" in " ".join(answer.out.split())
        assert answer.code == 2


def test_the_json_report_has_every_check_with_its_sentence(operator: Operator, files: Files) -> None:
    answer = operator.types(
        "verify", "--json", files["valid.jwt"], files["absent.json"], files["revoked.svg"]
    )
    valid, absent, revoked = map(json.loads, answer.out.splitlines())
    assert [check["id"] for check in valid["checks"]] == [each.value for each in CheckId]
    assert all(check["message"] and check["outcome"] for check in valid["checks"])
    assert (valid["verdict"], valid["form"], valid["container"]) == ("valid", "vc_jwt", "jwt")
    assert valid["document"]["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert (absent["verdict"], bool(absent["error"])) == (None, True)
    assert (revoked["verdict"], revoked["container"]) == ("invalid", "svg")


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_of_documents_takes_the_place_of_the_service(
    stranger: Operator, files: Files, form: str
) -> None:
    answer = stranger.types("verify", "--documents", files["documents"], files[f"valid.{form}"])
    assert answer.code == 0, answer.out


def test_without_its_status_list_the_folder_leaves_the_question_open(
    stranger: Operator, files: Files, tmp_path: Path
) -> None:
    for path in files["documents"].rglob("did.json"):
        (tmp_path / "renamed.json").write_bytes(path.read_bytes())
    answer = stranger.types("verify", "--json", "--documents", tmp_path, files["valid.json"])
    assert answer.code == 2
    outcomes = {check["id"]: check["outcome"] for check in json.loads(answer.out)["checks"]}
    assert (outcomes["key"], outcomes["status"]) == ("passed", "unknown")


def test_another_moment_may_give_another_answer(operator: Operator, files: Files) -> None:
    before = operator.types("verify", "--json", "--at", "2020-01-01", files["valid.json"])
    assert (before.code, json.loads(before.out)["at"]) == (1, "2020-01-01T00:00:00Z")
    later = operator.types("verify", "--json", "--at", "2040-01-01T00:00:00+01:00", files["valid.json"])
    assert later.code != 0
    assert json.loads(later.out)["at"] == "2039-12-31T23:00:00Z"


def test_another_moment_of_a_link_in_a_file_is_asked_of_its_badge(
    operator: Operator, files: Files, tmp_path: Path
) -> None:
    (tmp_path / "lien.txt").write_text(files.open_link)
    for source in (files.open_link, tmp_path / "lien.txt"):
        answer = operator.types("verify", "--json", "--at", "2020-01-01", source)
        assert (answer.code, json.loads(answer.out)["at"]) == (1, "2020-01-01T00:00:00Z"), source


def _another_valid(services: Services, files: Files) -> AwardRecord:
    """An open award whose files no other test reads: it is signed again."""
    return next(
        record
        for campus in services.campuses.list_all()
        for record in services.awards.list_in(campus, limit=1000)
        if record.award.visibility is Visibility.OPEN
        and state_of(services, record) == "valid"
        and services.addresses.award(record.award.id) != files.open_link
    )


def test_another_moment_within_a_suspension_finds_an_earlier_edition_suspended(
    operator: Operator, files: Files, demo: Process, tmp_path: Path
) -> None:
    with demo.unit_of_work(reading=True) as services:
        record = _another_valid(services, files)
        earlier = {form: services.publication.award_file(record, form).body for form in FORMS}
        now = services.clock()
    at, until = now + timedelta(days=1), now + timedelta(days=3)
    with demo.unit_of_work() as services:
        services.suspensions.suspend(
            record.campus, record.award.id, "Vérification", until=until, by=Actor(label="tests")
        )
    try:
        for form, body in earlier.items():
            (tmp_path / f"earlier.{form}").write_bytes(body)
            answer = operator.types("verify", "--json", "--at", at.isoformat(), tmp_path / f"earlier.{form}")
            report = json.loads(answer.out)
            statuses = [each["reason"] for each in report["checks"] if each["id"] == "status"]
            assert (answer.code, statuses, report["container"]) == (1, ["suspended"], form)
    finally:
        with demo.unit_of_work() as services:
            services.suspensions.lift(record.campus, record.award.id, by=Actor(label="tests"))


def test_a_copy_older_than_what_was_published_calls_no_badge_valid(
    stranger: Operator, files: Files, demo: Process, tmp_path: Path
) -> None:
    """A suspension that the copy lacks stands in no list that an earlier edition names."""
    folder = Path(str(make_url(demo.settings.database_url).database))
    with closing(sqlite3.connect(folder)) as source, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        source.backup(copy)
    with demo.unit_of_work() as services:
        record = _another_valid(services, files)
        link, until = services.addresses.award(record.award.id), services.clock() + timedelta(days=3)
        for form in ("json", "jwt", "png"):
            (tmp_path / f"earlier.{form}").write_bytes(services.publication.award_file(record, form).body)
        services.suspensions.suspend(
            record.campus, record.award.id, "Vérification", until=until, by=Actor(label="tests")
        )
    try:
        stranger.works_with(
            demo.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'copy'}"})
        )
        sources = [*(tmp_path / f"earlier.{form}" for form in ("json", "jwt", "png")), link]
        for source in sources:
            answer = stranger.types("verify", source, source)
            assert (answer.code, "Authentique" in answer.out) == (2, False), (source, answer)
            assert answer.err.count("sauvegarde") == 2
    finally:
        with demo.unit_of_work() as services:
            services.suspensions.lift(record.campus, record.award.id, by=Actor(label="tests"))


def test_a_pasted_token_is_no_file_and_stops_nothing(operator: Operator, files: Files) -> None:
    token = files["valid.jwt"].read_text()
    answer = operator.types("verify", token, files["valid.json"])
    assert (answer.code, "Authentique" in answer.out) == (3, True)


def test_a_reader_who_leaves_is_no_fault_of_a_badge(
    operator: Operator, files: Files, monkeypatch: Any
) -> None:
    def left(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    told: list[str] = []
    for stream in ("stdout", "stderr"):  # which are wrapped where a pipe broke
        monkeypatch.setattr(sys, stream, getattr(sys, stream))
    monkeypatch.setattr("app.cli.verify._print_json", left)
    monkeypatch.setattr("app.cli.verify._LOGGER.exception", lambda *words: told.append(words[0]))
    operator.types("verify", "--json", files["valid.json"])
    assert told == []


def test_asking_about_another_moment_leaves_the_published_list_as_it_is(
    operator: Operator, files: Files, demo: Process
) -> None:
    def published() -> bytes:
        with demo.unit_of_work(reading=True) as services:
            return services.verification.documents.fetch(f"https://{files.list_path}").body

    before = published()
    operator.types("verify", "--at", "2040-01-01", files["valid.json"])
    operator.types("verify", "--at", "2040-01-01", files.open_link)
    assert published() == before


@pytest.mark.parametrize(
    "words", [["--at", "yesterday"], ["--documents", "nowhere"], ["--offlin"]], ids=" ".join
)
def test_a_malformed_question_ends_with_3(operator: Operator, files: Files, words: list[str]) -> None:
    assert operator.types("verify", *words, files["valid.json"]).code == 3


def test_where_there_is_no_database_none_is_made(stranger: Operator, files: Files, tmp_path: Path) -> None:
    answer = stranger.types("verify", files["valid.json"])
    assert answer.code == 2
    assert list(tmp_path.iterdir()) == []


def test_standard_input_may_be_a_picture(
    operator: Operator, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    with files["valid.png"].open("rb") as picture:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(picture, encoding="utf-8"))
        operator.sets(SCEAU_LOCALE="en")
        done = operator.types("verify", "--documents", files["documents"], "-")
    assert done.code == 0, done.out + done.err
    assert done.out.startswith("-: ")


DOCUMENTS = {
    "recommandations": "Recommandation ou label : en règle",
    "labels": "Recommandation ou label : en règle",
    "campus-reconnus": "Liste de campus reconnus : en règle",
    "statuts": "Liste des retraits : en règle",
    "did.json": "Document de clés : en règle",
    "jwks.json": "Jeu de clés (JWKS) : en règle",
}


@pytest.fixture(scope="module")
def known(demo: Process, files: Files) -> dict[str, str]:
    """Where the demo signs or publishes something besides badges, as people write addresses: without a scheme."""
    with demo.unit_of_work(reading=True) as services:
        host = services.addresses.host
        campuses = services.campuses.list_all()
        endorsement = next(each for campus in campuses for each in services.endorsements.readable_in(campus))
        label = next(
            each.label
            for campus in campuses
            for each in services.labels.of_issuer(campus.did)
            if each.label.withdrawn_at is None and each.label.embedded
        )
        network = next(each for each in services.register.networks() if each.id == label.network_id)
    return {
        "recommandations": f"{host}/recommandations/{endorsement.id}",
        "labels": f"{host}/labels/{label.id}",
        "campus-reconnus": f"{host}/reseau/{network.slug}/campus-reconnus.json",
        "statuts": files.list_path,
        "did.json": f"{host}/campus/{campuses[0].slug}/did.json",
        "jwks.json": f"{host}/.well-known/jwks.json",
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_address_of_another_document_of_this_service_is_answered(
    operator: Operator, known: dict[str, str], name: str
) -> None:
    answer = operator.types("verify", known[name])
    assert (answer.code, DOCUMENTS[name] in answer.out) == (0, True), answer.out
    result = json.loads(operator.types("verify", "--json", f"http://{known[name]}").out)
    assert (result["verdict"], result["other"]["outcome"]) == ("valid", "passed")


def test_a_short_code_a_portfolio_and_a_did_are_answered_by_what_they_lead_to(
    operator: Operator, demo: Process
) -> None:
    with demo.unit_of_work(reading=True) as services:
        record = newest(services, "valid")
        short = services.addresses.short_in_print(record.award.id)
        did = record.campus.did
    code = short.rpartition("/")[2]
    for source in (short, code):
        result = json.loads(operator.types("verify", "--json", source).out)
        assert (result["verdict"], result["document"]["id"]) == ("valid", result["source"])
    assert json.loads(operator.types("verify", "--json", did).out)["other"]["kind"] == "key_document"


def test_a_pdf_that_only_holds_a_badge_is_not_verified_as_a_page(
    operator: Operator, stranger: Operator, files: Files, tmp_path: Path
) -> None:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_attachment("badge.json", files["valid.json"].read_bytes())
    body = BytesIO()
    writer.write(body)
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(body.getvalue())
    for answer in (
        stranger.types("verify", "--json", "--documents", files["documents"], paper),
        operator.types("verify", "--json", paper),
    ):
        result = json.loads(answer.out)
        assert (answer.code, result["verdict"], result["leadsTo"]["kind"]) == (2, "undetermined", "attached")
        assert result["leadsTo"]["badgeVerdict"] == "valid"
    assert "Ce badge ne nomme personne" in operator.types("verify", paper).out


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_picture_of_ours_is_known_where_the_service_is_and_a_changed_one_nowhere(
    operator: Operator, stranger: Operator, files: Files, form: str
) -> None:
    def asked(who: Operator, *words: str | Path) -> dict[str, Any]:
        return json.loads(who.types("verify", "--json", *words).out)

    assert "leadsTo" not in asked(operator, files[f"valid.{form}"])
    result = asked(stranger, "--documents", files["documents"], files[f"valid.{form}"])
    assert (result["verdict"], result["leadsTo"]["kind"]) == ("valid", "picture")
