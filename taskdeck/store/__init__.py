"""SQLite: schema, migrations, the one writer, readers, queries by table."""
