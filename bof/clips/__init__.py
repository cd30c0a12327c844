"""Copied clips: which segments of a film are in which films, when, and how changed."""
