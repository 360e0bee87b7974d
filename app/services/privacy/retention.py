"""What has had its time is deleted, whoever runs this and however often."""

from __future__ import annotations

from app.db.privacy.retention import RetentionStore
from app.domain.core.clock import Clock


class RetentionService:
    def __init__(self, store: RetentionStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def is_due(self) -> bool:
        return self.store.is_due(self.clock())

    def delete_some(self) -> bool:
        """Some hundred rows of each kind; whether more are left."""
        return self.store.delete_some(self.clock()) > 0
