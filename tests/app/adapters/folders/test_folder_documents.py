"""Documents in a folder are found by path or by id, and never outside the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.adapters.folders.recovery_files import FolderDocuments
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.keys import encode_base64url

DID_URL = "https://badges.example/campus/itip/did.json"
LIST_URL = "https://badges.example/statuts/1"


def keep(path: Path, document: dict[str, Any]) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (DID_URL, "badges.example/campus/itip/did.json"),
        (LIST_URL, "badges.example/statuts/1"),
        ("https://localhost:8000/statuts/1", "localhost:8000/statuts/1"),
        ("https://localhost:8000/statuts/1", "localhost_8000/statuts/1"),
    ],
)
def test_a_document_is_found_at_the_path_of_its_url(tmp_path: Path, url: str, place: str) -> None:
    body = keep(tmp_path / place, {"anything": True})
    assert FolderDocuments(tmp_path).fetch(url).body == body


@pytest.mark.parametrize(
    ("url", "identifier"),
    [
        (DID_URL, "did:web:badges.example:campus:itip"),
        (LIST_URL, LIST_URL),
        (f"{LIST_URL}?page=2", f"{LIST_URL}?page=2"),
    ],
)
def test_a_document_of_any_name_is_found_by_its_own_id(tmp_path: Path, url: str, identifier: str) -> None:
    body = keep(tmp_path / "deep" / "some name.json", {"id": identifier})
    assert FolderDocuments(tmp_path).fetch(url).body == body


def test_a_signed_list_in_compact_form_is_found_by_the_id_inside(tmp_path: Path) -> None:
    parts = [encode_base64url(json.dumps(part).encode()) for part in ({"alg": "EdDSA"}, {"id": LIST_URL})]
    (tmp_path / "list.jwt").write_text(".".join((*parts, "AAAA")) + "\n")
    assert FolderDocuments(tmp_path).fetch(LIST_URL).body.startswith(parts[0].encode())


def test_the_path_takes_precedence_over_an_id(tmp_path: Path) -> None:
    keep(tmp_path / "aaa.json", {"id": LIST_URL, "by": "id"})
    placed = keep(tmp_path / "badges.example/statuts/1", {"by": "place"})
    assert FolderDocuments(tmp_path).fetch(LIST_URL).body == placed


@pytest.mark.parametrize(
    "url",
    [
        "https://badges.example/../secret.json",
        "https://badges.example/%2e%2e/%2e%2e/secret.json",
        "https://../secret.json",
        "https://badges.example//secret.json",
        "file:///etc/passwd",
        "secret.json",
    ],
)
def test_no_url_reaches_outside_the_folder(tmp_path: Path, url: str) -> None:
    keep(tmp_path / "secret.json", {"secret": True})
    (folder := tmp_path / "folder").mkdir()
    with pytest.raises(DocumentUnavailable):
        FolderDocuments(folder).fetch(url)


def test_a_link_in_the_folder_to_a_file_elsewhere_is_not_followed(tmp_path: Path) -> None:
    keep(tmp_path / "secret.json", {"secret": True})
    (folder := tmp_path / "folder" / "badges.example").mkdir(parents=True)
    (folder / "1").symlink_to(tmp_path / "secret.json")
    with pytest.raises(DocumentUnavailable):
        FolderDocuments(tmp_path / "folder").fetch("https://badges.example/1")


def test_other_files_in_the_folder_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"id": ')
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "odd.json").write_text('{"id": "did:web:10.0.0.1"}')
    body = keep(tmp_path / "zzz.json", {"id": LIST_URL})
    documents = FolderDocuments(tmp_path)
    assert documents.fetch(LIST_URL).body == body
    with pytest.raises(DocumentUnavailable):
        documents.fetch(DID_URL)


def test_a_too_large_document_is_not_read(tmp_path: Path) -> None:
    place = tmp_path / "badges.example" / "statuts" / "1"
    place.parent.mkdir(parents=True)
    place.write_bytes(b" " * (2 * 1024 * 1024 + 1))
    with pytest.raises(DocumentUnavailable) as refused:
        FolderDocuments(tmp_path).fetch(LIST_URL)
    assert refused.value.reason == "too_large"
