"""What a package says of itself: when it was made, and which file is which document."""

from __future__ import annotations

from typing import Final

MANIFEST: Final = "manifest.json"
README_FRENCH: Final = "LISEZMOI.txt"
README_ENGLISH: Final = "README.txt"
FORMAT: Final = "sceau-verification-package"
VERSION: Final = 1

MAX_PACKAGE: Final = 4 * 1024 * 1024
MAX_FILES: Final = 64
MAX_FILE: Final = 1024 * 1024
MAX_DOCUMENTS: Final = MAX_FILES - 4  # besides the badge, the manifest and two texts
MAX_HELD: Final = MAX_PACKAGE - 128 * 1024
"""Of badge and documents together, however little they can be compressed."""
