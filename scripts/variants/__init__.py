"""Drawn queries that a search finds by asking in another way, and what each way gives."""
