"""What a refused form tells: a summary of its faults in the order of the fields, which has the focus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import accumulate
from typing import Final

from app.language import labelled

Fault = tuple[str, str]
"""The id of a field, empty where the page does not show it, and the sentence."""
WriteSummary = Callable[[list[Fault], bool], str]
"""`ui.summary`: the faults, and whether everything typed is on the page again."""
CONFLICT: Final = 409
_SUFFIX: Final = "-erreur"
_GIVEN: Final = "data-faults"
_AUTOFOCUS: Final = re.compile(r'("[^"]*")|\sautofocus(?:="")?(?=[\s>])')
_BREAKS: Final = re.compile(r"[ \t\r\n\f]+")
"""White space of HTML: spaces that do not break are none."""
_NUMBER: Final = re.compile(r"\d[\d\s.,]*")
_NEVER_SHOWN_AGAIN: Final = frozenset({"password", "file"})


def with_summary(html: str, write_summary: WriteSummary, status: int) -> str:
    """The page with a summary of the faults at its fields: where `ui.errors` is, else before their form.

    On a conflict what stands at the fields is no fault, unless `ui.errors` lists it. The focus goes to the summary,
    or else to the first alert of a refused page; folded parts that contain a fault are opened.
    """
    is_refused = status >= 400 and 'role="alert"' in html
    has_faults = f'{_SUFFIX}"' in html or _GIVEN in html
    if not (is_refused or has_faults) and html.count(" autofocus") < 2:
        return html
    page = _Page(html)
    faults = page.faults() if page.is_listed or status != CONFLICT else []
    edits = [(start, start, " open") for start in page.folds_to_open]
    focus = page.alert if is_refused else page.focused[0] if page.focused else None
    if faults and page.summary is not None:
        edits.append((*page.summary, str(write_summary(faults, page.shows_all_again))))
        focus = None
    edits += [
        (start, start + len(tag), _blurred(tag)) for start, tag in page.focused if (start, tag) != focus
    ]
    if focus is not None and focus not in page.focused:
        edits.append((focus[0] + len(focus[1]) - 1,) * 2 + (' tabindex="-1" autofocus',))
    for start, end, text in sorted(edits, reverse=True):
        html = html[:start] + text + html[end:]
    return html


def _blurred(tag: str) -> str:
    return _AUTOFOCUS.sub(lambda found: found[1] or "", tag)


class _Page(HTMLParser):
    """Reads our own HTML: attributes are in double quotes, and no form or group is inside another."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.summary: tuple[int, int] | None = None
        """What the summary replaces."""
        self.is_listed = _GIVEN in html
        self.alert: tuple[int, str] | None = None
        self.focused: list[tuple[int, str]] = []
        self.folds_to_open: list[int] = []
        self.shows_all_again = True
        self._texts: dict[str, dict[str, str]] = {"label": {}, "given": {}, "fault": {}}
        self._order: dict[str, int] = {}
        self._lines = [0, *accumulate(len(line) + 1 for line in html.split("\n"))]
        self._folds: list[int] = []
        self._form: int | None = None
        self._group = ""
        self._given_from: int | None = None
        self._kind = self._key = ""
        self._words: list[str] = []
        self._is_aside = False
        self.feed(html)
        self.close()

    def faults(self) -> list[Fault]:
        """By position of the fields, each sentence once. One of several fields follows the label of each, as do
        sentences that differ by a number alone."""
        found = self._texts["given"] | self._texts["fault"]
        times = Counter(_NUMBER.sub("", text) for text in found.values())
        labels, last = self._texts["label"], len(self._order)
        return [
            (
                key if key in self._order else "",
                labelled(labels[key], text) if times[_NUMBER.sub("", text)] > 1 and labels.get(key) else text,
            )
            for key, text in sorted(found.items(), key=lambda fault: self._order.get(fault[0], last))
        ]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        key, at = given.get("id", ""), self._offset()
        if key:
            self._order.setdefault(key, len(self._order))
        if "autofocus" in given:
            self.focused.append((at, self.get_starttag_text() or ""))
        if given.get("role") == "alert" and "hidden" not in given and self.alert is None:
            self.alert = (at, self.get_starttag_text() or "")
        if given.get("type") in _NEVER_SHOWN_AGAIN:
            self.shows_all_again = False
        if _GIVEN in given:
            self._given_from = at
        elif tag == "form":
            self._form = at
        elif tag == "fieldset":
            self._group = key
        elif tag == "details":
            self._folds.append(-1 if "open" in given else at + len("<details"))
        elif tag == "input" and self._kind == "label":
            self._key = self._key or key
        self._begin_text(tag, given, key)

    def _begin_text(self, tag: str, given: dict[str, str], key: str) -> None:
        if tag == "label":
            self._kind, self._key = "label", given.get("for", "")
        elif tag == "legend":
            self._kind, self._key = "label", self._group
        elif tag == "a" and self._given_from is not None:
            self._kind, self._key = "given", given["href"].removeprefix("#")
        elif key.endswith(_SUFFIX) and given.get("class") == "error":
            self._kind, self._key = "fault", key.removesuffix(_SUFFIX)
            self._meet_fault()
        elif tag == "span":
            self._is_aside = self._kind == "label" and given.get("class", "") not in ("", "vh")

    def _meet_fault(self) -> None:
        self.folds_to_open += [start for start in self._folds if start >= 0]
        self._folds = [-1] * len(self._folds)
        if self.summary is None and self._form is not None:
            self.summary = (self._form, self._form)

    def handle_data(self, data: str) -> None:
        if self._kind and not self._is_aside:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._is_aside = False
        elif tag == "details":
            self._folds.pop()
        elif tag == "form":
            self._form = None
        elif tag == "div" and self._given_from is not None:
            self.summary = self.summary or (self._given_from, self._offset() + len("</div>"))
            self._given_from = None
        elif tag in ("label", "legend", "a", "p") and self._kind:
            self._texts[self._kind].setdefault(self._key, _BREAKS.sub(" ", "".join(self._words)).strip(" "))
            self._kind, self._words = "", []

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
