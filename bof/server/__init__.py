"""The HTTP API and the server around it: docs/api.md says what it answers, docs/server.md how to run it."""
