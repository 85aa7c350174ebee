"""Every statement that the plan runs, defined once: `operations` executes them, the plan's queries are them."""

from dbplan.domains.clone_jobs.statements import assets, audit, jobs, payments, queue, subscriptions, users

QUERIES = (
    *queue.QUERIES,
    *jobs.QUERIES,
    *assets.QUERIES,
    *users.QUERIES,
    *subscriptions.QUERIES,
    *payments.QUERIES,
    *audit.QUERIES,
)
"""The statements with their calls per second, as planned for 200,000 users and two jobs a second at the busiest."""
