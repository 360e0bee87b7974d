"""The demo's content: campuses, badges, activities and awards written by hand, and invented people."""
