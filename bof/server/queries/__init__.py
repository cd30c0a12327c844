"""Queries that the server stores for a while, so that their picture is sent and read once."""
