"""SVG: one element directly after the root's start tag, inserted as bytes and read as a stream."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from xml.parsers import expat

from sceau_credentials.baking.carrier import MAX_TEXT, Unbaked, check_size, is_compact_jws, the_one
from sceau_credentials.errors import ImageError

NAMESPACE_3: Final = "https://purl.imsglobal.org/ob/v3p0"  # E-011
_NAMESPACE_2: Final = "http://openbadges.org"  # E-017
_CREDENTIAL: Final = {f"{NAMESPACE_3} credential": "3.0", f"{_NAMESPACE_2} assertion": "2.0"}
_ROOTS: Final = ("http://www.w3.org/2000/svg svg", "svg")
_MAX_ELEMENTS: Final = 50_000
_MAX_DEPTH: Final = 256
_START_TAG: Final = re.compile(rb"""<[^\s/>"'=]++(?:[^>"']|"[^"]*"|'[^']*')*>""")
_PREFIX_BOUND: Final = re.compile(rb"""\sxmlns:openbadges\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_PUBLISHED: Final = re.compile(r"-//W3C//DTD SVG (?:1\.0|1\.1|1\.1 (?:Basic|Tiny)|20010904)//EN")
_NOT_XML: Final = re.compile("[\ufffe\uffff]")


class SvgMaster:
    """A drawing checked once, into which any number of credentials can be baked."""

    __slots__ = ("_head", "_tail")

    def __init__(self, svg: bytes) -> None:
        reader = _Reader(svg)
        if any(reader.found.values()):
            raise ImageError("already_baked")
        try:
            svg.decode()
        except UnicodeDecodeError:
            raise ImageError("not_utf8") from None
        tag = _START_TAG.match(svg, reader.root_at)
        if tag is None or reader.encoding not in (None, "utf-8") or tag.group().endswith(b"/>"):
            raise ImageError("malformed_svg", "no start tag for a credential to follow")
        bound = _PREFIX_BOUND.search(tag.group())
        if bound and (bound[1] or bound[2]) != NAMESPACE_3.encode():
            raise ImageError("malformed_svg", "the prefix openbadges means something else")
        declaration = b"" if bound else f' xmlns:openbadges="{NAMESPACE_3}"'.encode()
        self._head = svg[: tag.end() - 1] + declaration + b">"
        self._tail = svg[tag.end() :]

    def bake(self, credential: str) -> bytes:
        if is_compact_jws(credential):
            element = f'<openbadges:credential verify="{credential}"></openbadges:credential>'
        else:
            element = f"<openbadges:credential><![CDATA[{_in_cdata(credential)}]]></openbadges:credential>"
        return b"".join((self._head, element.encode(), self._tail))


def unbake_svg(svg: bytes) -> Unbaked:
    found = _Reader(svg).found
    current = the_one(found["3.0"])
    if current is not None:
        return Unbaked(current, "svg", "3.0")
    earlier = the_one(found["2.0"])
    if earlier is not None:
        return Unbaked(earlier, "svg", "2.0")
    raise ImageError("no_credential")


def _in_cdata(json_text: str) -> str:
    # Noncharacters are not XML; inside JSON they occur only in strings, where an escape is equivalent.
    escaped = _NOT_XML.sub(lambda match: f"\\u{ord(match.group()):04x}", json_text)
    return escaped.replace("]]>", "]]]]><![CDATA[>")  # E-014


class _Reader:
    """One pass over the file with expat: builds no tree, and records the byte offset of the root's start tag.

    Entities cannot be declared: only the document types that the W3C published for SVG are accepted, without
    an internal subset, and they are never fetched.
    """

    def __init__(self, svg: bytes) -> None:
        check_size(svg)
        self.found: dict[str, list[str]] = {"3.0": [], "2.0": []}
        self.root_at = -1
        self.encoding: str | None = None
        self._depth = self._elements = 0
        self._open: _Open | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        handlers: dict[str, Callable[..., None]] = {
            "XmlDeclHandler": self._declared,
            "StartDoctypeDeclHandler": self._doctype,
            "EntityDeclHandler": _refuse,
            "SkippedEntityHandler": _refuse,
            "StartElementHandler": self._start,
            "EndElementHandler": self._end,
            "CharacterDataHandler": self._text,
        }
        for name, handler in handlers.items():
            setattr(self._parser, name, handler)
        try:
            self._parser.Parse(svg, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise ImageError("malformed_svg", str(error)[:100]) from None

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding.lower() if encoding else None

    def _doctype(self, name: str, _system: str | None, public: str | None, internal: int) -> None:
        if internal or name != "svg" or _PUBLISHED.fullmatch(public or "") is None:
            raise ImageError("unsafe_svg", "document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth == 1:
            if name not in _ROOTS:
                raise ImageError("not_an_image", "root element")
            self.root_at = self._parser.CurrentByteIndex
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise ImageError("too_large", "elements")
        if self._open is not None:
            raise ImageError("malformed_svg", "an element inside the credential")
        if name in _CREDENTIAL:
            self._open = _Open(_CREDENTIAL[name], attributes.get("verify"))

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._open is not None:
            self.found[self._open.generation].append(self._open.credential())
            self._open = None

    def _text(self, text: str) -> None:
        if self._open is not None:
            self._open.add(text)


class _Open:
    """The credential element being read."""

    def __init__(self, generation: str, verify: str | None) -> None:
        self.generation = generation
        self._verify = verify
        self._parts: list[str] = []
        self._length = 0

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise ImageError("too_large", "text")

    def credential(self) -> str:
        body = "".join(self._parts).strip()
        if self._verify is None:
            return body
        # OB 2.0 stores the assertion's JSON beside its URL or JWS; in 3.0 two would be two badges (E-012).
        if body and self.generation == "3.0":
            raise ImageError("several_credentials")
        if len(self._verify) > MAX_TEXT:
            raise ImageError("too_large", "text")
        return body or self._verify.strip()


def _refuse(*_: object) -> None:
    raise ImageError("unsafe_svg", "entity")
