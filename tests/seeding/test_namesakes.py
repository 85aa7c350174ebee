"""People by number: nobody twice, and names as often as Faker says them."""

from collections import Counter

import numpy as np
import pytest

from dbplan.seeding.values.people import Person, named
from dbplan.seeding.values.words import FEW, lexicon_of, slots_of, weights


@pytest.mark.parametrize("part", ["email", "user"])
@pytest.mark.parametrize("rows", [1, 50, 1_000, 50_000, 300_000])
def test_no_two_people_are_alike(part, rows):
    people = Person("", part, "en_US").roomy(rows)
    said = people.nth(np.arange(people.size)[-rows:]).tolist()
    assert len(set(said)) == rows
    everybody = people.nth(np.arange(min(people.size, 2**17))).tolist()
    assert len(set(everybody)) == len(everybody)


def test_first_and_last_names_are_as_frequent_as_faker_says_them():
    size = 2**18
    people = named(np.arange(size), size, "en_US")
    for part, numbers in (("first_name", people.first), ("last_name", people.last)):
        wanted = weights(part, "en_US")
        total = sum(wanted.values())
        counted = Counter(numbers.tolist())
        told = sorted(counted.values(), reverse=True)[:20]
        meant = [size * weight / total for weight in sorted(wanted.values(), reverse=True)[:20]]
        assert np.allclose(told, meant, rtol=0.05)


def test_few_people_are_not_all_called_the_same():
    people = Person("", "name", "en_US").roomy(50)
    last = [name.split()[-1] for name in people.nth(np.arange(50)).tolist()]
    assert max(Counter(last).values()) <= 5


def test_a_person_is_found_by_address_and_user_name():
    for part in ("email", "user"):
        people = Person("", part, "en_US").roomy(5_000)
        for number in (0, 1, 77, 4_999):
            assert people.find(str(people.nth(np.array([number]))[0])) == number
        assert people.find("nobody@example.com") is None
        assert people.find("no address") is None


def test_words_keep_their_weights():
    slots = slots_of([3, 1, 0.0001])
    shares = np.bincount(slots) / len(slots)
    assert np.allclose(shares, [0.75, 0.25, 0.0000], atol=1e-4)
    assert shares[2] > 0
    cities = lexicon_of(weights("city", "en_US", FEW))
    drawn = cities.draw(np.arange(2**16, dtype=np.uint64) << np.uint64(48)).tolist()
    counted, wanted = Counter(drawn), weights("city", "en_US", FEW)
    assert all(abs(counted[word] / 2**16 - weight / FEW) < 1e-3 for word, weight in wanted.items())


@pytest.mark.parametrize("locale", ["de_DE", "ja_JP", "fa_IR", "fr_FR"])
def test_people_of_other_places_are_different_too(locale):
    people = Person("", "email", locale).roomy(2_000)
    said = people.nth(np.arange(2_000)).tolist()
    assert len(set(said)) == 2_000
