"""Numbered steps of the schema, `NNNN_what.sql`; a step that has been released is never edited."""
