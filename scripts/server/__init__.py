"""The server under load and under hostile requests."""
