"""Attacked copies, searched for among their originals."""
