"""The summary of a refused form: generated from the page itself, whatever its template lists."""

from __future__ import annotations

import re

import pytest

from app.http.pages import render
from app.http.pages.faults import with_summary

NO_BREAKS = "\n Pas «\u00a0x\u00a0»,  2\u202f000 au plus."
WHERE = '<div data-faults><a href="#nom">Le nom manque.</a></div>'


def summary(faults: list[tuple[str, str]], shows_all_again: bool) -> str:
    links = "".join(f"[{key}|{sentence}]" for key, sentence in faults)
    return f"{links}{'' if shows_all_again else ' not all'} autofocus"


def field(key: str, sentence: str = "", *, label: str = "", more: str = "") -> str:
    error = f'<p class="error" id="{key}-erreur"><svg><path d=""/></svg>{sentence}</p>' if sentence else ""
    name = f'<label for="{key}">{label or key} <span class="soft">(facultatif)</span></label>'
    return f'{name}<input id="{key}"{more} value="a &lt; b autofocus c">{error}'


def written(html: str, status: int = 422) -> str:
    return with_summary(html, summary, status)


def test_a_page_without_a_fault_stays_as_it_is() -> None:
    html = f"<form>{field('nom', more=' autofocus')}</form>"
    assert written(html) == html


def test_summary_lists_the_faults_in_the_order_of_the_fields() -> None:
    given = '<div data-faults><a href="#fin">Trop tard.</a><a href="#nom">Trop long.</a></div>'
    page = f"<form>\u2028\n{given}<h1>é</h1>{field('nom', 'Trop long.')}\n{field('fin', 'Trop tard.')}</form>"
    assert written(page).startswith("<form>\u2028\n[nom|Trop long.][fin|Trop tard.] autofocus<h1>")


def test_fault_that_the_template_does_not_list_is_in_the_summary() -> None:
    page = f"<form>{WHERE}{field('nom', 'Le nom manque.')}{field('jour', 'Pas un jour.')}</form>"
    assert "<form>[nom|Le nom manque.][jour|Pas un jour.]" in written(page)


def test_page_that_has_no_summary_gets_one_before_the_form_of_its_faults() -> None:
    page = f"<main><form>{field('un')}</form>\n<form>{field('nom', 'Le nom manque.')}</form></main>"
    assert "</form>\n[nom|Le nom manque.] autofocus<form>" in written(page)


def test_sentence_of_two_fields_follows_their_labels() -> None:
    fields = field("a", "Trop long.", label='Le <b>prénom</b><span class="vh"> de Léa</span>') + field(
        "b", "Trop long.", label="Le nom"
    )
    found = written(f"<form>{fields}{field('c', 'Autre.')}</form>")
    assert "[a|Le prénom de Léa : Trop long.][b|Le nom : Trop long.][c|Autre.]" in re.sub("\\s:", " :", found)


def test_sentences_that_differ_by_a_number_follow_their_labels() -> None:
    fields = field("a", "120 signes au plus.", label="Nom") + field(
        "b", "6\u202f000 signes au plus.", label="Récit"
    )
    found = written(f"<form>{fields}</form>")
    assert "[a|Nom\u00a0: 120 signes au plus.][b|Récit\u00a0: 6\u202f000 signes au plus.]" in found


def test_spaces_that_do_not_break_stay_in_the_summary() -> None:
    found = written(f"<form>{field('a', NO_BREAKS)}</form>")
    assert "[a|Pas «\u00a0x\u00a0», 2\u202f000 au plus.]" in found


def test_a_group_and_a_box_are_named_by_their_own_labels() -> None:
    box = '<label class="choice"><input type="checkbox" id="accord"><span>J’accepte<span class="hint">Pour un an</span></span></label>'
    ticked = '<fieldset id="age"><legend>Votre âge</legend><label><input type="radio">15</label><p class="error" id="age-erreur">Il manque.</p></fieldset>'
    found = written(f'<form>{ticked}{box}<p class="error" id="accord-erreur">Il manque.</p></form>')
    assert "[age|Votre âge : Il manque.][accord|J’accepte : Il manque.]" in re.sub("\\s:", " :", found)


def test_fault_of_a_field_that_is_not_shown_has_no_link() -> None:
    page = (
        f'<form><div data-faults><a href="#debut">Pas un jour.</a></div>{field("nom", "Trop long.")}</form>'
    )
    assert "[nom|Trop long.][|Pas un jour.]" in written(page)


def test_only_the_summary_has_the_focus() -> None:
    page = f"<form>{field('mot', more=' autofocus')}{field('nom', 'Trop long.', more=' autofocus data-x')}</form>"
    found = written(page)
    assert re.sub(r'"[^"]*"', "", found).count("autofocus") == 1
    assert found.count('value="a &lt; b autofocus c"') == 2
    assert "[nom|Trop long.] autofocus<form>" in found


def test_alert_of_a_refused_page_without_faults_has_the_focus() -> None:
    alerts = '<p role="alert" hidden></p><div role="alert"><p>Trop tard.</p></div><div role="alert"></div>'
    page = f"<main>{alerts}<form>{field('mot', more=' autofocus')}</form></main>"
    found = written(page)
    assert '<div role="alert" tabindex="-1" autofocus><p>' in found
    assert re.sub(r'"[^"]*"', "", found).count("autofocus") == 1
    assert written(page, 200) == page


def test_notices_at_the_fields_on_a_conflict_are_not_faults() -> None:
    page = f'<div role="alert">Entre-temps.</div><form>{field("nom", "Actuellement : b")}</form>'
    assert "[nom" not in written(page, 409)
    assert '<div role="alert" tabindex="-1" autofocus>' in written(page, 409)
    assert "[nom|Pris.]" in written(f"<form>{WHERE}{field('nom', 'Pris.')}</form>", 409)


def test_of_two_questions_the_first_has_the_focus() -> None:
    page = f"<form>{field('nom', more=' autofocus')}{field('adresse', more=' autofocus')}</form>"
    assert re.findall(r'id="(\w+)" autofocus', written(page)) == ["nom"]


def test_folded_parts_with_a_fault_are_opened() -> None:
    inner = f"<details><summary>b</summary>{field('nom', 'Trop long.')}</details>"
    page = f"<form><details><summary>a</summary></details><details>{inner}</details><details open></details></form>"
    assert re.findall("<details[^>]*>", written(page)) == [
        "<details>",
        "<details open>",
        "<details open>",
        "<details open>",
    ]


@pytest.mark.parametrize(("type_", "is_whole"), [("text", True), ("password", False), ("file", False)])
def test_the_summary_mentions_typed_values_that_are_not_shown_again(type_: str, is_whole: bool) -> None:
    more = f' type="{type_}"'
    page = f"<form>{field('nom', 'Trop long.', more=more)}</form>"
    assert (" not all" in written(page)) is not is_whole


def test_the_summary_recognises_the_macros() -> None:
    ui = render.environment().globals["ui"]
    fields = ui.field("nom", "Nom", "a", error="Trop long.") + ui.choices("age", "Âge", [("1", "Un", "")], error="Trop long.")  # fmt: skip
    found = with_summary(f"<form>{ui.errors([('age', 'Trop long.')])}{fields}</form>", ui.summary, 422)
    assert re.findall('<a href="#(.*?)">(.*?)</a>', found) == [
        ("nom", "Nom\N{NO-BREAK SPACE}: Trop long."),
        ("age", "Âge\N{NO-BREAK SPACE}: Trop long."),
    ]
    assert found.count(" autofocus") == found.count('role="alert"') == 1
    assert "data-faults" not in found
    assert (found[:6], found[-7:]) == ("<form>", "</form>")


def test_every_sentence_at_a_field_is_connected_to_it() -> None:
    """A template names the field of `ui.problem` in `ui.described` too; the field macros do both."""
    for path in sorted(render.TEMPLATES.rglob("*.html")):
        text = path.read_text("utf-8")
        named = {kind: set(re.findall(rf"ui\.{kind}\(([^,]+),", text)) for kind in ("problem", "described")}
        assert named["problem"] == named["described"], path
        assert path.name == "forms.html" or not re.search(r'-erreur"|<p class="error" id=', text), path
