"""The SBOM (CycloneDX 1.6, JSON) of what a lock installs: versions, hashes, licences, who needs whom."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Final

ROOT: Final = "sceau"
_PIN: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.+?))?\s*\\?"
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_CLASSIFIER: Final = "License :: OSI Approved :: "
_LONGEST_LICENCE: Final = 60


class LockUnreadable(ValueError):
    """The lock file has a line of a form that is not known."""


@dataclass(frozen=True)
class Pin:
    """One locked distribution; `needed_by` are names, ROOT for the project itself."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version.replace('+', '%2B')}"


def read_lock(text: str) -> list[Pin]:
    """Of a file as `uv pip compile --generate-hashes` writes it; raises LockUnreadable."""
    pins, lines = list[Pin](), list[str]()
    for line in [*text.splitlines(), "end"]:
        if line and not line[0].isspace() and not line.startswith("#"):
            if lines:
                pins.append(_pin(lines))
            lines = [line]
        elif lines:
            lines.append(line)
    return pins


def _pin(lines: Sequence[str]) -> Pin:
    pinned = _PIN.fullmatch(lines[0])
    hashes = tuple(digest for line in lines for digest in _HASH.findall(line))
    if pinned is None or not hashes:
        raise LockUnreadable(f"not a pinned distribution with hashes: {lines[0]!r}")
    return Pin(
        re.sub(r"[-_.]+", "-", pinned["name"]).lower(),
        pinned["version"],
        pinned["marker"] or "",
        hashes,
        tuple(_needed_by(lines)),
    )


def _needed_by(lines: Sequence[str]) -> Iterator[str]:
    comments = " ".join(line.strip().lstrip("# ") for line in lines[1:] if line.strip().startswith("#"))
    for name in re.sub(r"^via\b|-c \S+|\(pyproject\.toml\)", "", comments).split():
        yield re.sub(r"\[[^\]]*\]", "", name)


def bill_of_materials(version: str, licence: str, lock: str, *, made_at: str, node_lock: str = "{}") -> str:
    """JSON text; the same locks and version give the same bytes where the same distributions are installed."""
    pins = read_lock(lock)
    root = {
        "type": "application",
        "bom-ref": ROOT,
        "name": ROOT,
        "version": version,
        "licenses": [{"expression": licence}],
    }
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, version + lock)}",
        "version": 1,
        "metadata": {"timestamp": made_at, "component": root},
        "components": [*map(_component, pins), *(served := _served_by_npm(node_lock))],
        "dependencies": _dependencies(pins, [each["purl"] for each in served]),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _component(pin: Pin) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        # Installed on some platforms or versions of Python only.
        "scope": "optional" if pin.marker else "required",
        "purl": pin.purl,
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in pin.hashes],
        **({"licenses": licences} if (licences := licences_of(pin)) else {}),
        **({"properties": [{"name": "sceau:marker", "value": pin.marker}]} if pin.marker else {}),
    }


def _served_by_npm(lock: str) -> list[dict[str, Any]]:
    """The packages of an npm lock, all served to browsers."""
    return [
        {
            "type": "library",
            "bom-ref": (purl := f"pkg:npm/{place.removeprefix('node_modules/')}@{package['version']}"),
            "name": place.removeprefix("node_modules/"),
            "version": package["version"],
            "scope": "required",
            "purl": purl,
            "hashes": [
                {
                    "alg": "SHA-512",
                    "content": base64.b64decode(package["integrity"].removeprefix("sha512-")).hex(),
                }
            ],
            "licenses": [{"expression": package["license"]}],
        }
        for place, package in json.loads(lock).get("packages", {}).items()
        if place
    ]


def licences_of(pin: Pin) -> list[dict[str, Any]]:
    """As the installed distribution names them; empty where another version or none is installed."""
    try:
        found = distribution(pin.name).metadata
    except PackageNotFoundError:
        return []
    if found["Version"] != pin.version:
        return []
    if "License-Expression" in found:
        return [{"expression": found["License-Expression"]}]
    name = found["License"].strip() if "License" in found else ""
    if not name or "\n" in name or len(name) > _LONGEST_LICENCE:
        classifiers = [each for each in found.get_all("Classifier") or [] if each.startswith(_CLASSIFIER)]
        name = classifiers[0].removeprefix(_CLASSIFIER) if classifiers else ""
    return [{"license": {"name": name}}] if name else []


def _dependencies(pins: Sequence[Pin], served: Sequence[str]) -> list[Mapping[str, Any]]:
    """Who needs whom, and the project what it serves. A name locked in two versions, for two platforms, is needed in both."""
    refs: dict[str, list[str]] = {ROOT: [ROOT]}
    needs: dict[str, list[str]] = {ROOT: [*served], **{ref: [] for ref in served}}
    for pin in pins:
        refs.setdefault(pin.name, []).append(pin.purl)
        needs[pin.purl] = []
    for pin in pins:
        for name in pin.needed_by:
            for ref in refs[name]:
                needs[ref].append(pin.purl)
    return [{"ref": ref, "dependsOn": sorted(needed)} for ref, needed in needs.items()]
