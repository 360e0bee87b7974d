"""Folders on disk: static export, log anchors, recovery journal, witnesses."""
