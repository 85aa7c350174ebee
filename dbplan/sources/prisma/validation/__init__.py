"""What Prisma refuses beyond syntax, wherever a plan would come out wrong."""
