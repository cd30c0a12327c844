"""Duplicate groups of bof and of perceptual hashes, judged by known copies."""
