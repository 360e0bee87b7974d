"""Lints on what people and machines will read: characters, links, names, criteria, evidence."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from sceau_credentials.issuing.draft import Draft, Finder, Part, Text
from sceau_credentials.issuing.lints.shape import Lint

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_INVISIBLE: Final = re.compile("[\u200b\u2060\ufeff\ufff9-\ufffb\ufffe\uffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ODD: Final = re.compile("|".join(each.pattern for each in (_CONTROL, _BIDI, _INVISIBLE, _SURROGATE)))
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
"""Characters that are categorised as letters but are invisible or resemble a space."""
_BLANKS: Final = re.compile(f"[{''.join(sorted(_BLANK))}]")
_BREAKS: Final = re.compile("[\t\n\v\f\r\x85\u2028\u2029]")
_MARKUP: Final = re.compile(r"<\s*+(?:/\s*+)?+[a-zA-Z!?]")
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_PLAIN_WEB_LINK: Final = re.compile(r"https?://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(?:/[!-Z_a-z~]*)?\Z", re.ASCII)
"""Narrower than what `_is_plain_web_link` accepts, and faster."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

_LINK_MEMBERS: Final = frozenset(
    {"id", "url", "targetUrl", "statusListCredential", "achievedLevel", "resultDescription"}
)
_PLAIN_MEMBERS: Final = frozenset(
    {"name", "shortName", "targetName", "caption", "humanCode", "familyName", "givenName"}
)
_NAMES: Final = _PLAIN_MEMBERS | {"identityHash"}
"""`identityHash` is a name too where nothing is hashed; a hash contains nothing that a name may not."""
_ID: Final = frozenset({"id"})
_IN_LANGUAGE: Final = frozenset({"inLanguage"})
_LOCAL: Final = frozenset({"localhost", "127.0.0.1"})
_SCHEMES: Final = frozenset({"https", "urn"})
_IDENTIFIED_OVER_HTTP: Final = "http://data.europa.eu/esco/"
"""The identifiers of ESCO are http URLs and have no other spelling; nothing else in a badge is."""


def no_control_character(draft: Draft) -> str | None:
    """Engines escape them differently when they write the bytes that are signed (performance notes)."""
    return draft.first(_control_characters)


def no_character_that_turns_the_reading_round(draft: Draft) -> str | None:
    return draft.first(_turning_characters)


def no_invisible_character(draft: Draft) -> str | None:
    return draft.first(_invisible_characters)


def no_lone_surrogate(draft: Draft) -> str | None:
    return draft.first(_lone_surrogates)


def _holding(pattern: re.Pattern[str]) -> Finder:
    """The texts that contain a character of this pattern, which is a part of `_ODD`."""

    def found(part: Part) -> list[Text]:
        if not _may_hold_odd(part):
            return []
        return [text for text in part.texts if pattern.search(text.value)]

    return found


def _may_hold_odd(part: Part) -> bool:
    """Printable characters, except the blanks, are never odd."""
    return not part.joined.isprintable() and _ODD.search(part.joined) is not None


_control_characters: Final = _holding(_CONTROL)
_turning_characters: Final = _holding(_BIDI)
_invisible_characters: Final = _holding(_INVISIBLE)
_lone_surrogates: Final = _holding(_SURROGATE)


def letters_are_composed(draft: Draft) -> str | None:
    return draft.first(_decomposed_letters)


def _decomposed_letters(part: Part) -> list[Text]:
    if unicodedata.is_normalized("NFC", part.joined):  # a blank is composed with nothing
        return []
    return [text for text in part.texts if not unicodedata.is_normalized("NFC", text.value)]


def names_are_plain_text(draft: Draft) -> str | None:
    return draft.first(_names_with_markup)


def _names_with_markup(part: Part) -> list[Text]:
    return [text for text in part.named(_NAMES) if holds_markup(text.value)] if "<" in part.joined else []


def is_unseen(character: str) -> bool:
    """Whether a reader of a name does not see it, or sees it reverse the text beside it."""
    return unicodedata.category(character) in _UNSEEN or character in _BLANK


def holds_markup(text: str) -> bool:
    """Whether some reader would parse it as a tag."""
    return _MARKUP.search(text) is not None


def names_hold_only_what_is_seen(draft: Draft) -> str | None:
    return draft.first(_names_that_hide)


def _names_that_hide(part: Part) -> list[Text]:
    # Printable characters are in no invisible category.
    names = [t for t in part.named(_NAMES) if not (t.value.isascii() or t.value.isprintable())]
    names += [t for t in part.named(_NAMES) if t not in names and _BLANKS.search(t.value)]
    return [text for text in names if any(map(_hides, text.value))]


def _hides(character: str) -> bool:
    return is_unseen(character) and not _BREAKS.match(character)


def names_are_one_line(draft: Draft) -> str | None:
    return draft.first(_broken_names)


def _broken_names(part: Part) -> list[Text]:
    return [text for text in part.named(_NAMES) if _BREAKS.search(text.value)]


def names_are_short(draft: Draft) -> str | None:
    return draft.first(_long_names)


def _long_names(part: Part) -> list[Text]:
    return [text for text in part.named(_PLAIN_MEMBERS) if not 0 < len(text.value.strip()) <= 300]


def passages_are_readable(draft: Draft) -> str | None:
    return draft.first(_long_passages)


def _long_passages(part: Part) -> list[Text]:
    if len(part.joined) <= 20_000:
        return []
    return [t for t in part.texts if len(t.value) > 20_000 and not t.value.startswith("data:image/")]


def links_are_absolute(draft: Draft) -> str | None:
    return draft.first(_relative_links)


def _relative_links(part: Part) -> list[Text]:
    return [text for text in part.named(_LINK_MEMBERS) if not _IRI.fullmatch(text.value)]


def links_have_a_known_scheme(draft: Draft) -> str | None:
    return draft.first(_links_of_other_schemes)


def _links_of_other_schemes(part: Part) -> list[Text]:
    return [text for text in part.named(_LINK_MEMBERS) if not _has_known_scheme(text)]


def _has_known_scheme(link: Text) -> bool:
    """https or urn; did for issuers, http for localhost and ESCO only; a picture may be a data URL."""
    scheme = link.value.partition(":")[0].lower()
    if scheme in _SCHEMES or (scheme == "did" and link.name == "id"):
        return True
    if scheme == "data":
        return link.pointer.endswith("/image/id")
    if scheme != "http":
        return False
    return link.value.startswith(_IDENTIFIED_OVER_HTTP) or _host_of(link.value) in _LOCAL


def _host_of(link: str) -> str | None:
    try:
        return urlsplit(link).hostname
    except ValueError:
        return None


def web_links_name_a_plain_host(draft: Draft) -> str | None:
    """Without user name, space, backslash or non-ASCII host, so that every parser reads the same host."""
    return draft.first(_links_to_odd_hosts)


def _links_to_odd_hosts(part: Part) -> list[Text]:
    return [text for text in part.named(_LINK_MEMBERS) if not _is_plain_web_link(text.value)]


def _is_plain_web_link(value: str) -> bool:
    if not value.startswith(("https:", "http:")) or _PLAIN_WEB_LINK.match(value):
        return True
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.netloc.isascii() and parts.port != 0
    except ValueError:
        return False


def own_links_are_encrypted(draft: Draft) -> str | None:
    """What the badge rests on is https; a framework it is aligned with may be named by an http URL."""
    named = (draft.document, draft.achievement, draft.issuer)
    links = [str(owner.get(member)) for owner in named for member in ("id", "url") if member in owner]
    links += [str(each.get("id")) for each in draft.objects(draft.document, "evidence") if "id" in each]
    links.append(str(draft.status.get("statusListCredential", "")))
    open_ones = [link for link in links if link.startswith("http:") and _host_of(link) not in _LOCAL]
    return open_ones[0] if open_ones else None


def images_are_png_or_svg(draft: Draft) -> str | None:
    return draft.first(_other_images)


def _other_images(part: Part) -> list[Text]:
    images = [t for t in part.named(_ID) if t.value.startswith("data:") and "/image/" in t.pointer]
    return [t for t in images if not t.value.startswith(("data:image/png;", "data:image/svg+xml"))]


def languages_are_tags(draft: Draft) -> str | None:
    return draft.first(_untagged_languages)


def _untagged_languages(part: Part) -> list[Text]:
    return [text for text in part.named(_IN_LANGUAGE) if not _LANGUAGE.fullmatch(text.value)]


def badge_has_a_name(draft: Draft) -> str | None:
    """Displayers must show one (A-028)."""
    named = all(isinstance(owner.get("name"), str) for owner in (draft.document, draft.achievement))
    return None if named else "/name"


def achievement_has_an_address(draft: Draft) -> str | None:
    identifier = str(draft.achievement.get("id"))
    return (
        None
        if identifier.startswith(("https://", "http://", "urn:uuid:"))
        else "/credentialSubject/achievement/id"
    )


def criteria_are_stated(draft: Draft) -> str | None:
    criteria = draft.achievement.get("criteria")
    has_criteria = isinstance(criteria, dict) and ("narrative" in criteria or "id" in criteria)
    return None if has_criteria else "/credentialSubject/achievement/criteria"


def evidence_says_something(draft: Draft) -> str | None:
    silent = [
        e for e in draft.objects(draft.document, "evidence") if not {"id", "narrative", "name"} & e.keys()
    ]
    return "/evidence" if silent else None


def evidence_is_named_once(draft: Draft) -> str | None:
    named = [e["id"] for e in draft.objects(draft.document, "evidence") if "id" in e]
    return None if len(set(map(str, named))) == len(named) else "/evidence"


def results_belong_to_the_achievement(draft: Draft) -> str | None:
    described = {each.get("id") for each in draft.objects(draft.achievement, "resultDescription")}
    strays = [
        r
        for r in draft.objects(draft.subject, "result")
        if r.get("resultDescription", None) not in {*described, None}
    ]
    return "/credentialSubject/result" if strays else None


LINTS: Final[tuple[Lint, ...]] = (
    no_control_character,
    no_character_that_turns_the_reading_round,
    no_invisible_character,
    no_lone_surrogate,
    letters_are_composed,
    names_are_plain_text,
    names_hold_only_what_is_seen,
    names_are_one_line,
    names_are_short,
    passages_are_readable,
    links_are_absolute,
    links_have_a_known_scheme,
    web_links_name_a_plain_host,
    own_links_are_encrypted,
    images_are_png_or_svg,
    languages_are_tags,
    badge_has_a_name,
    achievement_has_an_address,
    criteria_are_stated,
    evidence_says_something,
    evidence_is_named_once,
    results_belong_to_the_achievement,
)

TEXT_LINTS: Final[tuple[Lint, ...]] = (
    no_control_character,
    no_character_that_turns_the_reading_round,
    no_invisible_character,
    no_lone_surrogate,
    letters_are_composed,
    names_are_plain_text,
    names_hold_only_what_is_seen,
    names_are_one_line,
    links_have_a_known_scheme,
    web_links_name_a_plain_host,
)
"""Those that apply to any signed text, badge or not."""
