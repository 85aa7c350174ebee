"""Every statement that the store plan runs, defined once: `operations` executes them, the plan's queries are them."""

from dbplan.domains.store.statements import jobs, people, products, stores

QUERIES = (*people.QUERIES, *stores.QUERIES, *products.QUERIES, *jobs.QUERIES)
"""The statements with their calls per second, as planned for a hundred thousand stores."""
