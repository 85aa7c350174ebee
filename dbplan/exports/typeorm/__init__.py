"""TypeORM: a plan as one `entities.ts` of decorated classes."""

from dbplan.exports.typeorm.file import write

__all__ = ["write"]
