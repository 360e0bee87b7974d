"""Forty badges are verified like one: files, lines, codes and portfolios in one request, with a table and a CSV."""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import uuid
from datetime import timedelta
from io import BytesIO

import pypdfium2
import pytest
import segno
from fastapi.testclient import TestClient
from PIL import Image

from app.adapters.accounts import limits_in
from app.container import Services
from app.domain.accounts.rate_limits import LIMITS
from app.domain.publishing import ids_of_code, near_codes, short_code
from app.services.verification.batches import MOST_ITEMS, BatchVerification
from tests.app.web.publishing.test_award_page import award
from tests.app.web.verification.test_verifier import files_of
from tests.app.web.verification.test_verifier_pictures import plain
from tests.support.app import BASE_URL, COMMAND, App, build_app, send
from tests.support.badges.pictures import PNG


@pytest.fixture
def employer(app: App) -> TestClient:
    return app.client()


def line_for_a_cv(app: App, award_id: uuid.UUID) -> str:
    with app.unit_of_work(reading=True) as services:
        address = services.addresses.short_in_print(award_id)
    return f"Badge « Robotique », Campus ITIP, novembre 2026. À vérifier : {address}"


def csv_in(page: str) -> str:
    found = re.search(r"text/csv;charset=utf-8;base64,([A-Za-z0-9+/=]+)", page)
    assert found is not None
    return base64.b64decode(found.group(1)).decode("utf-8-sig")


@pytest.mark.parametrize("field", ["lien", "texte"])
def test_the_line_that_a_learner_copies_leads_to_the_badge(app: App, employer: TestClient, field: str):
    award_id = award(app)
    answer = send(employer, "/verifier", {field: line_for_a_cv(app, award_id)})
    assert answer.headers["location"] == f"/attributions/{award_id}"


def test_files_and_lines_are_answered_as_a_table_the_gravest_first(app: App, employer: TestClient):
    files = files_of(app, award(app))
    changed = files["json"].replace("Zoé".encode(), "Léa".encode())
    sent = [
        ("fichier", ("bon.json", files["json"])),
        ("fichier", ("=faux.json", changed)),
        ("fichier", ("vide.png", PNG)),
        ("fichier", ("long.json", b"x" * (5 * 1024 * 1024 + 1))),
        ("texte", (None, "https://autre.example/1\nbonjour")),
    ]
    page = send(employer, "/verifier", files=sent)
    result = plain(page.text)
    assert page.status_code == 200
    assert "2 documents vérifiés sur 5" in result
    for counted in ("1 à écarter", "1 non lu", "2 sans badge", "1 authentique"):
        assert re.search(rf"{counted}(?!s)", result), counted
    assert "non lues (1)" in result
    assert result.index("=faux.json") < result.index("bon.json")
    assert "Non authentique" in result
    assert "Zoé N’Diaye" in result
    table = csv_in(page.text).splitlines()
    assert len(table) == 6
    assert any(line.startswith("'=faux.json;") for line in table), "no formula"


def test_a_portfolio_is_answered_badge_by_badge(app: App, employer: TestClient):
    first = award(app)
    with app.unit_of_work() as services:
        person = services.awards.record(first).person
        made = services.portfolios.start(person, [first])
        services.portfolios.set_open(made, True)
        link = services.addresses.portfolio(made.id)
        last_day = services.clock().date()
        for_one = f"{link}/pour/{services.portfolios.reader_link(made, last_day)}"
    frame = f'<iframe src="{link}/integrer" title="Badges" width="420"></iframe>'

    def plain_answer(field: str, typed: str) -> str:
        return plain(send(employer, "/verifier", {field: typed}).text)

    for typed in (link, for_one, f"{link}/integrer", frame):
        for field in ("lien", "texte"):
            assert "1 document vérifié" in plain_answer(field, typed), typed
            assert "Authentique, en cours de validité" in plain_answer(field, typed), typed
    with app.unit_of_work() as services:
        services.portfolios.set_open(services.portfolios.get(made.id), False)
    assert "1 document vérifié" in plain_answer("lien", for_one), "it opens a closed portfolio"
    assert "les plus graves" not in plain_answer("lien", for_one), "there is one"
    assert "Aucun document vérifié" in plain_answer("lien", link)
    assert "1 document vérifié sur 2" in plain_answer("texte", f"{link}\n{BASE_URL}/attributions/{first}")
    app.clock.move(hours=48)
    assert "Aucun document vérifié" in plain_answer("lien", for_one), "it has ended"


def test_a_badge_s_frame_and_the_pages_beside_it_are_answered_as_the_badge(app: App, employer: TestClient):
    """What the learner copies for a site, and what an employer copies from the address bar."""
    page = f"{BASE_URL}/attributions/{award(app)}"
    copied = [f"{page}/{beside}" for beside in ("integrer", "personne", "campus", "carte.png", "code.svg")]
    frame = f'<iframe src="{page}/integrer" title="Badge" width="420" height="260"></iframe>'
    for typed in (*copied, frame, f'<a href="{page}">Badge « Robotique »</a>'):
        for field in ("lien", "texte"):
            answer = send(employer, "/verifier", {field: typed}, follow_redirects=True)
            assert "Authentique, en cours de validité" in plain(answer.text), (field, typed)


def test_a_whole_cv_is_answered_badge_by_badge_and_its_other_lines_are_named(app: App, employer: TestClient):
    first, second = award(app), award(app, person="Lou Petit; lou@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        short = services.addresses.short_in_print(second)
    cv = f"Zoé N’Diaye\nSoudage, robotique\n{line_for_a_cv(app, first)} et {short}\nPermis B"
    page = send(employer, "/verifier", {"texte": cv})
    assert "2 documents vérifiés" in plain(page.text)
    assert "non lues (3)" in plain(page.text)
    assert "Permis B" in page.text


def test_a_picture_with_two_codes_is_answered_twice(app: App, employer: TestClient):
    first, second = award(app), award(app, person="Lou Petit; lou@exemple.fr")
    sheet = Image.new("RGB", (900, 450), "white")
    with app.unit_of_work(reading=True) as services:
        for place, award_id in enumerate((first, second)):
            drawn = BytesIO()
            segno.make(services.addresses.short(award_id), error="m").save(drawn, kind="png", scale=8)
            sheet.paste(Image.open(drawn).convert("RGB"), (place * 450 + 40, 60))
    body = BytesIO()
    sheet.save(body, "PNG")
    page = send(employer, "/verifier", files=[("fichier", ("cv.png", body.getvalue()))])
    assert "Aucun document vérifié" in plain(page.text), "the picture itself was not, as each row reports"
    assert "2 à comparer" in plain(page.text)
    for award_id in (first, second):
        assert f"/attributions/{award_id}" in page.text


def test_the_table_is_a_pdf_report_too_with_details_on_tap(app: App, employer: TestClient):
    page = send(
        employer, "/verifier", {"texte": f"{line_for_a_cv(app, award(app))}\nhttps://autre.example/1"}
    )
    assert page.text.count('<details class="why">') == 2
    found = re.search(r"application/pdf;base64,([A-Za-z0-9+/=]+)", page.text)
    assert found is not None
    report = pypdfium2.PdfDocument(base64.b64decode(found[1]))
    text = report[0].get_textpage().get_text_range()
    assert "1 document vérifié" in text
    assert "Zoé" in text


def mistyped(award_id: uuid.UUID) -> str:
    code = short_code(award_id)
    return code[:-1] + ("2" if code[-1] != "2" else "3")


@pytest.mark.parametrize("is_open", [True, False])
def test_a_code_with_a_slip_is_unknown_and_near_ones_are_named_where_their_page_is_open(
    app: App, employer: TestClient, is_open: bool
):
    award_id = award(app, is_open=is_open)
    result = plain(send(employer, "/verifier", {"lien": mistyped(award_id)}).text)
    assert "Code inconnu" in result
    assert (short_code(award_id) in result) == is_open
    typed = employer.get(f"/v/{mistyped(award_id)}")
    assert typed.status_code == 404
    assert (short_code(award_id) in typed.text) == is_open


def test_every_code_near_another_is_one_slip_away():
    code = short_code(uuid.UUID("b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62")).replace("-", "")
    for typed in (code[1:], code + "7", code[1] + code[0] + code[2:], "Z" + code[1:]):
        assert code in near_codes(typed) or typed == code
    assert all(ids_of_code(each) for each in near_codes(code))
    assert near_codes("bonjour") == near_codes("") == near_codes("https://autre.example") == []


def test_programs_send_a_list_and_get_a_list_or_a_table(app: App, employer: TestClient):
    award_id = award(app)
    with app.unit_of_work(reading=True) as services:
        address = services.addresses.award(award_id)
    items = [address, short_code(award_id), mistyped(award_id), "bonjour", "{" * 50]
    result = employer.post("/api/v1/verify/batch", json={"items": items}).json()["results"]
    assert [each["report"] and each["report"]["verdict"] for each in result] == [
        "valid",
        "valid",
        None,
        "undetermined",
        "invalid",
    ]
    assert result[2]["near"] == [short_code(award_id)]
    table = employer.post("/api/v1/verify/batch", json={"items": items}, headers={"accept": "text/csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(table.text.splitlines()) == 6


@pytest.mark.parametrize("body", [{"items": []}, {"items": ["x"] * 101}, {}, []])
def test_an_invalid_list_is_refused(employer: TestClient, body: object):
    assert employer.post("/api/v1/verify/batch", json=body).status_code == 422


def test_programs_send_files(app: App, employer: TestClient):
    files = files_of(app, award(app))
    sent = [("file", (f"badge.{form}", body)) for form, body in files.items()]
    result = employer.post("/api/v1/verify/batch", files=sent).json()["results"]
    assert [each["report"]["verdict"] for each in result] == ["valid"] * 4


def test_closed_awards_stay_closed_in_a_batch(app: App, employer: TestClient):
    award_id = award(app, is_open=False)
    page = plain(send(employer, "/verifier", {"texte": f"{short_code(award_id)}\nbonjour"}).text)
    assert "N’Diaye" not in page
    assert "Page fermée" in page


class CountedVerification:
    """Counts its calls; each takes as long as the test sets."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked = 0
        self.now = 0.0
        self.takes = seconds

    def verify(self, _presented: str) -> None:
        self.asked += 1
        self.now += self.takes


def batch_of(services: Services, counted: CountedVerification) -> BatchVerification:
    parts = services.stores.awards, services.portfolios.shown_on, services.addresses
    return BatchVerification(counted, *parts, seconds=lambda: counted.now)  # type: ignore[arg-type]


LINES = "\n".join(f"https://ailleurs.example/{number}" for number in range(60)).encode()


def test_files_full_of_addresses_ask_no_more_than_one_list_of_them(app: App):
    counted = CountedVerification()
    with app.unit_of_work(reading=True) as services:
        batch = batch_of(services, counted)
        items = [item for number in range(50) for item in batch.file(f"{number}.txt", LINES)]
    assert counted.asked == MOST_ITEMS
    assert len(items) == 50 * 60, "what is left over is named"


def test_a_list_of_slow_servers_ends_after_a_minute(app: App):
    counted = CountedVerification(seconds=7.0)
    with app.unit_of_work(reading=True) as services:
        batch_of(services, counted).file("liste.txt", LINES)
    assert counted.asked == 9


def test_a_link_in_the_address_of_the_page_counts_like_one_in_its_form(tmp_path, sqlite_url):
    built = build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", b"key of the tests"))
    visitor = built.client()
    for _ in range(LIMITS["verify"].amount):
        built.process.limiter.hit("verify", "testclient")
    assert visitor.get("/verifier").status_code == 200
    assert visitor.get("/verifier", params={"lien": "https://ailleurs.example/1"}).status_code == 429
    built.close()


def test_a_badge_without_a_name_is_named_so_and_a_replaced_one_counted_as_replaced(
    app: App, employer: TestClient
):
    award_id = award(app)
    old = files_of(app, award_id)["json"]
    app.clock.now += timedelta(hours=1)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.reissuing.choose_name(record.award, False, name=record.person.name, by=COMMAND)
    alone = plain(send(employer, "/verifier", files=[("fichier", ("avant.json", old))]).text)
    assert "Nom écrit dans ce fichier" in alone
    assert "Nom affiché avec son accord" not in alone, "the person took it off since"
    sent = [
        ("fichier", ("avant.json", old)),
        ("fichier", ("apres.json", files_of(app, award_id)["json"])),
        ("fichier", ("photo.png", PNG)),
    ]
    result = plain(send(employer, "/verifier", files=sent).text)
    assert "2 documents vérifiés" in result
    for counted in ("1 sans badge", "1 remplacé", "1 authentique"):
        assert re.search(rf"{counted}(?!s)", result), counted
    assert "Sans nom" in result
    assert "Nom non lu" not in result
    assert "illisible" not in result


@pytest.mark.parametrize("field", ["lien", "texte"])
def test_a_very_long_text_is_not_an_address(employer: TestClient, field: str):
    for word in ("a" * 1_000_000, "é_" * 100_000):
        assert send(employer, "/verifier", {field: word}).status_code == 422


@pytest.mark.parametrize("field", ["lien", "texte"])
@pytest.mark.parametrize("typed", ["bonjour", "un badge de soudure"])
def test_a_text_that_is_not_an_address_is_answered_as_text(employer: TestClient, field: str, typed: str):
    answer = send(employer, "/verifier", {field: typed})
    assert answer.status_code == 422
    assert f"« {typed} » n’est ni une adresse, ni un code de badge." in plain(answer.text)
    assert "fichier n’a pas pu être lu" not in answer.text


@pytest.mark.parametrize("between", [" ", "-", " - "])
def test_a_short_address_is_read_with_spaces_in_its_code(app: App, employer: TestClient, between: str):
    award_id = award(app)
    with app.unit_of_work(reading=True) as services:
        short = services.addresses.short_in_print(award_id)
    host, _, code = short.rpartition("/v/")
    typed = f"{host}/v/{between.join(code.split('-'))}"
    for field in ("lien", "texte"):
        answer = send(employer, "/verifier", {field: typed})
        assert answer.headers["location"] == f"/attributions/{award_id}"
    with app.unit_of_work(reading=True) as services:
        assert services.batch_verification.separate([f"Badge : {typed} 2026", "rien"])[1] == ["rien"]


def forged_texts(app: App) -> dict[str, str]:
    """A badge of ours that was changed: its address leads to the genuine one."""
    forged = json.loads(files_of(app, award(app))["json"]) | {"name": "Chirurgie du cœur"}
    text = json.dumps(forged)
    return {
        "as it is": text,
        "with a byte order mark": f"\ufeff{text}",
        "on several lines": json.dumps(forged, indent=1),
        "in a list": json.dumps([forged]),
        "in a presentation": json.dumps({"type": "VerifiablePresentation", "verifiableCredential": [forged]}),
        "after words": f"Badge : {text}",
        "in a string": json.dumps(text),
        "in a string of escapes": json.dumps(text).replace('\\"', "\\u0022"),
        "in HTML": f"<p>{html.escape(text)}</p>",
        "with escaped names": f"Badge : {with_escaped_names(text)}",
        "beside a link": f'<a href="{forged["id"]}">Badge</a> {with_escaped_names(text)}',
        "a token and an address": f"{forged_token(app)} {forged['id']}",
        "an address and a token": f"{forged['id']} {forged_token(app)}",
        "in the fragment": f"{forged['id']}#{text.replace(' ', '')}",
        "in base64": f"data:application/json;base64,{base64.b64encode(text.encode()).decode()} {forged['id']}",
    }


def with_escaped_names(text: str) -> str:
    names = ("@context", "credentialSubject", "proof")
    return functools.reduce(
        lambda done, name: done.replace(f'"{name}"', f'"\\u{ord(name[0]):04x}{name[1:]}"'), names, text
    )


def forged_token(app: App) -> str:
    header, _claims, signature = files_of(app, award(app))["jwt"].decode().split(".")
    claims = json.dumps({"name": "Chirurgie du cœur"}).encode()
    return ".".join([header, base64.urlsafe_b64encode(claims).decode().rstrip("="), signature])


def test_changed_badge_is_never_answered_by_the_address_it_contains(app: App, employer: TestClient):
    """Whatever is around it, as a line, a file or a pasted text."""
    texts = forged_texts(app)
    found = employer.post("/api/v1/verify/batch", json={"items": [*texts.values()]}).json()["results"]
    files = [("file", (name, text.encode())) for name, text in texts.items()]
    found += employer.post("/api/v1/verify/batch", files=files).json()["results"]
    verdicts = [each["report"]["verdict"] for each in found if each["report"]]
    assert len(found) == 2 * len(texts)
    assert "valid" not in verdicts
    assert verdicts.count("invalid") >= 6
    for name, text in texts.items():
        for form in ({"texte": text}, {"lien": text}):
            answer = send(employer, "/verifier", form)
            assert answer.status_code != 303, (name, form.keys())
            assert "verdict ok" not in answer.text, (name, form.keys())
        answer = send(employer, "/verifier", files={"fichier": (name, text.encode())})
        assert "verdict ok" not in answer.text, name
    both = send(
        employer, "/verifier", files=[("fichier", (name, text.encode())) for name, text in texts.items()]
    )
    assert "Authentique, en cours de validité" not in both.text


@pytest.mark.parametrize("before", ["{}#{}", "{} {}"])
def test_file_that_begins_with_an_address_is_answered_for_all_of_it(
    app: App, employer: TestClient, before: str
):
    """Its first 2,048 bytes alone were taken for a link."""
    forged = forged_texts(app)["as it is"]
    address = json.loads(forged)["id"]
    for filled in ("é" * 1_100, " " * 1_980):
        body = f"{filled if filled.isspace() else ''}{before.format(address, filled + forged)}".encode()
        report = employer.post("/api/v1/verify", content=body).json()
        assert report["verdict"] != "valid"
        assert "verdict ok" not in send(employer, "/verifier", files={"fichier": ("cv.txt", body)}).text


@pytest.mark.parametrize("address", ["{}", "{}\n", "URL={}"])
def test_text_file_of_an_address_alone_is_answered_by_its_badge(app: App, employer: TestClient, address: str):
    with app.unit_of_work(reading=True) as services:
        body = address.format(services.addresses.award(award(app))).encode()
    assert "verdict ok" in send(employer, "/verifier", files={"fichier": ("lien.txt", body)}).text


@pytest.mark.parametrize(
    "words",
    [
        "Attestation de réussite remise à Jean Faux : {}",
        "Jean Faux {}",
        "{} (master de physique, mention très bien)",
    ],
)
def test_text_beside_the_address_in_a_file_is_not_taken_for_verified(
    app: App, employer: TestClient, words: str
):
    with app.unit_of_work(reading=True) as services:
        body = words.format(services.addresses.award(award(app))).encode()
    page = send(employer, "/verifier", files={"fichier": ("attestation.txt", body)}).text
    assert "verdict ok" not in page
    found = employer.post("/api/v1/verify/batch", files={"file": ("attestation.txt", body)}).json()
    [report] = [each["report"] for each in found["results"]]
    assert (report["verdict"], report["leads_to"]["kind"]) == ("undetermined", "link")
    assert report["leads_to"]["badge_verdict"] == "valid"


def test_each_address_of_a_line_and_each_thing_sent_is_answered(app: App, employer: TestClient):
    first, second = award(app), award(app, person="Lou Petit; lou@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        addresses = [services.addresses.award(each) for each in (first, second)]
    found = employer.post("/api/v1/verify/batch", json={"items": [" et ".join(addresses)]}).json()["results"]
    assert [each["report"]["document"]["id"] for each in found] == addresses
    sent = [
        ("fichier", ("a.json", files_of(app, first)["json"])),
        ("texte", (None, files_of(app, second)["json"].decode())),
        ("lien", (None, addresses[0])),
    ]
    assert "3 documents vérifiés" in plain(send(employer, "/verifier", files=sent).text)

    for field in ("texte", "lien"):
        page = send(employer, "/verifier", {field: " et ".join(addresses)})
        assert "2 documents vérifiés" in plain(page.text), field


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_table_of_a_recruiter_is_answered_line_by_line(app: App, employer: TestClient, encoding: str):
    first, second = award(app), award(app, person="Lou Petit; lou@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        address = services.addresses.award(first)
    table = f"Prénom;Badge\nZoé;{address}\n{short_code(second)}\n\nEn attente;–\n".encode(encoding)
    found = employer.post("/api/v1/verify/batch", files={"file": ("cv.csv", table)}).json()["results"]
    assert [each["report"] and each["report"]["verdict"] for each in found] == ["valid", "valid", None]
    assert found[-1]["given"] == "cv.csv\N{NO-BREAK SPACE}: 2 autres lignes"
    page = plain(send(employer, "/verifier", files={"fichier": ("cv.csv", table)}).text)
    assert "2 documents vérifiés sur 3" in page
    assert "2 autres lignes" in page


def test_changed_badge_on_several_lines_of_a_list_is_one_line(app: App, employer: TestClient):
    texts = forged_texts(app)
    with app.unit_of_work(reading=True) as services:
        address = services.addresses.award(award(app))
    page = send(employer, "/verifier", {"texte": f"Voici :\n{texts['on several lines']}\n{address}"})
    assert "2 documents vérifiés" in plain(page.text)
    assert "1 à écarter" in plain(page.text)
    assert "1 authentique" in plain(page.text)


def test_lines_beyond_the_most_are_counted_in_every_form(app: App, employer: TestClient):
    lines = [f"https://autre.example/{number}" for number in range(MOST_ITEMS + 3)]
    text = "\n".join(lines)
    for sent in ({"data": {"texte": text}}, {"files": {"fichier": ("liste.txt", text.encode())}}):
        page = plain(send(employer, "/verifier", **sent).text)
        assert "3 autres lignes" in page
    cv = "\n".join([*["Soudage"] * (MOST_ITEMS + 20), files_of(app, award(app))["jwt"].decode()])
    assert "1 document vérifié" in plain(send(employer, "/verifier", {"texte": cv}).text)


@pytest.mark.parametrize("line", ["[Mon badge]({})", '<a href="{}">Mon badge</a>', "Mon badge : {}"])
def test_written_link_still_leads_to_its_badge(app: App, employer: TestClient, line: str):
    with app.unit_of_work(reading=True) as services:
        address = services.addresses.award(award(app))
    (found,) = employer.post("/api/v1/verify/batch", json={"items": [line.format(address)]}).json()["results"]
    assert found["report"]["verdict"] == "valid"


@pytest.mark.parametrize("cut", ['{"@context": [', "Compétences {", '{"', "{" * 40])
def test_a_brace_that_nothing_closes_does_not_take_the_lines_below_with_it(
    app: App, employer: TestClient, cut: str
):
    award_id = award(app)
    whole = json.dumps(json.loads(files_of(app, award_id)["json"]), indent=1)
    lines = f"Mes badges\n{cut}\n{BASE_URL}/attributions/{award_id}\n{whole}\n{line_for_a_cv(app, award_id)}"
    page = send(employer, "/verifier", {"texte": lines})
    assert re.search(r"3 authentiques", plain(page.text))


def test_a_list_in_a_file_may_hold_a_brace(app: App, employer: TestClient):
    line = line_for_a_cv(app, award(app))
    lines = f"{line}\nCompétences {{\n{line}\n"
    page = send(employer, "/verifier", files=[("fichier", ("liste.txt", lines.encode()))])
    assert re.search(r"2 authentiques", plain(page.text))
