"""Values: what a column may hold, by its name, its type and its CHECKs."""
