"""A credential embedded in a picture or a PDF. The file proves nothing: it is only the credential's envelope."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal
from xml.parsers import expat

from sceau_credentials.errors import ImageError

__all__ = ["PngMaster", "SvgMaster", "Unbaked", "bake_png", "bake_svg", "unbake"]

# --- Limits and checks shared by PNG and SVG baking

MAX_FILE: Final = 2 * 1024 * 1024  # M10
MAX_TEXT: Final = 512 * 1024  # M10

_COMPACT_JWS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class Unbaked:
    """The one credential of a picture or PDF, in `container`, for Open Badges `generation` 2.0 or 3.0."""

    text: str
    """For 3.0 a compact JWS or JSON; for 2.0 a compact JWS, JSON or the URL of an assertion."""
    container: Literal["png", "svg", "pdf"]
    generation: Literal["3.0", "2.0"]


def check_size(data: bytes) -> None:
    if len(data) > MAX_FILE:
        raise ImageError("too_large")


def is_compact_jws(credential: str) -> bool:
    """False for JSON. ImageError where it is neither, or larger than readers accept."""
    if len(credential) > MAX_TEXT or _CONTROL.search(credential):
        raise ImageError("not_a_credential")
    if len(credential.encode()) > MAX_TEXT:
        raise ImageError("not_a_credential")
    if credential.startswith("{"):
        return False
    if _COMPACT_JWS.fullmatch(credential) is None:
        raise ImageError("not_a_credential")
    return True


def the_one(found: list[str]) -> str | None:
    """None for an empty list. With two, two readers could see two different badges (M10, E-007, E-013)."""
    if len(found) > 1:
        raise ImageError("several_credentials")
    return found[0] if found else None


# --- PNG: one uncompressed iTXt chunk, inserted and read without decoding pixels

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEYWORD_3: Final = b"openbadgecredential"  # E-004
_KEYWORD_2: Final = b"openbadges"  # E-016
_AFTER_IHDR: Final = len(SIGNATURE) + 12 + 13
_MAX_CHUNKS: Final = 10_000  # T22
_MAX_PIXELS: Final = 4 * 1024 * 1024  # M10
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


@dataclass(frozen=True)
class _Chunk:
    type: bytes
    data: memoryview


class PngMaster:
    """A picture checked once, into which any number of credentials can be baked."""

    __slots__ = ("_head", "_tail")

    def __init__(self, png: bytes) -> None:
        check_size(png)
        if any(_keyword(chunk) in (_KEYWORD_3, _KEYWORD_2) for chunk in _chunks(png)):
            raise ImageError("already_baked")  # E-007 leaves the choice between this and overwriting
        self._head, self._tail = png[:_AFTER_IHDR], png[_AFTER_IHDR:]

    def bake(self, credential: str) -> bytes:
        return self._with(_KEYWORD_3, credential)

    def bake_older(self, assertion: str) -> bytes:
        """Bake an assertion of Open Badges 2.0: JSON or compact JWS (E-016)."""
        return self._with(_KEYWORD_2, assertion)

    def _with(self, keyword: bytes, credential: str) -> bytes:
        is_compact_jws(credential)
        # Compression flag and method 0, no language, no translated keyword (E-006, E-009).
        body = b"iTXt" + keyword + b"\0\0\0\0\0" + credential.encode()
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return b"".join((self._head, chunk, self._tail))


def unbake_png(png: bytes) -> Unbaked:
    check_size(png)
    found: dict[tuple[bytes, bytes], list[str]] = {}
    for chunk in _chunks(png):
        keyword = _keyword(chunk)
        if keyword in (_KEYWORD_3, _KEYWORD_2):
            found.setdefault((chunk.type, keyword), []).append(_text_of(chunk))
    current = the_one(found.get((b"iTXt", _KEYWORD_3), []))
    if current is not None:
        return Unbaked(current, "png", "3.0")
    earlier = the_one(found.get((b"iTXt", _KEYWORD_2), []) or found.get((b"tEXt", _KEYWORD_2), []))
    if earlier is not None:
        return Unbaked(earlier, "png", "2.0")
    raise ImageError("no_credential")


def _chunks(png: bytes) -> Iterator[_Chunk]:
    """The chunks of a complete, undamaged PNG file without trailing data; ImageError otherwise."""
    if not png.startswith(SIGNATURE):
        raise ImageError("malformed_png", "signature")
    view, position, previous, has_pixels = memoryview(png), len(SIGNATURE), b"", False
    for count in range(_MAX_CHUNKS):
        chunk, position = _chunk_at(view, position)
        if (count == 0) != (chunk.type == b"IHDR"):
            raise ImageError("malformed_png", "IHDR first, and once")
        if chunk.type == b"IHDR":
            _check_header(chunk.data)
        elif chunk.type == b"IDAT":
            if has_pixels and previous != b"IDAT":
                raise ImageError("malformed_png", "IDAT chunks apart")
            has_pixels = True
        elif chunk.type == b"IEND":
            if not has_pixels or len(chunk.data) or position != len(png):
                raise ImageError("malformed_png", "IDAT missing, or something in or after IEND")
            return
        previous = chunk.type
        yield chunk
    raise ImageError("too_large", "chunks")


def _chunk_at(view: memoryview, position: int) -> tuple[_Chunk, int]:
    if position + 12 > len(view):
        raise ImageError("truncated")
    (length,) = struct.unpack_from(">I", view, position)
    end = position + 12 + length
    if length > 2**31 - 1 or end > len(view):
        raise ImageError("truncated")
    chunk_type = bytes(view[position + 4 : position + 8])
    if not (chunk_type.isalpha() and chunk_type.isascii()):
        raise ImageError("malformed_png", "chunk type")
    (checksum,) = struct.unpack_from(">I", view, end - 4)
    if zlib.crc32(view[position + 4 : end - 4]) != checksum:
        raise ImageError("bad_checksum", chunk_type.decode())
    return _Chunk(chunk_type, view[position + 8 : end - 4]), end


def _check_header(data: memoryview) -> None:
    if len(data) != 13:
        raise ImageError("malformed_png", "IHDR")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", data)
    if (
        depth not in _DEPTHS.get(colour, ())
        or compression
        or filtering
        or interlace > 1
        or not (width and height)
    ):
        raise ImageError("malformed_png", "IHDR")
    if width * height > _MAX_PIXELS:
        raise ImageError("too_large", "pixels")


def _keyword(chunk: _Chunk) -> bytes:
    if chunk.type not in (b"iTXt", b"tEXt"):
        return b""
    return bytes(chunk.data[:80]).partition(b"\0")[0]


def _text_of(chunk: _Chunk) -> str:
    if len(chunk.data) > MAX_TEXT + 256:
        raise ImageError("too_large", "text")
    _, _, rest = bytes(chunk.data).partition(b"\0")
    if chunk.type == b"tEXt":
        return rest.decode("latin-1")
    if rest[:2] != b"\0\0":
        raise ImageError("compressed_text" if rest[:1] == b"\1" else "malformed_png", "iTXt")
    parts = rest[2:].split(b"\0", 2)
    if len(parts) != 3 or len(parts[2]) > MAX_TEXT:
        raise ImageError("malformed_png" if len(parts) != 3 else "too_large", "iTXt")
    try:
        return parts[2].decode()
    except UnicodeDecodeError:
        raise ImageError("not_utf8") from None


# --- SVG: one element directly after the root's start tag, inserted as bytes and read as a stream

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


# --- baking

_PDF_SIGNATURE: Final = b"%PDF-"


def bake_png(png: bytes, credential: str) -> bytes:
    """Return the same picture, byte for byte, with the credential (JSON or compact JWS) in it.

    To bake one picture many times, check it once as a `PngMaster`.
    """
    return PngMaster(png).bake(credential)


def bake_svg(svg: bytes, credential: str) -> bytes:
    """Return the same drawing with the credential in it. For our own drawings only: an uploaded one stays
    unsafe.
    """
    return SvgMaster(svg).bake(credential)


def unbake(data: bytes) -> Unbaked:
    """The one credential embedded in a picture or PDF (type detected from content), or ImageError with a
    reason.

    Reasons: `not_an_image`, `too_large`, `malformed_png`, `truncated`, `bad_checksum`, `malformed_svg`,
    `unsafe_svg`, `malformed_pdf`, `pdf_extra_missing`, `compressed_text`, `not_utf8`, `no_credential`,
    `several_credentials`.
    """
    if data.startswith(SIGNATURE):
        return unbake_png(data)
    if data.startswith(_PDF_SIGNATURE):
        return _unbake_pdf(data)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or data.startswith(
        (b"\xff\xfe<", b"\xfe\xff\0<")
    ):
        return unbake_svg(data)
    raise ImageError("not_an_image")


def _unbake_pdf(data: bytes) -> Unbaked:
    """Import pypdf with the first PDF: it is an optional dependency."""
    try:
        from sceau_credentials.baking.pdf import unbake_pdf
    except ImportError:
        raise ImageError("pdf_extra_missing", "to read PDF, install sceau-credentials[pdf]") from None
    return unbake_pdf(data)
