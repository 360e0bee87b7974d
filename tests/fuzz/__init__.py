"""The fuzz targets themselves, run for a moment."""
