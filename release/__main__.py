"""`python -m release FOLDER`: write a release of this commit; `--images FILE` pins the images of compose.yaml."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from release.bom import bill_of_materials

REPOSITORY: Final = Path(__file__).resolve().parents[1]
DEPLOY: Final = "docs/operate/deploy"
LOCKS: Final = {"requirements.lock": "sbom.cdx.json", "requirements-image.lock": "sbom-image.cdx.json"}
"""Of the wheel and of the image: each lock and its SBOM."""
_IMAGE: Final = re.compile(
    r"^(\s*image: )(\$\{SCEAU_IMAGE:-)?([a-z0-9./_-]+:[A-Za-z0-9._-]+)\}?(.*)$", re.MULTILINE
)
_DIGEST: Final = re.compile(r"[a-z0-9./_:-]+@sha256:[0-9a-f]{64}")


class ReleaseRefused(Exception):
    """The message names the remedy."""


@dataclass(frozen=True)
class Source:
    """The commit that is released, and its time, which dates every file."""

    folder: Path
    commit: str
    made_at: datetime

    @staticmethod
    def of(folder: Path) -> Source:
        """Refuses uncommitted changes: nobody could build the same again."""
        if _git(folder, "status", "--porcelain"):
            raise ReleaseRefused(
                "The checkout has uncommitted changes: commit them, or release from a fresh clone."
            )
        seconds = int(_git(folder, "log", "-1", "--format=%ct"))
        return Source(folder, _git(folder, "rev-parse", "HEAD"), datetime.fromtimestamp(seconds, UTC))


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def write_release(source: Source, target: Path, images: Mapping[str, str]) -> list[Path]:
    """Into an empty folder; the same commit and images give the same bytes."""
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise ReleaseRefused(f"{target} is not empty: name another folder.")
    project = tomllib.loads((source.folder / "pyproject.toml").read_text())["project"]
    _build_wheel(source, target)
    made_at = source.made_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, bill in LOCKS.items():
        lock = source.folder / name
        shutil.copyfile(lock, target / name)
        bom = bill_of_materials(
            project["version"], project["license"], lock.read_text(), made_at=made_at,
            node_lock=(source.folder / "app/http/qr_reader/package-lock.json").read_text(),
        )  # fmt: skip
        (target / bill).write_text(bom)
    compose = pin_images((source.folder / DEPLOY / "compose.yaml").read_text(), images)
    (target / "compose.yaml").write_text(compose)
    subjects = sorted(target.iterdir())
    (target / "provenance.json").write_text(
        json.dumps(_provenance(source, subjects, images), indent=1) + "\n"
    )
    written = sorted(target.iterdir())
    (target / "SHA256SUMS").write_text("".join(f"{_digest(path)}  {path.name}\n" for path in written))
    return sorted(target.iterdir())


def _build_wheel(source: Source, target: Path) -> None:
    dated = {**os.environ, "SOURCE_DATE_EPOCH": str(int(source.made_at.timestamp()))}
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=source.folder, env=dated, check=True, capture_output=True,
    )  # fmt: skip


def pin_images(compose: str, images: Mapping[str, str]) -> str:
    """Each image by its digest; the tag stays beside it as a comment. Raises where one has none."""
    absent = sorted({found[3] for found in _IMAGE.finditer(compose)} - images.keys())
    if absent:
        raise ReleaseRefused(
            f"No digest for {', '.join(absent)}. Write a line « NAME:TAG NAME@sha256:… » for each into the file of "
            "images: docker buildx imagetools inspect NAME:TAG"
        )

    def pinned(found: re.Match[str]) -> str:
        return f"{found[1]}{images[found[3]]}   # {found[3]}"

    return _IMAGE.sub(pinned, compose)


def read_images(text: str) -> dict[str, str]:
    """Lines « postgres:15 postgres@sha256:… »."""
    images = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        tag, _, reference = line.partition(" ")
        if not _DIGEST.fullmatch(reference.strip()):
            raise ReleaseRefused(f"« {line} » names no digest: NAME:TAG NAME@sha256:…")
        images[tag] = reference.strip()
    return images


def _provenance(source: Source, subjects: list[Path], images: Mapping[str, str]) -> dict[str, Any]:
    """An in-toto statement with SLSA provenance: which bytes were built, from what, by what."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path.name, "digest": {"sha256": _digest(path)}} for path in subjects],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:sceau:make-release:1",
                "externalParameters": {"commit": source.commit},
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": source.commit}},
                    *({"name": name, "digest": {"sha256": _digest(source.folder / name)}} for name in LOCKS),
                    *(
                        {"name": tag, "digest": {"sha256": reference.rpartition(":")[2]}}
                        for tag, reference in sorted(images.items())
                    ),
                ],
            },
            "runDetails": {"builder": {"id": "urn:sceau:make-release"}},
        },
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        images = read_images(given.images.read_text())
        written = write_release(Source.of(REPOSITORY), given.folder, images)
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: see docs/operate/release.md", file=sys.stderr)
        return 1
    except ReleaseRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
