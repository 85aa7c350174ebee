"""Rows: how the cells of a table come about, any column of any rows when it is asked for."""
