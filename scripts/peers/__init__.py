"""Accuracy beside other retrieval methods on the same features."""
