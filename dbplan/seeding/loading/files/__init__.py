"""Files: rows as parquet, csv, jsonl or sql, one file a table and part, each there whole or not at all."""
