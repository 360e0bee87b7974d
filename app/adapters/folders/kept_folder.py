"""An edition of a campus's public files in a folder: written whole, listed by digest, read back.

Below the folder lies one folder named after the host, which a web server serves; beside it a list that
`sha256sum --check` understands, what the edition is, and how to serve and to check it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from app.adapters.folders.folder_documents import FolderDocuments

SUMS: Final = "SHA256SUMS"
ABOUT: Final = "sceau-site.json"
FORMAT: Final = "sceau-site"
_GUIDES: Final = ("LISEZMOI.txt", "README.txt", "nginx.conf", "htaccess.txt")
_SUM: Final = re.compile(r"([0-9a-f]{64})  (.+)")


class FolderUnusable(Exception):
    """The folder holds no edition, or something else that must not be written over."""


@dataclass(frozen=True)
class KeptFolder:
    folder: Path

    def write(
        self, host: str, slug: str, kept: Iterable[tuple[str, bytes]], *, made_at: datetime, final: bool
    ) -> int:
        """The number of files. What an earlier edition held and this one does not is taken away.

        Whoever shut a badge since must not find it here again. Raises FolderUnusable, or OSError.
        """
        before = set(self._listed()) if self._is_edition() else set()
        if not before and self.folder.is_dir() and any(self.folder.iterdir()):
            raise FolderUnusable("not_empty")
        root = self.folder / host.replace(":", "_")
        sums: dict[str, str] = {}
        for path, body in kept:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if not (place.is_file() and place.read_bytes() == body):
                new = place.with_name(f"{place.name}.new")
                new.write_bytes(body)
                new.replace(place)
            sums[f"{root.name}/{path}"] = sha256(body).hexdigest()
        for gone in before - sums.keys():
            (self.folder / gone).unlink(missing_ok=True)
        self._write_beside(host, slug, sums, made_at=made_at, final=final)
        return len(sums)

    def changed(self) -> Iterator[str]:
        """Files that are missing or no longer as they were written."""
        for path, digest in self._listed().items():
            place = self.folder / path
            if not place.is_file() or _digest_of(place) != digest:
                yield path

    def files(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, Path]]:
        """The listed files whose path below the host's folder is like `pattern`."""
        for path in self._listed():
            if pattern.fullmatch(path.partition("/")[2]):
                yield path, self.folder / path

    @property
    def documents(self) -> FolderDocuments:
        return FolderDocuments(self.folder)

    def _is_edition(self) -> bool:
        return (self.folder / ABOUT).is_file() and (self.folder / SUMS).is_file()

    def _listed(self) -> dict[str, str]:
        if not self._is_edition():
            raise FolderUnusable("no_edition")
        found = {}
        for line in (self.folder / SUMS).read_text("utf-8").splitlines():
            entry = _SUM.fullmatch(line)
            if entry is None or not (self.folder / entry[2]).resolve().is_relative_to(self.folder.resolve()):
                raise FolderUnusable("no_edition")
            found[entry[2]] = entry[1]
        return found

    def _write_beside(
        self, host: str, slug: str, sums: dict[str, str], *, made_at: datetime, final: bool
    ) -> None:
        for name in _GUIDES:
            text = (files("app.adapters.folders.kept_guides") / name).read_text("utf-8")
            root = host.replace(":", "_")
            (self.folder / name).write_text(text.replace("HOST", host).replace("ROOT", root), "utf-8")
        about = {
            "format": FORMAT,
            "version": 1,
            "host": host,
            "campus": slug,
            "made": made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "final": final,
        }
        (self.folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
        lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))
        (self.folder / SUMS).write_text(lines, "utf-8")


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
