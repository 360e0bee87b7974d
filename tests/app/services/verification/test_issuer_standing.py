"""The standing of an issuer: the register first, then its own statement; an unknown issuer is not an invalid one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.language import known_locales, speaking
from app.services.verification.answers import Answer, IssuerStanding, StandingKind, standing_in, trusting
from app.services.verification.verdicts import HeadlineKind, headline, label_listed, standing_message
from app.services.verification.verdicts.headlines import kind_of
from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.trust import Entry, GivenLabel, Likeness, Standing, TrustList
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.report import Report, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.credentials import DID, NOON, Campus, badge_document

CAMPUS = Campus()
NAME = "École des Trois-Rivières"
K = StandingKind


def report(**issuer: str) -> Report:
    document = badge_document()
    document["issuer"] |= issuer
    signed = add_proof(document, signer=CAMPUS.signer, created=NOON)
    return verify(json.dumps(signed), documents=CAMPUS.documents(at=NOON), at=NOON)


def listed(*entries: Entry, days: float = 7, network: str = "Réseau BFC") -> TrustList:
    return TrustList(
        "https://reseau.example/liste", "did:web:reseau.example", network, 1,
        NOON - timedelta(days=1), NOON + timedelta(days=days), entries,
    )  # fmt: skip


ENTRY = Entry(DID, "Industrie Technologique", labels=(GivenLabel("https://l.example", "excellence"),))
OTHER = Entry("did:web:autre.example", "Forêt-Bois")


def standing(*lists: TrustList, **issuer: str) -> IssuerStanding:
    return standing_in(lists, report(**issuer))


@pytest.mark.parametrize(
    ("lists", "kind"),
    [
        ([listed(ENTRY)], K.RECOGNISED),
        ([listed(OTHER), listed(ENTRY)], K.RECOGNISED),
        ([listed(replace(ENTRY, standing=Standing.SUSPENDED, until=NOON))], K.SUSPENDED),
        ([listed(replace(ENTRY, standing=Standing.ENDED, until=NOON))], K.ENDED),
        ([listed(replace(ENTRY, standing=Standing.ENDED, until=NOON)), listed(ENTRY)], K.RECOGNISED),
        ([listed(replace(ENTRY, keys=("une-autre",)))], K.OTHER_KEY),
        ([listed(ENTRY, days=0)], K.LIST_EXPIRED),
        ([listed(OTHER)], K.SELF_DECLARED),
    ],
)
def test_standing_comes_from_the_register_first(lists: list[TrustList], kind: StandingKind):
    assert standing(*lists).kind is kind


def test_a_pinned_key_is_recognised_by_its_thumbprint():
    pinned = replace(ENTRY, keys=(CAMPUS.signer.key.public.thumbprint(),))
    assert standing(listed(pinned)).kind is K.RECOGNISED


def test_name_in_the_register_is_shown_and_not_that_of_the_issuer():
    found = standing(listed(ENTRY), name="Ministère de tout")
    assert found.known_as == "Industrie Technologique"
    assert "Ministère" not in standing_message(found).sentence.text()


def test_unknown_issuer_is_reported_and_the_badge_stays_valid():
    checked = report()
    found = standing_in([listed(OTHER)], checked)
    result = standing_message(found)
    assert checked.verdict is Verdict.VALID
    assert result.state == "unk"
    assert result.sentence.text() == f"Se présente comme « {NAME} » ; non vérifié."
    assert result.warning is None
    assert headline(Answer(checked, standing=found)).state == "unk"


@pytest.mark.parametrize(
    ("name", "known", "likeness"),
    [
        ("Foret Bois", OTHER, Likeness.NAME),
        ("Fоrêt-Воіѕ", OTHER, Likeness.NAME),
        ("Tout autre nom", Entry("did:web:badge5.example", "Ailleurs"), Likeness.HOST),
    ],
)
def test_misleading_name_or_address_is_reported_with_both_addresses(
    name: str, known: Entry, likeness: Likeness
):
    found = standing(listed(known), name=name)
    result = standing_message(found)
    assert found.alike is not None
    assert found.alike.likeness is likeness
    assert result.warning is not None
    assert result.advice is not None
    assert result.warning.text().startswith("Attention : ")
    assert "badges.example/campus/itip" in result.warning.text()
    assert known.id.removeprefix("did:web:") in result.advice.text()


def test_two_recognised_campuses_of_one_name_cause_no_warning():
    twin = Entry("did:web:badges.example:campus:autre", NAME)
    assert standing(listed(ENTRY, twin)).alike is None
    assert standing(listed(twin), listed(ENTRY)).alike is None


def test_recognised_key_without_an_address_is_a_known_issuer():
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    issuer = did_key(key.public)
    campus = Campus()
    document: dict[str, Any] = badge_document()
    document["issuer"] |= {"id": issuer}
    document.pop("credentialStatus", None)
    signer = replace(campus.signer, verification_method=f"{issuer}#{issuer[8:]}", key=key)
    presented = json.dumps(add_proof(document, signer=signer, created=NOON))
    lists = [listed(Entry(issuer, "Un campus sans site"))]
    kinds = []
    for policy in (Policy(), trusting(Policy(), lists, at=NOON)):
        checked = verify(presented, documents=CAMPUS.documents(at=NOON), at=NOON, policy=policy)
        kinds.append(kind_of(Answer(checked)))
    assert kinds == [HeadlineKind.UNKNOWN_ISSUER, HeadlineKind.VALID_ELSEWHERE]
    stale = trusting(Policy(), [listed(*lists[0].entries, days=0)], at=NOON)
    assert stale.trusted_issuers == frozenset()


@pytest.mark.parametrize("locale", known_locales())
@pytest.mark.parametrize("kind", list(StandingKind), ids=str)
def test_every_standing_is_a_complete_sentence_in_every_language(kind: StandingKind, locale: str):
    result = standing_message(
        IssuerStanding(kind, DID, says="Ici", network="BFC", known_as="Là", changed_at=NOON)
    )
    with speaking(locale):
        for sentence in (result.sentence, result.beside):
            assert sentence.text().endswith(".")
            assert "{" not in sentence.text()


@pytest.mark.parametrize(
    ("begins", "ends", "word"), [(-9, 9, "En cours"), (-9, 0, "Terminé"), (1, 9, "À venir"), (None, None, "En cours")]
)  # fmt: skip
def test_listed_label_has_its_dates(begins: float | None, ends: float | None, word: str):
    first, last = (None if each is None else NOON + timedelta(days=each) for each in (begins, ends))
    result = label_listed(GivenLabel("https://l.example", "excellence", first, last), "BFC", NOON)
    assert result.word == word
    assert "d’excellence" in result.sentence.text()
