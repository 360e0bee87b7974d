"""`sceau lti`: platforms registered, listed and removed, and the key renewed."""

from __future__ import annotations

import re

from app.container import Process
from tests.app.cli.conftest import Operator

_MOODLE = "https://moodle.lycee.example"


def _add(operator: Operator, **changed: str):
    result = {
        "label": "Moodle", "issuer": _MOODLE, "client-id": "abc", "keys-url": f"{_MOODLE}/certs",
        "token-url": f"{_MOODLE}/token", "authorization-url": f"{_MOODLE}/auth", "deployment": "1", **changed,
    }  # fmt: skip
    return operator.types("lti", "add", "itip", *(f"--{name}={value}" for name, value in result.items()))


def test_platform_is_registered_listed_and_removed(operator: Operator, demo: Process):
    done = _add(operator)
    assert done.code == 0, done.err
    assert "/lti/itip/connexion" in done.out + done.err
    assert "/lti/itip/cles.json" in done.out + done.err
    assert _add(operator).code != 0, "registered once"
    listed = operator.types("lti", "list", "itip")
    assert listed.code == 0, listed.err
    with demo.unit_of_work(reading=True) as services:
        (row,) = services.lti.platforms(services.campuses.get("itip"))
    assert (row.issuer, row.deployments) == (_MOODLE, ["1"])
    assert operator.types("lti", "remove", "itip", str(row.id)).code == 0
    assert operator.types("lti", "remove", "itip", str(row.id)).code != 0
    with demo.unit_of_work(reading=True) as services:
        assert not services.lti.platforms(services.campuses.get("itip"))


def test_address_without_https_is_refused_with_a_sentence(operator: Operator):
    done = _add(operator, **{"keys-url": "http://moodle.lycee.example/certs"})
    assert done.code != 0
    assert "https://" in done.out + done.err


def test_key_is_renewed(operator: Operator, demo: Process):
    assert operator.types("lti", "new-key", "itip").code == 0
    with demo.unit_of_work(reading=True) as services:
        key = services.lti.key_age(services.campuses.get("itip"))
    assert key
    assert re.fullmatch(r"[0-9a-f-]{36}", key.key_id)
