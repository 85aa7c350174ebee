"""DDL: the statements that create a plan, in order, in the words of one server."""

from dbplan.ddl.native import statements
from dbplan.ddl.statement import Statement
from dbplan.ddl.translation import Translation, translated
from dbplan.ddl.views import views_in_order, views_read

__all__ = ["Statement", "Translation", "statements", "translated", "views_in_order", "views_read"]
