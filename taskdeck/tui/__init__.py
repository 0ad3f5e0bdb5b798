"""The dashboard: a client of the API, drawn with Textual."""
