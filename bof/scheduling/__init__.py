"""Dask's workers: connecting to them, and shares of work that survive the loss of any."""
