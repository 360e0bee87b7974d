"""Kills workers and web servers at random times during bulk awards, then checks that nothing is lost or duplicated."""
