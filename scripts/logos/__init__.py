"""Flat logos in photographs, and siblings of each that differ in one thing."""
