"""Kills, broken pictures, readers beside a writer, a full disk, fragmented indexes."""
