"""Profile: what the tables of a database hold, measured on the rows themselves."""
