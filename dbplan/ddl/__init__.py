"""DDL: the statements that create a plan, in order, in the words of one server."""
