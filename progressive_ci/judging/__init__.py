"""Samples -> verdicts: the condition language, limits and counts. Pure."""
