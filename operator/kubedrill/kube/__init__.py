"""The API server: the one transport, plain paths and plain dicts."""
