"""jsonld.js in its safe mode, which refuses whatever a reader of linked data would lose, reads all that we publish."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.domain.awards import Visibility
from app.domain.awards.open_badges import CONTEXT_PATH
from app.domain.trust import TRUST_CONTEXT_PATH
from sceau_credentials import values
from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.dids import did_web_document_url
from tests.interop.node_peer import NodePeer
from tests.support.app import COMMAND, App
from tests.support.badges.endorsed import endorsed
from tests.support.content import networks

pytestmark = pytest.mark.node


def published(app: App) -> dict[str, bytes]:
    """One document of each kind, by its kind."""
    award_id = app.award("Zoé N’Diaye; zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        network = networks.network_of(services, app.campus)
        label = networks.label(services, network, app.campus, date(2026, 11, 1), date(2027, 11, 1))
        endorsement = endorsed(services, app.campus, award=services.awards.record(award_id))
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        own = services.verification.documents
        base = services.addresses.base_url

        def at(path: str) -> bytes:
            return own.fetch(base + path).body

        campus, badge, number = record.campus.slug, record.badge.id, record.version.number
        award = services.publication.award_file(record, "json").body
        status = json.loads(award)["credentialStatus"]["statusListCredential"]
        signed = services.endorsements.document(endorsement.id, "json").body
        theirs = json.loads(signed)
        return {
            "award": award,
            "status list": at(urlsplit(status).path),
            "definition": services.publication.definition(badge, number)[1].body,
            "campus profile": services.publication.profile(campus).body,
            "campus keys": at(f"/campus/{campus}/did.json"),
            "network keys": at(f"/reseau/{network.slug}/did.json"),
            "trust list": at(f"/reseau/{network.slug}/campus-reconnus.json"),
            "label": at(f"/labels/{label.id}"),
            "label status list": at(f"/reseau/{network.slug}/statuts"),
            "endorsement": signed,
            "endorser keys": own.fetch(_keys_of(theirs["issuer"]["id"])).body,
            "endorsement status list": own.fetch(theirs["credentialStatus"]["statusListCredential"]).body,
            "evidence": at(f"/preuves/{award_id}"),
            "2.0 assertion": at(f"/ob2/attributions/{award_id}"),
            "2.0 badge class": at(f"/ob2/badges/{badge}/v{number}"),
            "2.0 issuer": at(f"/ob2/campus/{campus}"),
        }


def _keys_of(did: str) -> str:
    return did_web_document_url(did)


def with_own_contexts(node: NodePeer, document: dict[str, Any]) -> None:
    """Our own two contexts, under whatever host this service has."""
    named = document.get("@context")
    for url in named if isinstance(named, list) else [named]:
        for path, package in ((CONTEXT_PATH, "evidence"), (TRUST_CONTEXT_PATH, "trust")):
            if isinstance(url, str) and url.endswith(path):
                file = files(f"sceau_credentials.{package}") / path.rpartition("/")[2]
                node.call("documents", held={url: json.loads(file.read_bytes())})


def test_safe_mode_loses_nothing_of_what_is_published(node: NodePeer, app: App) -> None:
    documents = published(app)
    for kind, body in documents.items():
        document = json.loads(body)
        with_own_contexts(node, document)
        quads = node.call("canonize", document=document)
        assert quads, kind
        contexts = document["@context"]
        if isinstance(contexts, list) and values.allowed_context_array(contexts):
            assert canonical_nquads(document) == quads, kind


def test_period_of_a_label_in_a_trust_list_is_read_as_linked_data(node: NodePeer, app: App) -> None:
    document = json.loads(published(app)["trust list"])
    with_own_contexts(node, document)
    labels = document["credentialSubject"]["issuers"][0]["labels"]
    assert labels[0]["validFrom"]
    quads = node.call("canonize", document=document)
    starts = f'<{labels[0]["id"]}> <https://www.w3.org/2018/credentials#validFrom> "{labels[0]["validFrom"]}"'
    assert starts in quads
