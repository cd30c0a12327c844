"""Tests of bof.iiif."""
