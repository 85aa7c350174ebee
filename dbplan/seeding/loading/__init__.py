"""Loading: rows on their way into a database or a file."""
