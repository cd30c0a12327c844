"""The endpoints of the HTTP API and their OpenAPI document."""
