"""Geometric verification: transforms, hypotheses, refinement."""
