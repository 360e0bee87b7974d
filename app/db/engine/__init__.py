"""The database itself: sessions, migrations, locks, paging, text search."""
