"""Wheels for every platform, made on one machine, and what they answer."""
