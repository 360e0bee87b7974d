"""The Node implementations behind one long-lived process: `driver.mjs`, a JSON job and a JSON answer per line."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from sceau_credentials import values

FOLDER = Path(__file__).resolve().parent


class PeerUnavailable(Exception):
    """Node.js or the packages are not to be had here."""


class PeerRefused(Exception):
    """The other implementation raised an error on the job."""


def install() -> None:
    """Put the locked packages in place, unless they are. One process of several installs them."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise PeerUnavailable("Node.js and npm are not installed")
    with (FOLDER / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _has_locked_packages(json.load(lock)):
            return
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(
            command, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False
        )
    if installed.returncode:
        raise PeerUnavailable(f"npm ci failed: {installed.stderr.strip()[-200:]}")


def _has_locked_packages(lock: Mapping[str, Any]) -> bool:
    """Optional packages may be for other machines."""
    try:
        present = json.loads((FOLDER / "node_modules" / ".package-lock.json").read_text())["packages"]
    except FileNotFoundError:
        return False
    return all(
        present.get(name, {}).get("version") == wanted["version"]
        for name, wanted in lock["packages"].items()
        if name and not wanted.get("optional")
    )


class NodePeer:
    """Use as a context manager. Starts out with our pinned contexts, so it fetches nothing either."""

    def __init__(self) -> None:
        install()
        self._process = subprocess.Popen(
            ["node", "driver.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.call(
            "documents",
            held={url: values.context(url) for url in sorted(values.known_context_urls())},
        )

    def call(self, operation: str, **job: Any) -> Any:
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None
        assert pipe_out is not None
        pipe_in.write(json.dumps({"operation": operation, **job}) + "\n")
        pipe_in.flush()
        answer = json.loads(pipe_out.readline())
        if "error" in answer:
            raise PeerRefused(answer["error"])
        return answer.get("result")

    def publish(self, did_document: Mapping[str, Any]) -> None:
        """Let it find this controller document, and each of its methods by its own URL."""
        methods = {
            method["id"]: {"@context": "https://w3id.org/security/multikey/v1", **method}
            for method in did_document["verificationMethod"]
            if method["type"] == "Multikey"
        }
        self.call("documents", held={did_document["id"]: did_document, **methods})

    def __enter__(self) -> NodePeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()
