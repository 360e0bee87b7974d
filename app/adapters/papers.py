"""Printable pages: a typst template filled with values, as accessible and archivable PDF."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson
import typst

_STANDARDS: Final = ["a-3a", "ua-1"]
"""PDF/A-3 keeps the page readable for decades with files attached; PDF/UA defines its reading order."""
_UNDRAWN: Final = ("could not be displayed", "codepoint")
"""typst's messages for a character that no typeface contains, or that the standards forbid."""
_MEANINGLESS: Final = re.compile("[\ufeff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
"""Byte order mark and private use characters (category Co), pasted from office documents: bullets, logos."""
_SHARED: Final = "paper.typ"


class Papers:
    """Renders the templates of one folder, without the network; fonts of the system draw only scripts that
    ours do not contain."""

    def __init__(self, templates: Path) -> None:
        self._fonts = templates / "fonts"
        folder = templates / "papers"
        self._templates = {path.name: path.read_bytes() for path in sorted(folder.glob("*.typ"))}
        self._frame = (folder / "frame.svg").read_text()

    def frame(self, accent: str, line: str) -> bytes:
        """The guilloché around an A4 page as SVG, in two colours."""
        return self._frame.replace("{accent}", accent).replace("{line}", line).encode()

    def pdf(
        self,
        template: str,
        values: Mapping[str, object],
        files: Mapping[str, bytes],
        *,
        at: datetime,
    ) -> bytes:
        """`template` is the name of a file without its extension; it reads `values` from `values.json`.

        `files` are pictures and attachments, by name. `at` dates the document; deterministic: the same
        arguments give the same bytes.
        """
        sources = {
            "main.typ": self._templates[f"{template}.typ"],
            _SHARED: self._templates[_SHARED],
            "values.json": _MEANINGLESS.sub("", orjson.dumps(values).decode()).encode(),
            **files,
        }
        for system_fonts in (False, True):
            try:
                return self._compiled(sources, _STANDARDS, at, system_fonts=system_fonts)
            except typst.TypstError as error:
                if not any(each in str(error) for each in _UNDRAWN):
                    raise
        # A name in a script that no font draws is shown in boxes rather than refused.
        return self._compiled(sources, [], at, system_fonts=True)

    def _compiled(
        self, sources: Mapping[str, bytes], standards: list[str], at: datetime, *, system_fonts: bool
    ) -> bytes:
        return bytes(
            typst.compile(  # type: ignore[call-overload]  # its stubs forget sources by name
                dict(sources),
                font_paths=[str(self._fonts)],
                ignore_system_fonts=not system_fonts,
                format="pdf",
                pdf_standards=standards,
                timestamp=int(at.timestamp()),
            )
        )
