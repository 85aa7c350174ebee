"""The rows of the benchmark's `users` table by other generators: loops over whole rows, as their guides show them.

Each takes a number of rows and returns them as tuples: id, first and last name, e-mail (no two alike), city, time,
truth, number.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from random import Random

START, END = datetime(2024, 1, 1), datetime(2026, 1, 1)
MOST = 10_000


def faker_rows(rows, **options):
    from faker import Faker

    fake = Faker(**options)
    fake.seed_instance(7)
    return [
        (
            number,
            fake.first_name(),
            fake.last_name(),
            fake.unique.email(),
            fake.city(),
            fake.date_time_between(START, END),
            fake.pybool(),
            fake.random_int(0, MOST),
        )
        for number in range(1, rows + 1)
    ]


def unweighted_faker_rows(rows):
    return faker_rows(rows, use_weighting=False)


def mimesis_rows(rows):
    from mimesis import Generic, Locale

    made = Generic(Locale.EN)  # without a seed: with one it refuses e-mails that are all different
    return [
        (
            number,
            made.person.first_name(),
            made.person.last_name(),
            made.person.email(unique=True),
            made.address.city(),
            made.datetime.datetime(start=START.year, end=END.year),
            made.development.boolean(),
            made.numeric.integer_number(0, MOST),
        )
        for number in range(1, rows + 1)
    ]


@dataclass
class User:
    id: int
    first_name: str
    last_name: str
    email: str
    city: str
    created_at: datetime
    is_active: bool
    logins: int


def polyfactory_rows(rows):
    from faker import Faker
    from polyfactory import Use
    from polyfactory.factories import DataclassFactory

    fake, chance = Faker(), Random(7)
    numbers = iter(range(1, rows + 1))

    class Users(DataclassFactory[User]):
        __model__ = User
        __faker__ = fake
        id = Use(lambda: next(numbers))
        first_name = Use(fake.first_name)
        last_name = Use(fake.last_name)
        email = Use(fake.unique.email)
        city = Use(fake.city)
        created_at = Use(fake.date_time_between, START, END)
        logins = Use(chance.randint, 0, MOST)

    return [
        (u.id, u.first_name, u.last_name, u.email, u.city, u.created_at, u.is_active, u.logins)
        for u in Users.batch(rows)
    ]


def csv_bytes(rows):
    """Return rows as a CSV file."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


GENERATORS = {
    "Faker, naive loop": faker_rows,
    "Faker, use_weighting=False": unweighted_faker_rows,
    "Mimesis": mimesis_rows,
    "polyfactory": polyfactory_rows,
}
