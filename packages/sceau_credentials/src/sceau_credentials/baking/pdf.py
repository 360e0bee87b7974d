"""PDF: read a credential attached as a file; never written, and pages are not parsed.

The one module that needs pypdf, which comes with the extra `pdf`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import LimitReachedError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from sceau_credentials.baking import MAX_TEXT, Unbaked, is_compact_jws, the_one
from sceau_credentials.errors import ImageError, MalformedInput
from sceau_credentials.values import parse_json_object

MAX_PDF: Final = 2 * 1024 * 1024  # M10, as for pictures
_MAX_OBJECTS: Final = 20_000
_MAX_NODES: Final = 500
_MAX_ENTRIES: Final = 2_000
"""Names and values of the whole tree; only the dictionaries among them count as attachments."""
_MAX_ATTACHMENTS: Final = 50
_OBJECT: Final = re.compile(rb"\d\s+obj\b")
_NAMES: Final = (".json", ".jsonld", ".jwt", ".vc")
# A hostile file could fill the log with thousands of warnings.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)
_LIMITS: Final = Configuration(
    maximum_declared_stream_length=MAX_PDF,
    array_based_stream_maximum_output_length=MAX_PDF,
    lzw_maximum_output_length=MAX_TEXT,
    run_length_maximum_output_length=MAX_TEXT,
    zlib_maximum_output_length=4 * MAX_TEXT,  # cross-reference and object streams too
    zlib_maximum_recovery_input_length=1,
    brotli_maximum_output_length=MAX_TEXT,
    stream_filters_maximum_length=3,
    stream_decoding_work_maximum_length=8 * MAX_TEXT,
    jbig2dec_binary=None,
    disable_legacy_handling=True,
)


def unbake_pdf(pdf: bytes) -> Unbaked:
    if len(pdf) > MAX_PDF:
        raise ImageError("too_large")
    if sum(1 for _ in _OBJECT.finditer(pdf)) > _MAX_OBJECTS:
        raise ImageError("too_large", "objects")
    try:
        with apply_configuration(_LIMITS):
            found = list(dict.fromkeys(_credentials_in(pdf)))
    except ImageError:
        raise
    except LimitReachedError:
        raise ImageError("too_large", "a stream") from None
    except Exception as error:  # pypdf raises more exception types than it documents
        raise ImageError("malformed_pdf", type(error).__name__) from None
    credential = the_one(found)
    if credential is None:
        raise ImageError("no_credential")
    return Unbaked(credential, "pdf", "3.0")


def _credentials_in(pdf: bytes) -> Iterator[str]:
    reader = PdfReader(BytesIO(pdf), strict=True)
    if reader.is_encrypted:
        raise ImageError("malformed_pdf", "encrypted")
    for count, specification in enumerate(_file_specifications(reader.root_object)):
        if count >= _MAX_ATTACHMENTS:
            raise ImageError("too_large", "attachments")
        text = _text_of(specification)
        if text is not None:
            yield text


def _file_specifications(root: DictionaryObject) -> Iterator[DictionaryObject]:
    """File specifications of the name tree and of the document's associated files (ISO 32000-2, 7.11.4 and
    14.13).
    """
    names = _resolved(root.get("/Names"))
    waiting = [_resolved(names.get("/EmbeddedFiles"))] if isinstance(names, DictionaryObject) else []
    visited: list[DictionaryObject] = []
    files: list[Any] = []
    while waiting:
        node = waiting.pop()
        if not isinstance(node, DictionaryObject):
            continue
        if len(visited) >= _MAX_NODES or any(node is each for each in visited):  # a tree names each node once
            raise ImageError("too_large", "name tree")
        visited.append(node)
        waiting += [_resolved(kid) for kid in _entries(node.get("/Kids"), _MAX_NODES)]
        files += _entries(node.get("/Names"), _MAX_ENTRIES - 2 * len(files))[1::2]
    yield from _dictionaries(files)
    yield from _dictionaries(_entries(root.get("/AF"), _MAX_ENTRIES))


def _dictionaries(listed: list[Any]) -> Iterator[DictionaryObject]:
    for each in listed:
        value = _resolved(each)
        if isinstance(value, DictionaryObject):
            yield value


def _text_of(specification: DictionaryObject) -> str | None:
    """The text of an attachment that may be a credential; None for any other file."""
    name = str(_resolved(specification.get("/UF")) or _resolved(specification.get("/F")) or "")
    if not name.lower().endswith(_NAMES) and "/AFRelationship" not in specification:
        return None
    files = _resolved(specification.get("/EF"))
    file = _resolved(files.get("/F") or files.get("/UF")) if isinstance(files, DictionaryObject) else None
    if not isinstance(file, StreamObject):
        return None
    data = file.get_data()
    if len(data) > MAX_TEXT:
        raise ImageError("too_large", "text")
    try:
        text = data.decode().removeprefix("\ufeff").strip()
        return text if is_compact_jws(text) or _names_a_context(text) else None
    except (UnicodeDecodeError, ImageError):
        return None


def _names_a_context(text: str) -> bool:
    """Also where the name is written with escapes, as JSON may."""
    if '"@context"' in text or "\\u" not in text:
        return '"@context"' in text
    try:
        return "@context" in parse_json_object(text)
    except MalformedInput:
        return False


def _entries(value: Any, most: int) -> list[Any]:
    """Of an array; ImageError for more than `most`."""
    resolved = _resolved(value)
    if not isinstance(resolved, ArrayObject):
        return []
    if len(resolved) > most:
        raise ImageError("too_large", "name tree")
    return list(resolved)


def _resolved(value: Any) -> Any:
    return value.get_object() if isinstance(value, IndirectObject) else value
