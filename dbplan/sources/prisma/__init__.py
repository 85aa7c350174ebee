"""Prisma schemas, read as plans."""
