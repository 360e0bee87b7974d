"""Submits invalid values in the forms of a page, and checks the error page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from app.http.pages.faults import CONFLICT

TEXTUAL = frozenset(
    {"text", "search", "email", "tel", "url", "number", "date", "time", "datetime-local", "range"}
)
WRONG = {
    "date": "demain",
    "time": "midi",
    "datetime-local": "demain",
    "email": "sans arobase",
    "number": "beaucoup",
}
GIVEN = {
    "date": "2026-12-10",
    "time": "10:00",
    "datetime-local": "2026-12-10T10:00",
    "email": "camille.durand@exemple.fr",
    "number": "2",
    "url": "https://exemple.fr/page",
}
GIVEN_TEXT = "Un texte pour essayer, assez long."
HandedIn = tuple[str, tuple[str, bytes, str]]
NO_PICTURE = ("badge.png", b"Rien de ce que ce champ attend.", "image/png")
LONG = 12_000
EMPTY, MISTAKEN, OVERLONG = "empty", "wrong", "overlong"
KINDS = (MISTAKEN, OVERLONG, EMPTY)
_NUMBERED = re.compile(r"(?:(?<=^texte)|(?<=^public)|(?=-\d)|(?=-[0-9a-f]{8}-))-.+$")
_ID = re.compile(r"[0-9a-f]{8}-[-0-9a-f]{27}")
_VOID = frozenset({"input", "br", "img", "meta", "link", "hr", "wbr", "source", "area", "base", "col"})


@dataclass
class Field:
    name: str
    type: str
    value: str = ""
    is_on: bool = True
    """Whether the field is submitted; false for an unticked box."""
    ids: tuple[str, ...] = ()
    """Ids of the field and its enclosing elements, any of which may carry the error."""
    is_required: bool = False
    option: str = ""
    """The first selectable option of a list."""


@dataclass
class PostedForm:
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    can_be_sent: bool = False
    is_hidden: bool = False
    """Whether only a script shows the form."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(each.name for each in self.fields if each.type != "hidden")

    def filled(self, kind: str) -> dict[str, list[str]]:
        """Hidden fields are unchanged: they identify the subject of the page."""
        sent: dict[str, list[str]] = {}
        for each in self.fields:
            if each.type == "file":
                continue
            if each.type == "hidden":
                values = [each.value]
            elif each.type in ("checkbox", "radio"):
                values = ["inconnu"] if kind == MISTAKEN and each.name not in sent else []
            elif kind == EMPTY:
                values = [""]
            elif kind == MISTAKEN:
                values = [WRONG.get(each.type, "?!" if each.type in TEXTUAL | {"textarea"} else "inconnu")]
            else:
                values = ["é" * LONG if each.type in TEXTUAL | {"textarea"} else each.value]
            sent.setdefault(each.name, []).extend(values)
        for name, value in self.buttons[:1]:
            sent.setdefault(name, []).append(value)
        return sent

    def with_one_wrong(self) -> Iterator[tuple[str, dict[str, list[str]], list[HandedIn]]]:
        """As the page stands, required fields filled in, but for one field: its name, and what to send.

        One field stands for those that differ by a number or an id alone. Boxes are left out: only a forged form
        has another value.
        """
        alike = set[str]()
        for each in self.fields:
            kind = _NUMBERED.sub("", each.name)
            if each.type in ("hidden", "checkbox", "radio") or kind in alike:
                continue
            alike.add(kind)
            sent = self.as_it_stands()
            if each.type == "file":
                yield each.name, sent, [(each.name, NO_PICTURE)]
            else:
                sent[each.name] = [WRONG.get(each.type, "inconnu" if each.type == "select" else "é" * LONG)]
                yield each.name, sent, []

    def as_it_stands(self) -> dict[str, list[str]]:
        sent: dict[str, list[str]] = {}
        for each in self.fields:
            if each.type == "file" or (each.type in ("checkbox", "radio") and not each.is_on):
                continue
            value = each.value.strip("\n") or each.option
            sent.setdefault(each.name, []).append(
                GIVEN.get(each.type, GIVEN_TEXT) if each.is_required and not value else value
            )
        for name, value in self.buttons[:1]:
            sent.setdefault(name, []).append(value)
        return sent

    def files(self, kind: str) -> list[HandedIn]:
        files = [each.name for each in self.fields if each.type == "file"]
        return [(each, ("", b"", "image/png") if kind == EMPTY else NO_PICTURE) for each in files]


@dataclass
class Element:
    tag: str
    given: dict[str, str]
    text: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


class ReadPage(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.forms: list[PostedForm] = []
        self._open: list[Element] = []
        self._form: PostedForm | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attributes})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)
        if tag == "form":
            self._form = PostedForm(element.given.get("action", ""), element.given.get("method", "get"))
            self._form.is_hidden = "hidden" in element.given
            self.forms.append(self._form)
        elif self._form is not None:
            self._read_field(self._form, tag, element.given)

    def _read_field(self, form: PostedForm, tag: str, given: dict[str, str]) -> None:
        name, value, kind = given.get("name", ""), given.get("value", ""), given.get("type", "text")
        around = (each.given.get(name, "") for each in self._open for name in ("id", "aria-labelledby"))
        ids = tuple(filter(None, dict.fromkeys([*around, given.get("id", "")])))
        is_required = "required" in given
        if tag == "option" and form.fields:
            field = form.fields[-1]
            field.option = field.option or value
            if "selected" in given or not field.is_on:
                field.value, field.is_on = value, True
        elif tag == "select":
            form.fields.append(Field(name, "select", is_on=False, ids=ids))
        elif tag == "textarea":
            form.fields.append(Field(name, "textarea", ids=ids, is_required=is_required))
        elif tag == "button" and given.get("type", "submit") == "submit" and "formnovalidate" not in given:
            form.can_be_sent = True
            form.buttons += [(name, value)] if name else []
        elif tag == "input" and name:
            is_on = kind not in ("checkbox", "radio") or "checked" in given
            form.fields.append(
                Field(name, "hidden" if "readonly" in given else kind, value, is_on, ids, is_required)
            )

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text.append(data)
        if self._form is not None and self._open and self._open[-1].tag == "textarea":
            self._form.fields[-1].value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        while self._open:
            if self._open.pop().tag == tag:
                break

    @property
    def links(self) -> list[str]:
        """Sorted by text, because ids, and so the order of a list, differ between demos."""
        links = (each for each in self.elements if each.tag == "a" and "href" in each.given)
        return [each.given["href"] for each in sorted(links, key=lambda link: link.words)]

    def with_attribute(self, name: str, value: str | None = None) -> list[Element]:
        return [
            each
            for each in self.elements
            if name in each.given and (value is None or each.given[name] == value)
        ]

    def faults(self) -> list[tuple[str, str]]:
        return [
            (each.given["id"].removesuffix("-erreur"), each.words)
            for each in self.elements
            if each.given.get("id", "").endswith("-erreur") and "error" in each.given.get("class", "").split()
        ]


def broken_rules(html: str, status: int, form: PostedForm, sent: dict[str, list[str]]) -> Iterator[str]:
    """The rules for error pages that this page breaks."""
    page = ReadPage(html)
    alerts = [each for each in page.with_attribute("role", "alert") if "hidden" not in each.given]
    faults = page.faults()
    if not alerts:
        yield "no alert"
    focused = page.with_attribute("autofocus")
    if len(focused) != 1 or focused[0] not in alerts:
        yield "focus not at the alert" if len(focused) < 2 else "focus twice"
    title = next((each.words for each in page.elements if each.tag == "title"), "")
    if not title.startswith("Erreur"):
        yield "title without the mark"
    if status != CONFLICT:
        if not faults:
            yield "no field"
        elif focused:
            yield from _of_summary(page, focused[0], faults)
    yield from _of_fields(page, faults, html)
    if any(each.names == form.names for each in page.forms) or status != CONFLICT:
        yield from _not_shown_again(page, form, sent)


def faults_elsewhere(name: str, html: str) -> frozenset[tuple[str, str]]:
    """The faults of a page that came back, but those at the field of that name."""
    page = ReadPage(html)
    own = {key for form in page.forms for each in form.fields if each.name == name for key in each.ids}
    return frozenset(fault for fault in page.faults() if fault[0] not in own)


def _of_summary(page: ReadPage, summary: Element, faults: list[tuple[str, str]]) -> Iterator[str]:
    start = page.elements.index(summary)
    links = []
    for each in page.elements[start:]:
        if each.tag == "form" or each.given.get("id", "").endswith("-erreur"):
            break
        if each.tag == "a" and each.given.get("href", "").startswith("#"):
            links.append(each)
    links = links[: len(set(faults))]
    order = [each.given.get("id") for each in page.elements]
    expected = sorted({key for key, _ in faults if key in order}, key=order.index)
    if [each.given["href"][1:] for each in links] != expected:
        yield "summary without the fields in their order"
    if any(count > 1 for count in Counter(each.words for each in links).values()):
        yield "two links of the summary read the same"


def _of_fields(page: ReadPage, faults: list[tuple[str, str]], html: str) -> Iterator[str]:
    described = {
        key
        for each in page.with_attribute("aria-describedby")
        for key in each.given["aria-describedby"].split()
    }
    for key, _ in faults:
        if f"{key}-erreur" not in described:
            yield f"not connected: {key}"
        marked = page.with_attribute("id", key)
        if not marked:
            yield f"no field with this id: {key}"
        elif (
            marked[0].tag in ("input", "select", "textarea") and marked[0].given.get("aria-invalid") != "true"
        ):
            yield f"not marked as invalid: {key}"
    for sentence, count in Counter(sentence for _, sentence in faults).items():
        outside = [
            each for each in page.elements if each.words == sentence and each.tag in ("p", "b", "span", "div")
        ]
        kinds = {id(each) for each in outside if each.tag == "p"}
        if len(kinds) > count:
            yield f"sentence twice: {sentence[:40]}"


def _not_shown_again(page: ReadPage, form: PostedForm, sent: dict[str, list[str]]) -> Iterator[str]:
    shown: dict[str, set[str]] = {}
    for each in (each for one in page.forms for each in one.fields):
        shown.setdefault(each.name, set()).add(_tidied(each.value))
    for each in form.fields:
        if each.name not in shown and _ID.search(each.name):
            continue  # what it is about was removed by another form
        if each.type in TEXTUAL - {"range"} | {"textarea"}:
            for value in sent.get(each.name, ()):
                if _tidied(value) and _tidied(value) not in shown.get(each.name, set()):
                    yield f"not shown again: {_ID.sub('…', each.name)}"
                    break


def _tidied(text: str) -> str:
    return " ".join(text.split())
