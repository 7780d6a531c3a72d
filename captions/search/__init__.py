"""Full text over captions: SQLite's FTS5 and PostgreSQL's tsvector behind the same functions."""
