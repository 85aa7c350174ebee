"""What `models` and `sqlmodel` share: a MetaData written as the SQLAlchemy calls that make it."""
