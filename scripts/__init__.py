"""Benchmarks, demonstrations and torture of bof; each folder is a command: python -m scripts.FOLDER."""
