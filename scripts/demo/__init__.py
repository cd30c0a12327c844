"""The demo: a collection drawn by program, indexed and searched."""
