"""Log entries of internal errors, and answers to requests that conflict in the database."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from app.domain.people import PersonAddress
from app.http.request_log import configure_logging
from tests.support.app import App, asked_of, build_app

SECRET = "chloe@exemple.fr"


class Two(BaseModel):
    number: int


def _an_address_twice(app: App) -> None:
    with app.unit_of_work() as services:
        session = services.people.people.session
        for _ in range(2):
            session.add(PersonAddress(person_id=app.trainer.id, address=SECRET, name_key="chloe"))
            session.flush()


def _no_person(app: App) -> None:
    with app.unit_of_work() as services:
        session = services.people.people.session
        session.add(PersonAddress(person_id=uuid.UUID(int=1), address=SECRET, name_key="chloe"))
        session.flush()


def _no_identifier(app: App) -> None:
    with app.unit_of_work() as services:
        services.people.people.session.execute(
            text("SELECT CAST(CAST(:address AS text) AS integer)"), {"address": SECRET}
        ).one()
        raise KeyError(SECRET)


def _no_number(_app: App) -> None:
    try:
        Two.model_validate({"number": SECRET})
    except ValidationError as error:
        raise ValueError(f"not {SECRET}") from error


def _refused_letter(_app: App) -> None:
    raise OSError(5, "refused", f"/letters/{SECRET}")


@pytest.fixture
def log() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (_an_address_twice, "IntegrityError"),
        (_no_person, "IntegrityError"),
        (_no_identifier, "Error"),
        (_no_number, "ValueError"),
        (_refused_letter, "OSError"),
    ],
)
def test_an_error_is_logged_with_its_code_position_and_without_the_faulty_value(
    database_url: str,
    tmp_path,
    log: None,
    capsys: pytest.CaptureFixture[str],
    fault,
    named: str,
    as_json: bool,
) -> None:
    app = build_app(database_url, tmp_path)
    configure_logging(as_json=as_json)
    try:
        fault(app)
    except Exception as error:
        structlog.get_logger("test").bind().exception("request failed")
        logging.getLogger("test").error("trouble", exc_info=error)
    app.close()
    shown = capsys.readouterr().err
    assert SECRET not in shown
    assert named in shown
    assert fault.__name__ in shown


def _nul(app: App) -> None:
    with app.unit_of_work() as services:
        services.people.people.find_named_at("a\x00", "chloe")


def test_constraint_errors_of_the_database_have_their_status(database_url: str, tmp_path) -> None:
    app = build_app(database_url, tmp_path)
    client = app.client()
    application = client.app
    assert isinstance(application, FastAPI)
    faults = {_an_address_twice: 409, _no_person: 500}
    if database_url.startswith("postgresql"):
        faults[_nul] = 422
    for fault, status in faults.items():

        @application.get(f"/made-{status}")
        def make(fault=fault) -> None:
            fault(app)

        application.router.routes.insert(0, application.router.routes.pop())
    with TestClient(application, raise_server_exceptions=False) as browser:
        for status in faults.values():
            assert browser.get(f"/made-{status}", headers={"accept": "text/html"}).status_code == status
    app.close()


class _Refused(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OperationalError("UPDATE", {}, _Refused("40P01")), 503, "au même moment"),
        (IntegrityError("INSERT", {}, _Refused("23503")), 409, "vient d’être effacé"),
        (StaleDataError(), 409, "vient d’être effacé"),
        (NoResultFound(), 409, "vient d’être effacé"),
    ],
    ids=["deadlock", "what it names was deleted", "what it changes was deleted", "what it locks was deleted"],
)
def test_a_conflict_with_a_concurrent_request_is_not_an_internal_error(
    app: App, error: Exception, status: int, words: str
) -> None:
    application = app.client().app
    assert isinstance(application, FastAPI)

    @application.post("/crossed")
    def crossed() -> None:
        raise error

    application.router.routes.insert(0, application.router.routes.pop())
    with TestClient(application, raise_server_exceptions=False) as browser:
        shown = browser.post("/crossed", headers={"accept": "text/html"})
    assert shown.status_code == status
    assert words in shown.text


@pytest.mark.parametrize(("times", "status"), [(1, 200), (2, 500)])
@pytest.mark.parametrize("error", [NoResultFound(), IntegrityError("INSERT", {}, _Refused("23503"))])
def test_a_page_of_a_row_deleted_meanwhile_is_read_once_more(
    app: App, error: Exception, times: int, status: int
) -> None:
    """A private link stores that it was opened; during the erasure of its holder it used to answer 500."""
    application = app.client().app
    assert isinstance(application, FastAPI)
    errors = [error] * times

    @application.get("/crossed")
    def crossed() -> str:
        if errors:
            raise errors.pop()
        return "read"

    application.router.routes.insert(0, application.router.routes.pop())
    with TestClient(application, raise_server_exceptions=False) as browser:
        assert browser.get("/crossed", headers={"accept": "text/html"}).status_code == status


DEPLOYED = Path(__file__).parents[3] / "docs" / "operate" / "deploy"


def test_no_proxy_configuration_that_we_ship_logs_addresses_or_compresses_secrets() -> None:
    nginx = (DEPLOYED / "nginx.conf").read_text()
    written = re.search(r"log_format sceau '([^']+)'", nginx)
    assert written
    assert not {"request", "request_uri", "uri", "args", "query_string", "http_referer"} & set(
        re.findall(r"\$(\w+)", written[1])
    )
    assert re.findall(r"access_log (.+);", nginx) == ["/var/log/nginx/sceau.log sceau"]
    assert re.search(r"error_log +\S+ crit;", nginx)
    assert "gzip off;" in nginx
    caddy = (DEPLOYED / "Caddyfile").read_text()
    assert re.search(r"^\s*request>uri delete$", caddy, re.MULTILINE)
    assert not re.search(r"^\s*encode\b", caddy, re.MULTILINE)


def test_proxy_configurations_that_we_ship_limit_slow_clients_and_bodies() -> None:
    nginx, caddy = (DEPLOYED / "nginx.conf").read_text(), (DEPLOYED / "Caddyfile").read_text()
    assert {"client_header_timeout", "client_body_timeout", "client_max_body_size"} <= set(nginx.split())
    assert {"read_header", "read_body", "max_size"} <= set(caddy.split())


def test_a_refused_page_queries_the_signed_in_person_once(app: App):
    trainer, missing = app.client(app.trainer), f"/gestion/itip/activites/{uuid.uuid4()}"
    with asked_of(app) as asked:
        answer = trainer.get(missing)
    assert answer.status_code == 404
    assert app.trainer.name in answer.text
    assert sum("WHERE session.secret_digest" in " ".join(each.split()) for each, _ in asked) == 1
