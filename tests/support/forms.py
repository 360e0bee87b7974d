"""Forms of a page, submitted as by a browser without scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from fastapi.testclient import TestClient
from httpx import Response


@dataclass
class Form:
    """The values of the form's fields; `fields` may be changed before it is sent."""

    action: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def fill(self, **values: str | list[str]) -> Form:
        """Set fields; underscores in names stand for hyphens."""
        for name, value in values.items():
            self.fields[name.replace("_", "-")] = value if isinstance(value, list) else [value]
        return self

    def press(
        self, client: TestClient, page: Response, button: tuple[str, str] | None = None, **sent
    ) -> Response:
        """Submit the form with `button` (name, value), which must be on the page."""
        assert button is None or button in self.buttons, f"no button {button} among {self.buttons}"
        fields = {**self.fields, **({button[0]: [button[1]]} if button else {})}
        return read_on(client, client.post(self.action or str(page.url), data=fields, **sent))


DRAFT = re.compile(r"/(attribuer|participants/liste|competences/importer)/[0-9a-f-]{36}(#[a-z0-9-]+)?$")


def read_on(client: TestClient, answer: Response) -> Response:
    """Follow the redirect to a saved draft, if the response is one."""
    location = answer.headers.get("location", "")
    return client.get(location) if DRAFT.search(location) else answer


def form_with(page: Response, name: str) -> Form:
    """The only form with a field or button of that name."""
    found = [form for form in forms_of(page) if name in form.fields or name in dict(form.buttons)]
    assert len(found) == 1, f"{len(found)} forms with a field {name!r}: {page.status_code} {page.text[:500]}"
    return found[0]


def forms_of(page: Response) -> list[Form]:
    reader = _Forms()
    reader.feed(page.text)
    return reader.forms


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._text_of = ""
        self._select = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self._form = Form(given.get("action") or "")
            self.forms.append(self._form)
        if self._form is None:
            return
        if tag == "option" and ("selected" in given or self._select not in self._form.fields):
            self._form.fields[self._select] = [value]
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._text_of = name
            self._form.fields[name] = [""]
        elif tag == "button":
            self._form.buttons.append((name, value))
        elif tag == "input" and given.get("type") in ("radio", "checkbox"):
            kept = self._form.fields.setdefault(name, [])
            if "checked" in given:
                kept.append(value)
        elif tag == "input" and name and given.get("type") != "file":
            self._form.fields.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._text_of and self._form is not None:
            so_far = self._form.fields[self._text_of][0]
            # HTML parsers ignore a line break at the start of a textarea.
            self._form.fields[self._text_of] = [so_far + (data if so_far else data.removeprefix("\n"))]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text_of = ""
        elif tag == "form":
            self._form = None
