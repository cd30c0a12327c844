"""Requests and answers: bodies, limits, authentication, problems, fetching by URL."""
