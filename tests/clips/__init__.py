"""Copied clips: lines of time, frames, segments, commands."""
