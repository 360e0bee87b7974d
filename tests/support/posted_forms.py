"""The forms of a page, filled in wrongly, and what the page that comes back owes to who filled them in."""

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
LONG = 12_000
EMPTY, MISTAKEN, OVERLONG = "empty", "wrong", "overlong"
KINDS = (MISTAKEN, OVERLONG, EMPTY)
_VOID = frozenset({"input", "br", "img", "meta", "link", "hr", "wbr", "source", "area", "base", "col"})


@dataclass
class Field:
    name: str
    type: str
    value: str = ""
    is_on: bool = True
    """Sent as the page stands: not an unticked box."""


@dataclass
class PostedForm:
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    can_be_sent: bool = False
    is_hidden: bool = False
    """Shown by a script alone."""
    is_hidden: bool = False
    """A form that only a script shows."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(each.name for each in self.fields if each.type != "hidden")

    def filled(self, kind: str) -> dict[str, list[str]]:
        """Hidden fields stay: they are what the page is about."""
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

    def files(self, kind: str) -> list[tuple[str, tuple[str, bytes, str]]]:
        files = [each.name for each in self.fields if each.type == "file"]
        content = b"" if kind == EMPTY else b"Rien de ce que ce champ attend."
        name = "" if kind == EMPTY else "badge.png"
        return [(each, (name, content, "image/png")) for each in files]


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
        self.links: list[str] = []
        self._open: list[Element] = []
        self._form: PostedForm | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attributes})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)
        if tag == "a" and "href" in element.given:
            self.links.append(element.given["href"])
        if tag == "form":
            self._form = PostedForm(element.given.get("action", ""), element.given.get("method", "get"))
            self._form.is_hidden = "hidden" in element.given
            self.forms.append(self._form)
        elif self._form is not None:
            self._read_field(self._form, tag, element.given)

    def _read_field(self, form: PostedForm, tag: str, given: dict[str, str]) -> None:
        name, value, kind = given.get("name", ""), given.get("value", ""), given.get("type", "text")
        if tag == "option" and form.fields and ("selected" in given or not form.fields[-1].is_on):
            form.fields[-1].value, form.fields[-1].is_on = value, True
        elif tag == "select":
            form.fields.append(Field(name, "select", is_on=False))
        elif tag == "textarea":
            form.fields.append(Field(name, "textarea"))
        elif tag == "button" and given.get("type", "submit") == "submit" and "formnovalidate" not in given:
            form.can_be_sent = True
            form.buttons += [(name, value)] if name else []
        elif tag == "input" and name:
            is_on = kind not in ("checkbox", "radio") or "checked" in given
            form.fields.append(Field(name, "hidden" if "readonly" in given else kind, value, is_on))

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
    """What a page that refuses the form does not do as every one has to."""
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
        if each.type in TEXTUAL - {"range"} | {"textarea"}:
            for value in sent.get(each.name, ()):
                if _tidied(value) and _tidied(value) not in shown.get(each.name, set()):
                    yield f"not shown again: {re.sub('[0-9a-f]{8}-[-0-9a-f]+', '…', each.name)}"
                    break


def _tidied(text: str) -> str:
    return " ".join(text.split())
