"""The native HTTP API: routes, request and reply models, errors, authentication, server-sent events."""
