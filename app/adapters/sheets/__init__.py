"""Spreadsheets, read and written."""
