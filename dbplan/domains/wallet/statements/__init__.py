"""Every statement that the wallet plan runs, defined once: `operations` executes them, the plan's queries are them."""

from dbplan.domains.wallet.statements import books, people, transactions, wallets

QUERIES = (*people.QUERIES, *wallets.QUERIES, *transactions.QUERIES, *books.QUERIES)
"""The statements with their calls per second, as planned for two million users and three movements a second."""

__all__ = ["QUERIES", "books", "people", "transactions", "wallets"]
