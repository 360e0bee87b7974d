"""A check-in as the trainer, the projected page and the phones see it."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.activities import Activity, ActivityKind
from app.domain.activities.check_in import new_phone
from app.domain.people import AgeGroup
from app.web.activities.check_in import _seen, versions_of
from tests.support.app import COMMAND, App, send
from tests.support.forms import Form, form_with, forms_of

FILLED = {"prenom": "Zoé", "nom": "Martin", "adresse": "zoe@exemple.fr", "age": "plus", "accord": "oui"}


def room(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}/salle"


def opened(app: App, trainer: TestClient, places: str = "") -> None:
    answer = send(trainer, room(app), {"geste": "ouvrir", "places": places})
    assert answer.status_code == 303, answer.text


def wall(app: App, trainer: TestClient) -> str:
    """The projected code."""
    found = re.search(r'class="turning">([0-9A-Z-]+)<', trainer.get(f"{room(app)}/ecran").text)
    assert found, "a projected code"
    return found[1]


def scan(app: App, phone: TestClient, code: str) -> Response:
    shown = phone.get(f"/presence/{code}")
    assert shown.status_code == 200, shown.text
    return shown


def form_of(page: Response) -> Form:
    return form_with(page, "prenom")


def form_at(page: Response, action: str) -> Form:
    (found,) = (form for form in forms_of(page) if form.action == action)
    return found


def words(page: Response) -> str:
    return (
        unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))
        .replace("\xa0", " ")
        .replace("\u202f", " ")
    )


def test_a_phone_signs_and_the_trainer_sees_it_and_unticks_it(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    done = form_of(page).fill(**FILLED).press(phone, page)

    assert done.status_code == 200
    assert "C’est noté, Zoé Martin" in words(done)
    listed = trainer.get(room(app))
    assert "1 personne a signé" in words(listed)
    assert "Zoé Martin" in words(listed)
    assert "zoe@exemple.fr" in words(listed)
    button = next(pair for pair in form_with(listed, "decocher").buttons if pair[0] == "decocher")
    assert form_with(listed, "decocher").press(trainer, listed, button).status_code == 303
    assert "Décochée" in words(trainer.get(room(app)))
    shown = words(trainer.get(f"/gestion/itip/activites/{app.activity.id}"))
    assert "Participants (0)" in shown
    assert "1 personne notée absente" in shown


def test_the_projected_page_shows_a_code_and_a_count_and_no_name(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer, places="30")
    page = scan(app, phone, wall(app, trainer))
    form_of(page).fill(**FILLED).press(phone, page)
    shown = trainer.get(f"{room(app)}/ecran")
    assert "sur 30 a signé" in words(shown)
    assert "Zoé" not in shown.text
    assert "Martin" not in shown.text
    assert '<svg class="code-big"' in shown.text


def test_a_signature_sent_twice_is_recorded_once_and_the_page_reports_it(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    form = form_of(page).fill(**FILLED)
    assert form.press(phone, page).status_code == 200
    assert "C’était déjà noté" in words(form.press(phone, page))
    assert "C’était déjà noté" in words(scan(app, phone, wall(app, trainer)))
    other = form.fill(prenom="Karim", nom="Haddad").press(phone, page)
    assert other.status_code == 409
    assert "a déjà signé pour une autre personne" in words(other)
    assert 'value="Karim"' in other.text


def test_whatever_is_refused_comes_back_as_it_was_typed(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    back = form_of(page).fill(prenom="Zoé", nom="", adresse="zoe@exemple,fr").press(phone, page)
    assert back.status_code == 422
    for sentence in (
        "Il manque votre nom",
        "Cette adresse n’est pas valable",
        "Choisissez votre âge",
        "Sans votre accord",
    ):
        assert sentence in words(back)
    assert 'value="zoe@exemple,fr"' in back.text

    again = form_of(back).fill(**FILLED)
    send(trainer, room(app), {"geste": "fermer"})
    late = again.press(phone, back)
    assert late.status_code == 409
    assert "La liste est fermée" in words(late)
    assert 'value="Zoé"' in late.text
    opened(app, trainer)
    assert form_of(late).press(phone, late).status_code == 200


def test_a_full_check_in_refuses_with_the_reason(app: App):
    trainer, first, second = app.client(app.trainer), app.client(), app.client()
    opened(app, trainer, places="1")
    pages = [scan(app, phone, wall(app, trainer)) for phone in (first, second)]
    assert form_of(pages[0]).fill(**FILLED).press(first, pages[0]).status_code == 200
    full = form_of(pages[1]).fill(**{**FILLED, "prenom": "Inès"}).press(second, pages[1])
    assert full.status_code == 409
    assert "La liste est complète" in words(full)


def test_an_old_code_leads_to_the_projected_one_and_nothing_typed_is_lost(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    code = wall(app, trainer)
    page = scan(app, phone, code)
    app.clock.move(minutes=20)
    gone = phone.get(f"/presence/{code}")
    assert gone.status_code == 404
    assert "Ce code n’est plus affiché" in words(gone)
    assert 'id="code-erreur"' in gone.text
    asked = form_of(page).fill(**FILLED).press(phone, page)
    assert asked.status_code == 409
    assert 'value="Zoé"' in asked.text
    typed = wall(app, trainer).lower().replace("-", " ")
    assert form_of(asked).fill(code=typed).press(phone, asked).status_code == 200
    assert (
        phone.get("/presence", params={"code": typed}).headers["location"]
        == f"/presence/{typed.replace(' ', '').upper()}"
    )


def test_two_of_one_name_are_asked_who_they_are(app: App):
    trainer, first, second = app.client(app.trainer), app.client(), app.client()
    opened(app, trainer)
    nobody = {**FILLED, "adresse": ""}
    pages = [scan(app, phone, wall(app, trainer)) for phone in (first, second)]
    form_of(pages[0]).fill(**nobody).press(first, pages[0])
    asked = form_of(pages[1]).fill(**nobody).press(second, pages[1])
    assert "Est-ce vous ?" in words(asked)
    assert form_of(asked).press(second, asked, ("homonyme", "other")).status_code == 200
    assert "2 personnes ont signé" in words(trainer.get(room(app)))


def test_a_phone_without_its_cookie_is_shown_what_to_do(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    phone.cookies.clear()
    refused = form_of(page).fill(**FILLED).press(phone, page)
    assert refused.status_code == 409
    assert "dites votre nom à la personne qui anime" in words(refused)
    phone.cookies.set("phone", f"{new_phone()}.{'0' * 40}")
    assert form_of(page).fill(**FILLED).press(phone, page).status_code == 409


def test_first_load_of_a_phone_stays_below_forty_kilobytes_with_our_typeface(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    parts = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page.text)
    phone.headers["accept-encoding"] = "gzip"
    sent = [int(phone.get(part).headers["content-length"]) for part in parts if not part.startswith("#")]
    assert any("sans-latin.woff2" in part for part in parts)
    assert len(page.content) + sum(sent) < 40_000


def test_remembered_phone_signs_with_one_button_and_is_forgotten_with_one(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    done = form_of(page).fill(**FILLED, souvenir="oui").press(phone, page)
    assert "Ce téléphone vous reconnaît" in words(done)

    trainer = next_week(app)
    page = scan(app, phone, wall(app, trainer))
    assert "Signer comme Zoé Martin" in words(page)
    assert "zoe@exemple.fr" not in page.text
    done = form_with(page, "connu").press(phone, page)
    assert "C’est noté, Zoé Martin" in words(done)
    assert "1 personne a signé" in words(trainer.get(room(app)))
    assert len(people_named(app, "Martin")) == 1

    # The secret is good for check-in at this campus, and for nothing else.
    assert "Zoé" not in phone.get("/mes-badges").text
    assert phone.get("/compte").status_code in (303, 401)

    trainer = next_week(app)
    page = scan(app, phone, wall(app, trainer))
    forgot = form_at(page, "/presence/oublier").press(phone, page)
    assert "ne vous reconnaît plus" in words(forgot)
    assert "Signer comme" not in words(scan(app, phone, wall(app, trainer)))
    assert form_with(page, "connu").press(phone, page).status_code == 409


def test_phone_is_remembered_neither_below_15_nor_unless_asked(app: App):
    trainer = app.client(app.trainer)
    opened(app, trainer)
    for number, more in enumerate(({}, {"age": "moins", "souvenir": "oui"})):
        phone = app.client()
        page = scan(app, phone, wall(app, trainer))
        name = {"prenom": f"Zoé{'ab'[number]}", "adresse": ""}
        assert form_of(page).fill(**{**FILLED, **name, **more}).press(phone, page).status_code == 200
        assert "known-phone" not in phone.cookies


def test_presence_is_taken_back_from_the_phone_that_signed(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    done = form_of(page).fill(**FILLED).press(phone, page)
    back = form_at(done, "/presence/reprendre").press(phone, done)
    assert "Votre présence est retirée" in words(back)
    assert "0 personne a signé" in words(trainer.get(room(app)))
    assert "Participants (0)" in words(trainer.get(f"/gestion/itip/activites/{app.activity.id}"))
    other = app.client()
    assert form_at(done, "/presence/reprendre").press(other, done).status_code in (403, 409)
    # The person changed their mind and signs again.
    page = scan(app, phone, wall(app, trainer))
    assert form_of(page).fill(**FILLED).press(phone, page).status_code == 200
    assert "1 personne a signé" in words(trainer.get(room(app)))


def test_stored_signature_that_arrives_late_is_recorded_with_both_times(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    app.clock.move(minutes=20)
    send(trainer, room(app), {"geste": "fermer"})
    app.clock.move(minutes=70)
    late = form_of(page).fill(**FILLED, ecoule="240")
    assert "C’est noté, Zoé Martin" in words(late.press(phone, page))
    assert "déjà noté" in words(late.press(phone, page))
    shown = words(trainer.get(room(app)))
    assert "1 personne a signé" in shown
    # Scanned at 13:00 in Paris, signed four minutes later, received an hour and a half after the scan.
    assert "13 h 04" in shown
    assert "Signée sans réseau, reçue à 14 h 30" in shown


def next_week(app: App) -> TestClient:
    """Another activity of the campus, with its own check-in; the trainer signs in anew."""
    app.clock.move(days=7)
    day = app.clock().date()
    with app.unit_of_work() as services:
        app.activity = services.activities.create(
            Activity(kind=ActivityKind.WORKSHOP, title="Atelier suivant", starts_on=day, ends_on=day),
            [app.campus],
            by=COMMAND,
        )
    trainer = app.client(app.trainer)
    opened(app, trainer)
    return trainer


def people_named(app: App, family_name: str) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
    return [person.name for _, person in there if person.family_name == family_name]


def test_a_stream_reports_changes_without_names(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))

    async def watched() -> list[str]:
        stream = versions_of(lambda: _seen(app.process, app.campus, app.activity.id))
        result = [await anext(stream)]
        await asyncio.to_thread(lambda: form_of(page).fill(**FILLED).press(phone, page))
        result.append(await anext(stream))
        await asyncio.to_thread(lambda: send(trainer, room(app), {"geste": "fermer"}))
        return result + [word async for word in stream]

    result = asyncio.run(watched())
    assert len(result) == 4
    assert result[0] != result[1] != result[2]
    assert result[-1] == "retry: 4000\n\n"
    assert "Zoé" not in "".join(result)


def test_listed_people_who_did_not_sign_are_unticked_with_one_button(app: App):
    app.record("KEÏTA Moussa", "HADDAD Yasmine")
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    form_of(page).fill(**{**FILLED, "prenom": "Moussa", "nom": "Keïta", "adresse": ""}).press(phone, page)
    shown = trainer.get(room(app))
    assert "1 personne inscrite n’a pas signé" in words(shown)
    form_with(shown, "decocher").press(trainer, shown, ("geste", "decocher-non-signes"))
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
    assert [person.name for _, person in there] == ["Moussa Keïta"]


def test_an_ambiguous_signature_is_decided_by_the_trainer_with_one_tap(app: App):
    app.record("MARTIN Zoé", "MARTIN Zoé (2)")
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    done = form_of(page).fill(**FILLED).press(phone, page)
    assert done.status_code == 200
    assert "C’est noté, Zoé Martin" in words(done)

    listed = trainer.get(room(app))
    assert "Laquelle des deux personnes du nom de Zoé Martin" in words(listed)
    assert "1 signature attend" in words(trainer.get(f"/gestion/itip/activites/{app.activity.id}"))
    form = form_with(listed, "reponse")
    assert len(form.buttons) == 3
    assert form.press(trainer, listed, form.buttons[1]).status_code == 303

    after = words(trainer.get(room(app)))
    assert "Laquelle" not in after
    assert "Zoé Martin (2) zoe@exemple.fr" in after
    assert "1 signature attend" not in words(trainer.get(f"/gestion/itip/activites/{app.activity.id}"))


def test_name_of_a_listed_person_is_shown_as_it_was_typed(app: App):
    """A record found under an approximate name gives neither its spelling nor whether it has an address."""
    app.record("N’DIAYE;Zoé;zoe@exemple.fr")
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    typed = FILLED | {"prenom": "zoe", "nom": "n diaye", "adresse": ""}
    done = form_of(page).fill(**typed).press(phone, page)
    assert "C’est noté, zoe n diaye" in words(done)
    assert "Votre nom était déjà sur la liste" in words(done)
    assert "arrive par e-mail si le campus connaît votre adresse, sinon sur papier" in words(done)
    again = scan(app, phone, wall(app, trainer))
    assert "Diaye" not in words(done) + words(again)


@pytest.mark.parametrize(
    ("audience", "answer", "group"),
    [
        ("Étudiants", "moins", "under_15"),
        ("Étudiants", "plus", "from_15"),
        ("Étudiants", "majeur", "adult"),
        ("Lycéens", "plus", "from_15"),
        ("Lycéens", "majeur", "adult"),
        ("Collégiens", "majeur", "pupil"),
        ("Collégiens et lycéens", "majeur", "pupil"),
    ],
)
def test_age_answered_at_check_in_is_the_one_recorded(app: App, audience: str, answer: str, group: str):
    """« 18 or more » from a phone is not trusted at an activity with children: a trainer records it."""
    with app.unit_of_work() as services:
        services.activities.get(app.campus, app.activity.id).audience = audience
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    assert ("le notera dans votre fiche" in words(page)) == (group == "pupil")
    form_of(page).fill(**FILLED | {"age": answer}).press(phone, page)
    with app.unit_of_work(reading=True) as services:
        ((_, person),) = services.activities.activities.participants(app.activity.id)
        assert person.age_group == group


@pytest.mark.parametrize("noted", [AgeGroup.UNDER_15, AgeGroup.FROM_15])
def test_adult_answered_at_check_in_lowers_no_age_group_that_was_noted(app: App, noted: AgeGroup):
    app.record("MARTIN;Zoé;zoe@exemple.fr")
    with app.unit_of_work() as services:
        ((_, person),) = services.activities.activities.participants(app.activity.id)
        services.age_bands.set_group(person, noted, by=COMMAND)
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    form_of(page).fill(**FILLED | {"age": "majeur"}).press(phone, page)
    with app.unit_of_work(reading=True) as services:
        ((_, person),) = services.activities.activities.participants(app.activity.id)
        assert person.age_group is noted


def button(page: Response, name: str, verb: str) -> tuple[str, str]:
    (found,) = (each for each in form_of(page).buttons if each[0] == name and each[1].startswith(verb))
    return found


def test_exchanged_name_is_asked_about_once_and_put_right_with_one_tap(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    asked = form_of(page).fill(**{**FILLED, "prenom": "Martin", "nom": "Zoé"}).press(phone, page)
    assert asked.status_code == 422
    assert "Prénom et nom sont-ils dans le bon ordre" in words(asked)
    assert "prénom « Zoé », nom « Martin »" in words(asked)
    assert form_of(asked).fields["prenom"] == ["Martin"]

    done = form_of(asked).press(phone, asked, button(asked, "nom-relu", "corriger"))

    assert done.status_code == 200
    assert "Zoé Martin" in words(trainer.get(room(app)))


def test_a_name_confirmed_as_typed_is_not_asked_about_again(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    asked = form_of(page).fill(**{**FILLED, "prenom": "Martin", "nom": "Zoé", "age": ""}).press(phone, page)
    again = form_of(asked).press(phone, asked, button(asked, "nom-relu", "garder"))
    assert "Choisissez votre âge" in words(again)
    assert "bon ordre" not in words(again)
    other = form_of(again).fill(nom="Chloé").press(phone, again)
    assert "bon ordre" in words(other), "the answer was about another name"

    done = form_of(again).fill(age="plus", nom="Zoé").press(phone, again)

    assert done.status_code == 200
    assert "Martin Zoé" in words(trainer.get(room(app)))


def test_address_of_a_domain_typed_wrong_is_asked_about_beside_the_name(app: App):
    trainer, phone = app.client(app.trainer), app.client()
    opened(app, trainer)
    page = scan(app, phone, wall(app, trainer))
    typed = {**FILLED, "prenom": "Martin", "nom": "Zoé", "adresse": "zoe@gmial.com"}
    asked = form_of(page).fill(**typed).press(phone, page)
    assert "Ou plutôt : zoe@gmail.com ?" in words(asked)
    still = form_of(asked).press(phone, asked, button(asked, "nom-relu", "garder"))
    assert still.status_code == 422
    assert "bon ordre" not in words(still)

    done = form_of(still).press(phone, still, button(still, "adresse-relu", "corriger"))

    assert done.status_code == 200
    shown = words(trainer.get(room(app)))
    assert "Martin Zoé" in shown
    assert "zoe@gmail.com" in shown


def test_an_unreadable_participant_limit_is_refused_at_its_field(app: App):
    trainer = app.client(app.trainer)
    for _ in range(2):
        refused = send(trainer, room(app), {"geste": "ouvrir", "places": "trente"})
        assert (refused.status_code, 'id="places-erreur"' in refused.text) == (422, True)
        assert 'value="trente"' in refused.text
        opened(app, trainer)
