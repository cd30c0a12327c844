"""Shots of films: boundaries against known ones, and what indexing costs."""
