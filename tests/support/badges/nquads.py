"""N-Quads files as quads, for the published canonicalisation tests."""

from __future__ import annotations

import re

from sceau_credentials.canonical.rdfc import Quad, escape

_TERM = r'(<[^>]*>|_:[^\s]+|"(?:[^"\\]|\\.)*"(?:@[A-Za-z0-9-]+|\^\^<[^>]*>)?)'
_QUAD = re.compile(rf"\s*{_TERM}\s+{_TERM}\s+{_TERM}\s*({_TERM})?\s*\.\s*(?:#.*)?")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"(.*)', re.DOTALL)
_SHORT = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_XSD_STRING = "^^<http://www.w3.org/2001/XMLSchema#string>"


def read_nquads(text: str) -> list[Quad]:
    """The quads of an N-Quads document, with terms in canonical form."""
    quads: list[Quad] = []
    for line in re.split(r"[\r\n]+", text):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _QUAD.fullmatch(line)
        assert match is not None, line
        subject, predicate, object_, graph = (_canonical(match.group(index) or "") for index in (1, 2, 3, 4))
        quads.append((subject, predicate, object_, graph))
    return quads


def _canonical(term: str) -> str:
    literal = _LITERAL.fullmatch(term)
    if literal is None:
        return _ESCAPE.sub(_character, term)
    text, suffix = literal.groups()
    suffix = "" if suffix == _XSD_STRING else _ESCAPE.sub(_character, suffix)
    return f'"{escape(_ESCAPE.sub(_character, text))}"{suffix}'


def _character(match: re.Match[str]) -> str:
    short, long, letter = match.groups()
    if letter:
        return _SHORT.get(letter, letter)
    return chr(int(short or long, 16))
