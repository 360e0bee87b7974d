"""The corpus: every person found or asked about, no false person ready, nothing lost."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.imports.lists.model import OF_IDENTITY, OF_PLACE, OF_SPLIT, Evidence, Line, Reason, State
from app.domain.imports.lists.text import decode
from app.domain.imports.lists.vocabulary.names import fold
from app.services.imports.lists import read_list_text
from tests.lists.scoring import Entry, Score, corpus, read_once, score_of

pytestmark = pytest.mark.usefixtures("reading_in_this_process")


def test_corpus_has_every_person_and_no_false_one(capsys: pytest.CaptureFixture[str]) -> None:
    total = sum((score_of(entry, read_once(entry.data)) for entry in corpus()), Score())
    with capsys.disabled():
        print(
            f"\nlists {len(corpus())}, people {total.people}: ready {total.ready}, asked without need {total.needless}, "
            f"lost {len(total.lost)}, false {len(total.false)}"
        )
    assert len(corpus()) >= 1400
    assert total.false == []
    assert total.lost == []
    assert total.needless <= 0.03 * total.people


def test_lists_of_one_file_ask_about_none_but_those_who_may_be_wrong() -> None:
    for entry in corpus():
        if entry.name.startswith("two-columns/"):
            reading = read_once(entry.data)
            doubtful = sum(one.state != "ready" for one in entry.people)
            assert score_of(entry, reading).needless == 0, entry.name
            assert len(reading.in_state(State.ASK)) <= doubtful, entry.name


def test_every_row_of_the_corpus_stands_in_its_reading() -> None:
    # Documents and marked-up text have no lines of their own.
    texts = [
        entry
        for entry in corpus()
        if not entry.name.startswith("documents")
        and entry.data[:1] not in b"<[B{"
        and entry.data[:2] not in (b"PK", b"%P")
    ]
    assert len(texts) > 300
    for entry in texts:
        if b"=?" not in entry.data:
            assert missing_from(entry) == [], entry.name


def missing_from(entry: Entry) -> list[str]:
    """Text of a list that no line of its reading shows."""
    text = unescape(decode(entry.data))
    shown = set(fold(" ".join(line.text for line in read_once(entry.data).lines)).split())
    return [word for word in fold(text).split() if word not in shown]


def test_a_ready_line_names_evidence_of_name_split_and_place() -> None:
    for entry in corpus():
        for line in read_once(entry.data).lines:
            found = frozenset(line.evidence)
            assert (line.state is State.READY) == bool(found), (entry.name, line.text)
            if found:
                assert found & OF_IDENTITY, (entry.name, line.text)
                assert found & OF_SPLIT, (entry.name, line.text)
                assert found & OF_PLACE, (entry.name, line.text)


def test_a_line_without_doubts_and_without_evidence_is_no_ready_line() -> None:
    assert Line(1, "Dupont Marie", "Marie", "Dupont").state is State.ASK
    rare = read_list_text("Nom;Prénom\nQwaombe;Thselu").lines[-1]
    assert rare.state is State.ASK
    assert read_list_text("Nom;Prénom\nQwaombe;Thselu", settled=[Reason.UNUSUAL]).lines[-1].evidence == (
        Evidence.CONFIRMED,
    )


@pytest.mark.parametrize(
    ("text", "given", "evidence"),
    [
        ("Nom;Prénom\nDUPONT;Marie", "Marie", {Evidence.GIVEN_NAME, Evidence.COLUMNS, Evidence.BODY}),
        ("Marie DUPONT\nLéa MARTIN", "Léa", {Evidence.CAPITALS, Evidence.ORDER, Evidence.SERIES}),
        ("Nom;Prénom;Mail\nRakoto;Tsiory;tsiory.rakoto@exemple.fr", "Tsiory", {Evidence.ADDRESS, Evidence.COLUMNS}),
        ("N°;Nom;Prénom\n1;RAKOTO;Tsiory\n2;DUPONT;Marie\n3;PETIT;Léa", "Tsiory", {Evidence.ROW, Evidence.CAPITALS}),
    ],
)  # fmt: skip
def test_a_ready_line_has_the_evidence_of_its_list(text: str, given: str, evidence: set[Evidence]) -> None:
    line = next(line for line in read_list_text(text).lines if line.given_name == given)
    assert line.state is State.READY
    assert evidence <= set(line.evidence)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Nom;Prénom\nMartin;Léa\nPetit;Tom\nSession 2;\nDupont;Marie", Reason.UNDER),
        ("Nom;Prénom\nMartin;Léa\nPetit;Tom\nLe bureau;\nNom;Prénom\nDupont;Marie", Reason.UNDER),
        ("Nom;Prénom\nMartin;Léa\nPetit;Tom\n\nNom;Prénom;Qualité\nDupont;Marie;experte", Reason.UNDER),
        ("Nom;Prénom;Diplôme\nMartin;Léa;BTS MCO\nPetit;Tom;BTS SIO\nRoux;Eva;BTS MCO\nDupont;Marie;Session 2", Reason.EXTRA),
        ("Nom;Prénom;Présence\nMartin;Léa;P\nPetit;Tom;P\nDupont;Marie;P ?", Reason.EXTRA),
        ("Nom;Prénom;J1;J2\nMartin;Léa;x;x\nPetit;Tom;x;x\nRoux;Eva;x;x\nDupont;Marie;x;", Reason.UNTICKED),
        ("Nom;Prénom;Attendance\nMartin;Léa;100%\nPetit;Tom;95%\nDupont;Marie;10%", Reason.EXTRA),
        ("Nom;Prénom;suspended\nMartin;Léa;0\nPetit;Tom;0\nDupont;Marie;1", Reason.WITHDRAWN),
        ("Eva ROUX\nMarie DUPONT\nPrésents\nLéa MARTIN\nTom PETIT", Reason.UNTICKED),
        ("De : Eva Roux <e.roux@exemple.fr>\nÀ : Marie Dupont <m.dupont@exemple.fr>\n\nLéa MARTIN\nTom PETIT", Reason.MAYBE_TITLE),
    ],
)  # fmt: skip
def test_who_stands_apart_from_the_list_is_asked_about(text: str, reason: Reason) -> None:
    lines = read_list_text(text).lines
    marie = next(line for line in lines if fold(line.name) == "marie dupont")
    assert marie.state is State.ASK
    assert reason in {doubt.reason for doubt in marie.doubts}, marie.doubts
    assert any(line.state is State.READY for line in lines)


def test_a_whole_name_beside_its_halves_is_no_family_name() -> None:
    lines = read_list_text("Nom;Votre nom;Votre prénom\nLéa MARTIN;MARTIN;Léa\nTom PETIT;PETIT;Tom").lines
    assert [line.name for line in lines if line.state is State.READY] == ["Léa Martin", "Tom Petit"]


def test_team_and_its_first_member_are_no_halves_of_a_name() -> None:
    lines = read_list_text(
        "Rouge;Ana Gil;Bastien Noir;Cyril Petit\nVerte;Dana Fox;Elias Blanc;Tom Roux"
    ).lines
    assert {line.state for line in lines} == {State.ASK}
    assert {"Bastien Noir", "Cyril Petit", "Elias Blanc", "Tom Roux"} <= {line.name for line in lines}


def test_people_above_a_heading_are_asked_about() -> None:
    lines = read_list_text("Marie;Dupont\nLéa;Martin\nPrénom;Nom\nTom;Petit").lines
    assert [line.name for line in lines if line.state is State.ASK] == ["Marie Dupont", "Léa Martin"]


_NAMES = st.sampled_from(
    ["Marie Dupont", "LE GOFF Anne", "N'Diaye Awa", "Léa", "M. et Mme Lopez", "de La Tour Jean", "Total : 3", "Absents :"]
)  # fmt: skip
_PIECES = st.one_of(
    _NAMES,
    st.sampled_from(["marie.dupont@exemple.fr", "<a@b.fr>", "x", "12/03/2009", "3 h", "06 12 34 56 78", "Nom", "Prénom", "• ", "1. "]),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Zs")), min_size=1, max_size=12),
)  # fmt: skip
_LINES = st.lists(
    st.builds(lambda pieces, mark: mark.join(pieces), st.lists(_PIECES, min_size=1, max_size=5), st.sampled_from([";", "\t", ", ", " ", "  ", " - "])),
    min_size=1,
    max_size=12,
)  # fmt: skip


@given(_LINES)
@example(["1. \tMarie Dupont\tMarie Dupont"])
def test_no_text_of_a_list_is_dropped(lines: list[str]) -> None:
    text = "\n".join(lines)
    reading = read_list_text("Liste\n" + text)
    shown: dict[str, int] = {}
    for line in reading.lines:
        for sign in fold(line.text).replace(" ", ""):
            shown[sign] = shown.get(sign, 0) + 1
    for sign in set(fold(text).replace(" ", "")):
        assert fold(text).count(sign) <= shown.get(sign, 0), (sign, [line.text for line in reading.lines])


@given(_LINES)
@example(["• ;Nom", "Marie Dupont;marie.dupont@exemple.fr"])  # a heading with fewer cells than its lines
def test_a_ready_line_has_both_names_without_foreign_signs(lines: list[str]) -> None:
    for line in read_list_text("\n".join(lines)).lines:
        if line.state is State.READY:
            assert line.given_name
            assert line.family_name
            assert not set(line.name) & set("0123456789<>@:;•")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Nom;Prénom\nDupont2;Marie", Reason.DIGITS),
        ("Nom;Prénom\nDupont;P@ul", Reason.ADDRESS_INVALID),
        ("Nom;Prénom\nElève;Marie", Reason.HEADING_WORD),
        ("Nom;Prénom\nDupont;", Reason.ONE_WORD),
        ("Nom;Prénom\nDupont;M.", Reason.ONE_WORD),
        ("Nom;Prénom\nDupont et Durand;Marie", Reason.COUPLE),
        ("Nom;Prénom;Mail\nDupont;Marie;contact@exemple.fr", Reason.ADDRESS_OF_OTHER),
        ("Nom;Prénom;Mail\nDupont;Marie;sophie.dupont@exemple.fr", Reason.ADDRESS_NOT_THEIRS),
        ("Nom;Prénom;Mail\nDupont;Marie;marie@exemple", Reason.ADDRESS_INVALID),
        ("Nom;Prénom;Mail\nDupont;Marie;marie@gmial.com", Reason.ADDRESS_TYPO),
        ("Nom;Prénom;Absent\nDupont;Marie;x", Reason.ABSENT),
        ("Nom;Prénom;Excusé\nDupont;Marie;x", Reason.EXCUSED),
        ("Nom;Prénom;Heures\nDupont;Marie;trois", Reason.HOURS_UNREADABLE),
        ("Nom;Prénom;Heures\nDupont;Marie;300", Reason.HOURS_HIGH),
        ("Thomas Martin", Reason.ORDER),
        ("Leclercq Fanny SNCF", Reason.SPLIT),
        ("Fanny LECLERCQ SNCF", Reason.SPLIT),
        ("Fanny Leclercq fanny@exemple.fr SNCF", Reason.EXTRA),
        ("Nom;Prénom\n" + "Machin Truc Bidule Chose Encore;Marie", Reason.LONG),
    ],
)
def test_a_suspect_line_names_its_reason(text: str, reason: Reason) -> None:
    line = read_list_text(text).lines[-1]
    assert line.state is State.ASK
    assert reason in {doubt.reason for doubt in line.doubts}


def test_a_line_that_lacks_a_half_proves_nothing_by_its_address() -> None:
    """« Kévin » alone with `kevin@` is no order of names, from which `chloe.martin@` would differ."""
    lines = read_list_text(
        "Nom;Prénom;Mél;Présence\nBENALI;Inès;ines.benali@exemple.fr;P\nMartin;Chloé;chloe.martin@exemple.fr;Excusée\n"
        "DUPRÉ Marine;;marine.dupre@exemple.fr;P\nNguyễn;Thị Mai;mai.nguyen@exemple.fr;P\n;Kévin;kevin@exemple.fr;P"
    ).lines[1:]
    reasons = [[doubt.reason for doubt in line.doubts] for line in lines]
    assert reasons == [[], [Reason.EXCUSED], [Reason.ONE_WORD], [], [Reason.ONE_WORD]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Nom;Prénom\nDupont;Marie\nMartin;Léa\n\nMarie ne viendra pas.", Reason.MENTIONED),
        ("Marie DUPONT\nLéa MARTIN\nExcusés : Marie Dupont, Tom Petit", Reason.MENTIONED),
        ("Marie DUPONT\nLéa MARTIN\n\nLes deux dernières sont absentes.", Reason.CONCERNED),
        ("Marie DUPONT\nLéa MARTIN\nTom PETIT\nPrésents : 2", Reason.COUNTED),
        ("Marie DUPONT\nLéa MARTIN\nTom PETIT\n\n2 absents", Reason.COUNTED),
        ("Marie DUPONT *\nLéa MARTIN\nTom PETIT", Reason.EXTRA),
        ("Élèves exclus du voyage\nMarie DUPONT\nLéa MARTIN", Reason.WITHDRAWN),
        ("Élèves dyslexiques\nMarie DUPONT\nLéa MARTIN", Reason.UNDER),
        ("Place;Nom;Prénom\nLA1;Dupont;Marie\n2;Martin;Léa\n3;Petit;Tom", Reason.EXTRA),
        ("Nom;Prénom;Samedi ?\nDupont;Marie;peut-être\nMartin;Léa;oui\nPetit;Tom;oui", Reason.EXTRA),
        ("Nom;Prénom;Motif\nDupont;Marie;\nMartin;Léa;grippe", Reason.BLANK),
    ],
)
def test_what_other_lines_say_of_a_person_is_asked_about(text: str, reason: Reason) -> None:
    marie = next(line for line in read_list_text(text).lines if fold(line.name) == "marie dupont")
    assert marie.state is State.ASK
    assert reason in {doubt.reason for doubt in marie.doubts}, marie.doubts


@pytest.mark.parametrize(
    "text",
    [
        "Merci à Xiuying Wang pour l’accueil.",
        "Total des inscrits : voir Fatoumata",
        "Signature du chef : Léa Petit et Tom Roux",
    ],
)
def test_no_name_stands_only_in_a_refused_line(text: str) -> None:
    reading = read_list_text(f"Nom;Prénom\nDupont;Marie\n{text}")
    named = [word for word in fold(text).split() if word in ("xiuying", "fatoumata", "lea", "tom")]
    asked = fold(" ".join(line.name for line in reading.in_state(State.ASK)))
    assert all(word in asked for word in named), asked


@pytest.mark.parametrize(
    ("written", "meant"),
    [("léa@exemple.fr", "lea@exemple.fr"), ("inès@gmial.com", "ines@gmail.com"), ("lea@gmial.com", "lea@gmail.com")],
)  # fmt: skip
def test_an_address_with_accents_or_a_mistyped_domain_is_asked_about_with_the_likely_one(
    written: str, meant: str
) -> None:
    (line,) = read_list_text(f"Nom;Prénom;Mail\nMartin;Léa;{written}\n").in_state(State.ASK)
    assert [doubt.suggestion for doubt in line.doubts] == [meant]


@pytest.mark.parametrize(
    ("heading", "cell", "hours"),
    [("Temps (min)", "90", 1.5), ("Total Duration (Minutes)", "118", 1.97), ("Durée en minutes", "45 min", 0.75),
     ("Durée (sec)", "7080", 1.97), ("Durée", "7", 7), ("Durée (h)", "35", 35)],
)  # fmt: skip
def test_hours_have_the_unit_that_their_heading_names(heading: str, cell: str, hours: float) -> None:
    read = read_list_text(f"Nom;Prénom;{heading}\nOury;Sonia;{cell}\nPoulain;Théo;{cell}\n")
    assert {line.hours for line in read.in_state(State.READY)} <= {hours, None}
    assert len(read.in_state(State.READY)) == 2


@pytest.mark.parametrize(
    "remark",
    [
        "à 10h", "arrivé 10h", "parti à 15h", "jusqu’à 16 h", "après 10h", "de 9h à 11h", "matin 8h", "créneau 14h",
        "venue à 9h, repartie 11h", "2/4 h", "2h sur 4h", "7h/jour", "10 h du matin", "10h30 en retard",
        "0 h", "0h", "0/20",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["DUPONT Marie – {}", "Dupont Marie ({})"])
def test_times_of_day_and_parts_of_a_whole_are_no_hours(remark: str, form: str) -> None:
    line = read_list_text("\n".join(("MARTIN Lucas", form.format(remark), "BERNARD Chloé"))).lines[1]
    assert (line.state, line.hours or None) == (State.ASK, None)


def test_a_late_arrival_is_no_duration() -> None:
    line = read_list_text("MARTIN Lucas\nDUPONT Marie – retard 10 min\nBERNARD Chloé").lines[1]
    assert (line.state, line.hours) == (State.READY, None)


@pytest.mark.parametrize(
    ("separator", "hours", "are_times"),
    [
        (";", ("9h", "9h20", "9h40"), True),
        (" ", ("9h", "9h30", "10h"), True),
        (" : ", ("9h00", "9h30", "10h00"), True),
        (";", ("7h", "7h", "3h30"), False),
        (" ", ("7h", "7h", "7h"), False),
        (";", ("2h", "3h", "4h"), False),
    ],
)
def test_rising_hours_without_a_heading_may_be_times_of_day(
    separator: str, hours: tuple[str, ...], are_times: bool
) -> None:
    names = [
        separator.join(name) for name in (("DUPONT", "Marie"), ("MARTIN", "Lucas"), ("BERNARD", "Chloé"))
    ]
    names = names if separator == ";" else [name.replace(separator, " ") for name in names]
    text = "\n".join(f"{name}{separator}{each}" for name, each in zip(names, hours, strict=True))
    lines = read_list_text(text).lines
    assert {line.state for line in lines} == {State.ASK if are_times else State.READY}
    assert all(line.hours is None for line in lines) is are_times


def test_an_unknown_word_under_attendance_is_asked_about() -> None:
    for word in ("Partial", "Missed", "Pending", "Left"):
        text = (
            f"Name,First name,Attendance\nDupont,Marie,Attended\nMartin,Lucas,{word}\nBernard,Chloé,Attended"
        )
        assert [line.state for line in read_list_text(text).lines[1:]] == [
            State.READY,
            State.ASK,
            State.READY,
        ]


def test_hours_over_those_of_the_activity_are_asked_about() -> None:
    text = "Nom;Prénom;Heures\nDupont;Marie;4"
    assert read_list_text(text, activity_hours=3).lines[-1].state is State.ASK
    assert read_list_text(text, activity_hours=4).lines[-1].state is State.READY


_GIVEN = st.sampled_from(
    ["Marie", "Léa", "Thomas", "Jean-Pierre", "Aïcha", "Enzo", "Chloé", "Mehdi", "Louise", "Nathan"]
)
_FAMILY = st.sampled_from(
    ["Dupont", "Lefebvre", "Garcia", "N'Guessan", "Le Goff", "Benali", "Morel", "Da Silva", "Roux-Petit"]
)
_AROUND = st.sampled_from(
    [
        "{0} {1}", "{1} {0}", "- {0} {1}", "{0} {1} : présent", "Merci à {0} {1} pour son aide.", "{0} {1} (2nde B)",
        "9h00 {0} {1}", "absent : {0} {1}", "{0} {1} <{2}>", "Je viens avec {0} {1}", "{1}, {0}", "{0} {1} 06 12 34 56 78",
        "{1} {0} ; {2}", "Groupe 2 : {0} {1}", "{0} {1} n'est pas venu.", "3) {1} {0} - {2}", "Total : {0} {1}",
        "x | {0} {1} | {2}", "Bonjour, c'est {0} {1}.", "{0}\t{1}\t{2}", "Atelier de {0} {1}",
    ]
)  # fmt: skip


@given(st.lists(st.tuples(_GIVEN, _FAMILY, _AROUND), min_size=1, max_size=8), st.booleans())
def test_whoever_is_named_stands_in_a_line(people: list[tuple[str, str, str]], heading: bool) -> None:
    lines = ["Liste des inscrits"] if heading else []
    for given_name, family, around in people:
        local = fold(f"{given_name}.{family}").replace(" ", ".")
        lines.append(around.format(given_name, family, f"{local}@exemple.fr"))
    reading = read_list_text("\n".join(lines))
    shown = [
        set(fold(f"{line.name} {line.address}").split()) | ({*fold(line.text).split()} if line.state is State.ASK else set())
        for line in reading.lines
        if line.state is not State.REFUSED or line.doubts[0].reason is Reason.REPEATED
    ]  # fmt: skip
    for given_name, family, _ in people:
        assert any(set(fold(f"{given_name} {family}").split()) <= words for words in shown), (
            lines,
            given_name,
            family,
        )
