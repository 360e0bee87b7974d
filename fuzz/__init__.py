"""Fuzz targets for everything that reads what strangers wrote: one for each parser, and a driver that feeds them."""
