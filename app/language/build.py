"""Extract the French sentences, bring a catalogue up to date, compile it: `python -m app.language.build`.

python -m app.language.build                       extract and update the English .po file
python -m app.language.build --translate FILE.json same, then fill in {"French": "English"} pairs
                                                   (plurals: {"French singular": ["English one", "English many"]})
python -m app.language.build --locale es …         same for another language; its catalogue is created if need be
python -m app.language.build --locale fr-tu …      same for what those under 15 read: only the sentences that use « tu »
python -m app.language.build --compile             only write the .mo files (for an image with folders that cannot be written)
"""

from __future__ import annotations

import argparse
import ast
import fcntl
import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.language import BRIDGE_LOCALE, DOMAIN, FAMILIAR, SOURCE_LOCALE, compile_po, known_locales, po_file

APP_FOLDER = Path(__file__).parent.parent
_FOLDERS = [folder for folder in (APP_FOLDER, APP_FOLDER.parent / "demo") if folder.is_dir()]
_TAKE_A_SENTENCE = (
    *("N_", "translated", "say", "StateLabel"),
    *("NotFound", "Gone", "NotSignedIn", "NotAllowed", "Conflict", "InvalidInput", "Unavailable", "TooMany"),
    "SettingRefused",
    *(
        "DkimUnusable",
        "KekUnusable",
        "LimitsUnusable",
        "ObjectStoreUnusable",
        "ProvidersUnusable",
        "ScannerUnusable",
        "SecretReplaced",
        "TelemetryUnusable",
    ),
)
KEYWORDS = {**DEFAULT_KEYWORDS, **dict.fromkeys(_TAKE_A_SENTENCE), "translated_plural": (1, 2)}
"""Of the errors, those of `app.errors` and of settings; other classes mark their sentences by N_."""


def sentences_of_python(
    file: BinaryIO,
    keywords: Collection[str],
    _tags: Collection[str],
    options: object,  # noqa: ARG001 - Babel's signature
) -> Iterator[tuple[int, str, tuple[str | None, ...], list[str]]]:
    """For Babel: its own reader misses a sentence that is marked inside another marked call or an f-string."""
    for node in ast.walk(ast.parse(file.read())):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[*arguments]) if (
                name in keywords
            ):
                texts = tuple(_text_of(each) for each in arguments)
                if texts and texts[0]:
                    yield node.lineno, name, texts, []


def _text_of(argument: ast.expr) -> str | None:
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


METHODS = [
    ("**.py", "app.language.build:sentences_of_python"),
    ("web/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
OPTIONS = {
    "web/templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"},
    "**/templates/**.txt": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"},
}


def extract() -> Catalog:
    """Every French sentence that code and templates ask to translate."""
    found = Catalog(domain=DOMAIN, project="Sceau", charset="utf-8")
    for folder in _FOLDERS:
        for file, _line, message, _comments, context in extract_from_dir(
            folder, METHODS, OPTIONS, keywords=KEYWORDS
        ):
            found.add(message, None, [(f"{folder.name}/{file}", 1)], context=context)
    return found


def load(locale: str) -> Catalog:
    with po_file(locale).open("rb") as file:
        return read_po(file, locale=_babel(locale), domain=DOMAIN)


def _babel(locale: str) -> str:
    return SOURCE_LOCALE if locale == FAMILIAR else locale


def update(locale: str, translations: Mapping[str, str | list[str]]) -> Catalog:
    """Updates the catalogue of `locale` from the sources; sentences no longer used are deleted."""
    if not po_file(locale).exists():
        po_file(locale).parent.mkdir(parents=True)
        _write(
            Catalog(_babel(locale), DOMAIN, project="Sceau", charset="utf-8", fuzzy=False), po_file(locale)
        )
    with _alone(po_file(locale)):
        catalog = load(locale)
        before = {message.id: message.string for message in catalog if message.id}
        catalog.update(extract(), no_fuzzy_matching=True, update_creation_date=False)
        for message in list(catalog):
            if message.id:
                fill(message, translations)
            if message.id and locale == FAMILIAR and not all(_forms(message)):
                catalog.delete(message.id, message.context)
        after = {message.id: message.string for message in catalog if message.id}
        if after != before:
            catalog.revision_date = datetime.now(UTC)
        _write(catalog, po_file(locale))
    return catalog


def fill(message: Message, translations: Mapping[str, str | list[str]]) -> None:
    plural = not isinstance(message.id, str)
    given = translations.get(_first(message))
    if given is None:
        return
    if plural != isinstance(given, list):
        raise SystemExit(f"One form or two? {message.id!r} was given {given!r}.")
    message.string = tuple(given) if isinstance(given, list) else given
    # Babel marks a sentence that has become a plural as fuzzy, until it is translated again.
    message.flags.discard("fuzzy")


def _first(message: Message) -> str:
    """The French sentence; of a plural, its singular."""
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> Sequence[str | None]:
    return message.string if isinstance(message.string, (list, tuple)) else (message.string,)


def _write(catalog: Catalog, path: Path) -> None:
    text = BytesIO()
    # File names without lines: a moved sentence should not change the catalogue.
    write_po(text, catalog, width=110, ignore_obsolete=True, sort_output=True, include_lineno=False)
    path.write_bytes(text.getvalue())


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Serialises concurrent updates of the same catalogue."""
    with path.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def missing(catalog: Catalog) -> list[str]:
    """French sentences that `catalog` does not translate yet."""
    return [_first(message) for message in catalog if message.id and not all(_forms(message))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.language.build", description=__doc__.splitlines()[0])
    parser.add_argument("--translate", type=Path, metavar="FILE.json", help="translations to fill in")
    parser.add_argument("--locale", default=BRIDGE_LOCALE, help="the language to update (en)")
    parser.add_argument("--compile", action="store_true", help="only write the .mo files")
    arguments = parser.parse_args()
    given = json.loads(arguments.translate.read_text("utf-8")) if arguments.translate else {}
    if arguments.compile:
        for locale in {*known_locales(), FAMILIAR} - {SOURCE_LOCALE}:
            po_file(locale).with_suffix(".mo").write_bytes(compile_po(po_file(locale)))
        return
    wanting = missing(update(arguments.locale, given))
    print(f"{arguments.locale}: {len(wanting)} to translate", *wanting, sep="\n  ", file=sys.stderr)


if __name__ == "__main__":
    main()
