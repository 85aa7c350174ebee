"""What exports to ORMs without a schema language of their own share: names, enums, SQL that mends their tables."""
