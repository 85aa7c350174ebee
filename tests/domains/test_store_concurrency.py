"""Twenty at once: no piece is sold twice, no job begun twice, no address given twice, no row written twice."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from dbplan.connection import transaction
from dbplan.domains.store import PLAN, operations  # noqa: F401 - PLAN is for the fixtures
from dbplan.domains.store.models import (
    Account,
    AgentJob,
    AgentType,
    JobStatus,
    MediaAsset,
    MediaType,
    Page,
    PageType,
    Product,
    ProductImage,
    ProductStatus,
    ProductVariant,
    Store,
    SupplierAccount,
    SupplierProvider,
    User,
)
from dbplan.errors import UsageError

THREADS = 20
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        return operations.create_user(session, "ada@example.com")


@pytest.fixture
def store_id(engine, user_id):
    """An open store; its first product is for sale."""
    with transaction(engine) as session:
        key = operations.create_store(session, user_id, "Neon Nexus", "Neon")
        on_sale(session, key, "Sign", 1)
        operations.set_domain(session, key, subdomain="neon")
        operations.submit_store(session, key)
        operations.publish_store(session, key)
        return key


def on_sale(session, store_id, title, *stocks):
    """Add a product with a variant of each stock, and return its id and theirs."""
    key = operations.add_product(session, store_id, title, price=Decimal("9.90"))
    operations.add_image(session, key, "https://x.example/1.jpg")
    variants = [
        operations.add_variant(
            session, key, operations.NewVariant(f"{title.replace(' ', '-')}-{n}", f"Title {n}", stock)
        )
        for n, stock in enumerate(stocks)
    ]
    operations.publish_product(session, key)
    return key, variants


def tried(engine, verb, *arguments, refused=(), **named):
    """Do one thing in a transaction of its own; of a refusal return the error's class."""
    try:
        with transaction(engine) as session:
            return verb(session, *arguments, **named)
    except refused as error:
        return type(error)


def stocks(engine, *variants):
    with transaction(engine) as session:
        found = session.execute(select(ProductVariant.id, ProductVariant.stock).where(ProductVariant.id.in_(variants)))
        held = dict(map(tuple, found))
    return [held[key] for key in variants]


def count(engine, model):
    with transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(model))


def assert_statuses_are_those_of_the_stock(engine):
    with transaction(engine) as session:
        for product in session.scalars(select(Product).where(Product.status != ProductStatus.DRAFT)):
            there = sum(variant.stock for variant in product.variants)
            assert product.status is (ProductStatus.ACTIVE if there else ProductStatus.OUT_OF_STOCK)


def test_the_last_pieces_are_sold_once(engine, at_once, store_id):
    with transaction(engine) as session:
        key, (variant,) = on_sale(session, store_id, "Lamp", 33)

    def buy(_):
        return [
            tried(engine, operations.reserve, store_id, {variant: 1}, refused=(operations.OutOfStock,))
            for _ in range(3)
        ]

    answers = [answer for some in at_once(buy) for answer in some]
    sold = [answer[0].stock for answer in answers if answer is not operations.OutOfStock]
    assert sorted(sold) == list(range(33))
    assert answers.count(operations.OutOfStock) == 60 - 33
    assert stocks(engine, variant) == [0]
    with transaction(engine) as session:
        assert operations.product(session, key).status is ProductStatus.OUT_OF_STOCK


def test_orders_for_the_same_variants_in_any_order_do_not_lock_each_other_out(engine, at_once, store_id):
    with transaction(engine) as session:
        variants = [v for n in range(3) for v in on_sale(session, store_id, f"Lamp {n}", 40, 40)[1]]

    def buy(n):
        turned = variants[n % 6 :] + variants[: n % 6]
        lines = dict.fromkeys(turned if n % 2 else turned[::-1], 1)
        return [tried(engine, operations.reserve, store_id, lines, refused=(operations.OutOfStock,)) for _ in range(3)]

    answers = [answer for some in at_once(buy) for answer in some]
    assert answers.count(operations.OutOfStock) == 20
    assert stocks(engine, *variants) == [0] * 6
    assert_statuses_are_those_of_the_stock(engine)


def test_an_order_that_fails_takes_nothing_of_any_variant(engine, at_once, store_id):
    with transaction(engine) as session:
        _, (plenty, scarce) = on_sale(session, store_id, "Lamp", 1000, 7)

    def buy(_):
        lines = {plenty: 2, scarce: 1}
        return tried(engine, operations.reserve, store_id, lines, refused=(operations.OutOfStock,))

    assert Counter(answer is operations.OutOfStock for answer in at_once(buy)) == {False: 7, True: 13}
    assert stocks(engine, plenty, scarce) == [1000 - 2 * 7, 0]


def test_a_product_whose_variants_are_emptied_by_different_people_is_out_of_stock(engine, at_once, store_id):
    with transaction(engine) as session:
        made = [on_sale(session, store_id, f"Lamp {n}", *[1] * THREADS) for n in range(3)]

    def buy(n):
        for _, variants in made:
            tried(engine, operations.reserve, store_id, {variants[n]: 1})

    at_once(buy)
    with transaction(engine) as session:
        assert {operations.product(session, key).status for key, _ in made} == {ProductStatus.OUT_OF_STOCK}


def test_sales_and_deliveries_interleave_and_the_status_follows_the_stock(engine, at_once, store_id):
    with transaction(engine) as session:
        _, variants = on_sale(session, store_id, "Lamp", 1, 1)
    out = (operations.OutOfStock, operations.NotForSale)

    def work(n):
        moved = 0
        for turn in range(8):
            variant = variants[(n + turn) % 2]
            if (n + turn // 2) % 2:
                tried(engine, operations.restock, store_id, {variant: 1})
                moved += 1
            elif isinstance(tried(engine, operations.reserve, store_id, {variant: 1}, refused=out), list):
                moved -= 1
        return moved

    assert 2 + sum(at_once(work)) == sum(stocks(engine, *variants))
    assert_statuses_are_those_of_the_stock(engine)


def test_each_job_is_begun_by_one_worker(engine, at_once, store_id):
    with transaction(engine) as session:
        keys = {operations.queue_job(session, store_id, AgentType.COPYWRITER, {"n": n}) for n in range(90)}

    def work(n):
        kind = AgentType.COPYWRITER if n % 2 else None
        claims = [tried(engine, operations.claim_job, kind) for _ in range(6)]
        for claim in filter(None, claims):
            tried(engine, operations.finish_job, claim, {"n": claim.input["n"]})
        return [claim.id for claim in claims if claim]

    begun = [key for some in at_once(work) for key in some]
    assert len(begun) == len(set(begun))
    while claim := tried(engine, operations.claim_job):  # a worker may pass by what another holds for a moment
        begun.append(claim.id)
        tried(engine, operations.finish_job, claim, {"n": claim.input["n"]})
    assert (set(begun), len(begun)) == (keys, 90)
    with transaction(engine) as session:
        jobs = session.scalars(select(AgentJob)).all()
        assert {(job.status, job.attempts) for job in jobs} == {(JobStatus.COMPLETED, 1)}
        assert all(job.output == job.input for job in jobs)


def test_an_attempt_ends_once_whoever_ends_it(engine, at_once, store_id):
    with transaction(engine) as session:
        key = operations.queue_job(session, store_id, AgentType.COPYWRITER, {})
        claim = operations.claim_job(session)
    verbs = (
        lambda s: operations.finish_job(s, claim, {"by": "worker"}) or "finished",
        lambda s: operations.fail_job(s, claim, "why") and "failed",
        lambda s: operations.cancel_job(s, key) or "cancelled",
    )
    over = (operations.JobLost, operations.JobOver)
    answers = at_once(lambda n: tried(engine, verbs[n % 2], refused=over))
    ended = [answer for answer in answers if isinstance(answer, str)]
    assert len(ended) == 1
    with transaction(engine) as session:
        status = operations.job(session, key).status
        assert status is {"finished": JobStatus.COMPLETED, "failed": JobStatus.PENDING}[ended[0]]
    answers = at_once(lambda _: tried(engine, verbs[2], refused=over))
    assert answers.count("cancelled") == (1 if status is JobStatus.PENDING else 0)


def test_lost_jobs_are_found_once(engine, at_once, store_id):
    with transaction(engine) as session:
        for _ in range(50):
            operations.queue_job(session, store_id, AgentType.COPYWRITER, {})
        while operations.claim_job(session):
            pass
        session.execute(update(AgentJob).values(updated_at=LONG_AGO))
    found = at_once(lambda _: tried(engine, operations.recover_jobs, silent_for=operations.TOKEN, limit=5))
    assert sum(found) == 50
    with transaction(engine) as session:
        assert {(job.status, job.attempts) for job in session.scalars(select(AgentJob))} == {(JobStatus.PENDING, 1)}


def test_one_of_twenty_stores_gets_an_address(engine, at_once, user_id):
    with transaction(engine) as session:
        keys = [operations.create_store(session, user_id, f"Store {n}", "Neon") for n in range(THREADS)]

    def take(n):
        named = {"subdomain": "neon"} if n % 2 else {"subdomain": f"s{n}", "custom_domain": "neon.example"}
        return tried(engine, operations.set_domain, keys[n], refused=(operations.AddressTaken,), **named)

    assert Counter(at_once(take)) == {None: 2, operations.AddressTaken: THREADS - 2}
    with transaction(engine) as session:
        held = session.execute(select(Store.subdomain, Store.custom_domain).where(Store.subdomain.is_not(None))).all()
        assert len(held) == 2


def test_a_store_is_opened_once(engine, at_once, store_id):
    with transaction(engine) as session:
        operations.pause_store(session, store_id)
    answers = at_once(lambda _: tried(engine, operations.publish_store, store_id, refused=(operations.NotPossible,)))
    assert Counter(answers) == {None: 1, operations.NotPossible: THREADS - 1}


def test_one_address_is_one_user_and_one_slug_one_store(engine, at_once, user_id):
    refused = (operations.EmailTaken, operations.SlugTaken)
    users = at_once(lambda _: tried(engine, operations.create_user, "grace@example.com", refused=refused))
    stores = at_once(lambda _: tried(engine, operations.create_store, user_id, "Neon", "Neon", refused=refused))
    assert users.count(operations.EmailTaken) == stores.count(operations.SlugTaken) == THREADS - 1
    assert (count(engine, User), count(engine, Store)) == (2, 1)


def test_what_is_written_again_and_again_is_one_row(engine, at_once, user_id, store_id):
    def write(n):
        grant = operations.Grant(f"token {n}")
        page = tried(engine, operations.upsert_page, store_id, PageType.ABOUT, "About", f"Text {n}")
        custom = tried(engine, operations.upsert_page, store_id, PageType.CUSTOM, "Sizes", f"Text {n}")
        file = tried(engine, operations.upsert_media, store_id, MediaType.LOGO, "a.svg", f"https://x/{n}", "image/svg")
        tried(engine, operations.connect_supplier, user_id, SupplierProvider.SPOCKET, f"key {n}")
        tried(engine, operations.link_account, user_id, "google", "1", grant=grant)
        return page, custom, file

    assert len(set(at_once(write))) == 1
    assert [count(engine, m) for m in (Page, MediaAsset, SupplierAccount, Account)] == [2, 1, 1, 1]


def test_pictures_that_are_added_and_reordered_at_once_have_places_of_their_own(engine, at_once, store_id):
    with transaction(engine) as session:
        key, _ = on_sale(session, store_id, "Lamp", 1)

    def reorder(session):
        page = operations.product_page(session, store_id, "lamp")
        try:
            operations.reorder_images(session, key, [image.id for image in page.images][::-1])
        except UsageError:
            return "somebody added one meanwhile"
        return None

    def work(n):
        if n % 2:
            return tried(engine, operations.add_image, key, f"https://x.example/{n}.jpg")
        return tried(engine, reorder)

    at_once(work)
    with transaction(engine) as session:
        places = session.scalars(select(ProductImage.position).where(ProductImage.product_id == key)).all()
    assert sorted(places) == list(range(1 + THREADS // 2))
