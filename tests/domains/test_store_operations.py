import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import event, func, select, text, update

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains.calls import NotThere
from dbplan.domains.store import PLAN, operations
from dbplan.domains.store.models import (
    Account,
    AgentJob,
    AgentType,
    JobStatus,
    MediaType,
    PageType,
    Product,
    ProductStatus,
    Store,
    StoreStatus,
    SupplierProvider,
    User,
    VerificationToken,
)
from dbplan.errors import UsageError

HASH = "$2b$12$" + "a" * 53
HOUR = dt.timedelta(hours=1)


def in_one(engine, verb, *arguments, **named):
    """Do one thing in a transaction of its own."""
    with transaction(engine) as session:
        return verb(session, *arguments, **named)


def made(session, slug="neon-nexus", address="ada@example.com"):
    """Make a user with an open store that sells one product in two variants."""
    user_id = operations.create_user(session, address, name="Ada")
    store_id = operations.create_store(session, user_id, "Neon Nexus", "Neon", slug=slug)
    product_id = operations.add_product(session, store_id, "Neon Sign", price=Decimal("59.90"))
    operations.add_image(session, product_id, "https://x.example/1.jpg")
    variants = [
        operations.add_variant(session, product_id, operations.NewVariant(f"SIGN-{n}", f"Title {n}", stock=stock))
        for n, stock in enumerate((5, 3))
    ]
    operations.publish_product(session, product_id)
    operations.set_domain(session, store_id, subdomain=slug)
    operations.submit_store(session, store_id)
    operations.publish_store(session, store_id)
    return user_id, store_id, product_id, *variants


@pytest.fixture
def shop(engine):
    return in_one(engine, made)


def status_of(engine, product_id):
    return in_one(engine, operations.product, product_id).status


def test_a_user_is_found_by_an_address_in_any_case(engine):
    user_id = in_one(engine, operations.create_user, " Ada@Example.com ", name="Ada", password_hash=HASH)
    found = in_one(engine, operations.find_user_by_email, "ADA@example.COM")
    assert (found.id, found.email, found.name, found.password_hash) == (user_id, "ada@example.com", "Ada", HASH)
    assert HASH not in repr(found)
    assert in_one(engine, operations.find_user_by_email, "grace@example.com") is None


def test_an_address_belongs_to_one_user_and_the_work_before_stays(engine):
    with transaction(engine) as session:
        operations.create_user(session, "ada@example.com")
        with pytest.raises(operations.EmailTaken, match='"ada@example.com" belongs to a user'):
            operations.create_user(session, "Ada@example.com")
    assert in_one(engine, operations.find_user_by_email, "ada@example.com")


def test_an_account_lets_one_user_in_and_is_renewed_by_them_alone(engine):
    ada, grace = (in_one(engine, operations.create_user, f"{name}@example.com") for name in ("ada", "grace"))
    in_one(engine, operations.link_account, ada, "Google", "42", grant=operations.Grant("old"))
    in_one(engine, operations.link_account, ada, "google", "42", grant=operations.Grant("new", "more"))
    with pytest.raises(operations.AccountTaken, match='"42" at google lets another user in'):
        in_one(engine, operations.link_account, grace, "google", "42")
    assert in_one(engine, operations.find_user_by_account, "google", "42").id == ada
    assert in_one(engine, operations.find_user_by_account, "github", "42") is None
    with transaction(engine) as session:
        account = session.scalars(select(Account)).one()
        assert (account.user_id, account.access_token, account.refresh_token) == (ada, "new", "more")


def test_a_session_signs_in_until_it_is_deleted_or_over(engine, monkeypatch):
    user_id = in_one(engine, operations.create_user, "ada@example.com")
    first, second = (in_one(engine, operations.create_session, user_id) for _ in range(2))
    assert in_one(engine, operations.find_session, first).id == user_id
    assert in_one(engine, operations.delete_session, first)
    assert not in_one(engine, operations.delete_session, first)
    assert in_one(engine, operations.find_session, first) is None
    later = dt.datetime.now(dt.UTC) + operations.SESSION
    monkeypatch.setattr("dbplan.domains.store.operations.people.now", lambda: later)
    assert in_one(engine, operations.find_session, second) is None
    assert in_one(engine, operations.cleanup) == 1
    assert in_one(engine, operations.cleanup) == 0


def test_a_token_proves_its_address_once(engine):
    in_one(engine, operations.create_user, "ada@example.com")
    token = in_one(engine, operations.create_verification_token, "Ada@example.com")
    assert not in_one(engine, operations.use_verification_token, "grace@example.com", token)
    assert in_one(engine, operations.find_user_by_email, "ada@example.com").email_verified is None
    assert in_one(engine, operations.use_verification_token, "ada@example.com", token)
    assert in_one(engine, operations.find_user_by_email, "ada@example.com").email_verified
    assert not in_one(engine, operations.use_verification_token, "ada@example.com", token)


def test_an_old_token_proves_nothing_and_is_cleaned_up(engine, monkeypatch):
    token = in_one(engine, operations.create_verification_token, "ada@example.com")
    later = dt.datetime.now(dt.UTC) + operations.TOKEN
    monkeypatch.setattr("dbplan.domains.store.operations.people.now", lambda: later)
    assert not in_one(engine, operations.use_verification_token, "ada@example.com", token)
    assert in_one(engine, operations.cleanup) == 1
    with transaction(engine) as session:
        assert session.scalars(select(VerificationToken)).all() == []


def test_stripe_is_connected_onboarded_and_let_go(engine):
    ada, grace = (in_one(engine, operations.create_user, f"{name}@example.com") for name in ("ada", "grace"))
    assert not in_one(engine, operations.onboard_stripe, "acct_1")
    in_one(engine, operations.connect_stripe, ada, "acct_1")
    for user_id, account in ((grace, "acct_1"), (ada, "acct_2")):
        with pytest.raises(operations.StripeTaken, match=f'"{account}" cannot be connected'):
            in_one(engine, operations.connect_stripe, user_id, account)
    assert not in_one(engine, operations.user, ada).stripe_onboarded
    assert in_one(engine, operations.onboard_stripe, "acct_1")
    assert in_one(engine, operations.user, ada).stripe_onboarded
    in_one(engine, operations.disconnect_stripe, ada)
    assert in_one(engine, operations.user, ada).stripe_account_id is None
    in_one(engine, operations.connect_stripe, grace, "acct_1")
    assert not in_one(engine, operations.user, grace).stripe_onboarded


def test_a_supplier_s_keys_are_kept_replaced_and_forgotten(engine):
    user_id = in_one(engine, operations.create_user, "ada@example.com")
    spocket = SupplierProvider.SPOCKET
    in_one(engine, operations.connect_supplier, user_id, spocket, "key", "secret")
    in_one(engine, operations.connect_supplier, user_id, spocket, "newer")
    found = in_one(engine, operations.supplier_credentials, user_id, spocket)
    assert (found.provider, found.api_key, found.api_secret) == (spocket, "newer", None)
    assert "newer" not in repr(found)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT api_key FROM supplier_accounts")).startswith("sealed:")
    in_one(engine, operations.disconnect_supplier, user_id, spocket)
    for verb in (operations.supplier_credentials, operations.disconnect_supplier):
        with pytest.raises(operations.NoSuchSupplier, match="no keys to SPOCKET"):
            in_one(engine, verb, user_id, spocket)


def test_a_user_who_may_be_paid_is_not_erased_and_another_goes_with_their_stores(engine, shop):
    user_id, store_id, *_ = shop
    other = in_one(engine, made, "other", "grace@example.com")
    in_one(engine, operations.connect_stripe, user_id, "acct_1")
    with pytest.raises(operations.StripeConnected, match="acct_1, to which money may be on its way"):
        in_one(engine, operations.erase_user, user_id)
    assert in_one(engine, operations.store, store_id)
    in_one(engine, operations.disconnect_stripe, user_id)
    in_one(engine, operations.erase_user, user_id)
    with transaction(engine) as session:
        assert session.scalars(select(User.id)).all() == [other[0]]
        assert session.scalars(select(Store.id)).all() == [other[1]]


def test_a_store_gets_its_slug_from_its_name(engine):
    user_id = in_one(engine, operations.create_user, "ada@example.com")
    store_id = in_one(engine, operations.create_store, user_id, "Café Größe & Co.", "Coffee", currency="eur")
    store = in_one(engine, operations.store, store_id)
    assert (store.slug, store.currency, store.status) == ("cafe-groe-co", "EUR", StoreStatus.CREATING)
    with pytest.raises(operations.SlugTaken, match='"cafe-groe-co" is in use by another store'):
        in_one(engine, operations.create_store, user_id, "Another", "Tea", slug="cafe-groe-co")
    in_one(engine, operations.create_store, user_id, "Another", "Tea")
    assert [s.name for s in in_one(engine, operations.stores_of_user, user_id)] == ["Another", "Café Größe & Co."]


def test_a_store_goes_from_state_to_state_and_takes_no_short_cut(engine, shop):
    _, store_id, *_ = shop
    steps = {
        "pause_store": StoreStatus.PAUSED,
        "publish_store": StoreStatus.ACTIVE,
        "archive_store": StoreStatus.ARCHIVED,
    }
    for step, status in steps.items():
        for wrong in ("submit_store", "return_store"):
            with pytest.raises(operations.NotPossible, match=f"{wrong} is not possible for store {store_id}"):
                in_one(engine, getattr(operations, wrong), store_id)
        in_one(engine, getattr(operations, step), store_id)
        assert in_one(engine, operations.store, store_id).status is status
    for step in (*steps, "submit_store", "return_store"):
        with pytest.raises(operations.NotPossible, match="it is ARCHIVED; next may be nothing, it stays archived"):
            in_one(engine, getattr(operations, step), store_id)


def test_a_store_is_handed_in_and_back(engine):
    with transaction(engine) as session:
        user_id = operations.create_user(session, "ada@example.com")
        store_id = operations.create_store(session, user_id, "Neon", "Neon")
        with pytest.raises(operations.NotPossible, match="it is CREATING; next may be submit_store"):
            operations.publish_store(session, store_id)
        operations.submit_store(session, store_id)
        operations.return_store(session, store_id)
        assert operations.store(session, store_id).status is StoreStatus.CREATING


def test_a_store_without_an_address_or_goods_is_not_opened(engine, shop):
    user_id, *_ = shop
    with transaction(engine) as session:
        store_id = operations.create_store(session, user_id, "Empty", "Nothing")
        operations.submit_store(session, store_id)
        with pytest.raises(operations.NotPossible, match="it has no address; set_domain"):
            operations.publish_store(session, store_id)
        operations.set_domain(session, store_id, subdomain="empty")
        with pytest.raises(operations.NotPossible, match="no product of it is ACTIVE; publish_product"):
            operations.publish_store(session, store_id)


def test_an_open_store_is_found_under_its_addresses_and_a_closed_one_is_not(engine, shop):
    _, store_id, *_ = shop
    in_one(engine, operations.set_domain, store_id, subdomain="Neon", custom_domain="Shop.Neon.example")
    for address in ({"subdomain": "NEON"}, {"custom_domain": "shop.neon.example"}):
        assert in_one(engine, operations.storefront, **address).id == store_id
    in_one(engine, operations.pause_store, store_id)
    with pytest.raises(operations.NoSuchStore, match="no store neon"):
        in_one(engine, operations.storefront, subdomain="neon")


def test_an_address_is_taken_once_kept_while_public_and_free_again_once_archived(engine, shop):
    user_id, store_id, *_ = shop
    other = in_one(engine, operations.create_store, user_id, "Other", "Neon")
    with pytest.raises(operations.AddressTaken, match='another store is found under "neon-nexus"'):
        in_one(engine, operations.set_domain, other, subdomain="neon-nexus")
    with pytest.raises(operations.NotPossible, match="it is ACTIVE, and would be found nowhere"):
        in_one(engine, operations.set_domain, store_id)
    in_one(engine, operations.archive_store, store_id)
    in_one(engine, operations.set_domain, other, subdomain="neon-nexus")
    with pytest.raises(operations.NotPossible, match="it is ARCHIVED; next may be nothing"):
        in_one(engine, operations.set_domain, store_id, subdomain="again")


def test_a_look_is_replaced(engine, shop):
    look = {"colours": {"primary": "#00f0ff"}, "tone": "electric"}
    in_one(engine, operations.brand_store, shop[1], look)
    assert in_one(engine, operations.store, shop[1]).brand_identity == look


def test_a_legal_page_is_one_of_its_type_and_custom_pages_are_many(engine, shop):
    _, store_id, *_ = shop
    first = in_one(engine, operations.upsert_page, store_id, PageType.ABOUT, "About us", "Old.", slug="about")
    again = in_one(engine, operations.upsert_page, store_id, PageType.ABOUT, "Our story", "New.")
    assert first == again
    assert in_one(engine, operations.page, store_id, "about") is None
    page = in_one(engine, operations.page, store_id, "our-story")
    assert (page.id, page.title, page.content) == (first, "Our story", "New.")
    one, two = (
        in_one(engine, operations.upsert_page, store_id, PageType.CUSTOM, name, "Text.") for name in ("Sizes", "Care")
    )
    assert one == in_one(engine, operations.upsert_page, store_id, PageType.CUSTOM, "Sizes", "Other.")
    titles = in_one(engine, operations.pages_of_store, store_id)
    assert [(t.id, t.slug) for t in titles] == [(two, "care"), (first, "our-story"), (one, "sizes")]


def test_a_page_does_not_take_the_slug_of_another(engine, shop):
    _, store_id, *_ = shop
    in_one(engine, operations.upsert_page, store_id, PageType.CUSTOM, "About", "Text.")
    in_one(engine, operations.upsert_page, store_id, PageType.FAQ, "Questions", "Text.")
    for type_ in (PageType.ABOUT, PageType.FAQ):
        with pytest.raises(operations.SlugTaken, match='"about" is in use by another page of the store'):
            in_one(engine, operations.upsert_page, store_id, type_, "About", "Text.")
    with pytest.raises(operations.SlugTaken):
        in_one(engine, operations.upsert_page, store_id, PageType.CUSTOM, "Questions", "Text.")
    assert in_one(engine, operations.page, store_id, "questions").type is PageType.FAQ


def test_a_file_is_known_by_its_name(engine, shop):
    _, store_id, *_ = shop

    def keep(url, kind=MediaType.LOGO, **named):
        return in_one(engine, operations.upsert_media, store_id, kind, "logo.svg", url, "Image/SVG+xml", **named)

    assert keep("https://x/1.svg") == keep("https://x/2.svg", bytes=7, details={"width": 9})
    (logo,) = in_one(engine, operations.media_of_store, store_id, MediaType.LOGO)
    assert (logo.url, logo.bytes, logo.mime_type, logo.details) == (
        *("https://x/2.svg", 7, "image/svg+xml"),
        {"width": 9},
    )
    assert in_one(engine, operations.media_of_store, store_id, MediaType.VIDEO) == []


def test_a_product_is_published_once_it_lacks_nothing(engine, shop):
    _, store_id, *_ = shop
    with transaction(engine) as session:
        bare = operations.add_product(session, store_id, "Bare")
        with pytest.raises(operations.NotReady, match="it has no price and no image and no variant"):
            operations.publish_product(session, bare)
        key = operations.add_product(session, store_id, "Poster", price=Decimal("9.90"))
        operations.add_image(session, key, "https://x.example/1.jpg")
        with pytest.raises(operations.NotReady, match="it has no variant"):
            operations.publish_product(session, key)
        operations.add_variant(session, key, operations.NewVariant("poster"))
        assert operations.publish_product(session, key) is ProductStatus.OUT_OF_STOCK
        with pytest.raises(operations.NotReady, match="it is OUT_OF_STOCK already"):
            operations.publish_product(session, key)
        operations.add_variant(session, key, operations.NewVariant("poster-xl", "XL", stock=1))
        assert operations.product(session, key).status is ProductStatus.ACTIVE
        operations.archive_product(session, key)
        operations.archive_product(session, key)
        assert operations.product(session, key).status is ProductStatus.ARCHIVED
        assert operations.publish_product(session, key) is ProductStatus.ACTIVE


def test_a_product_is_in_its_store_once(engine, shop):
    _, store_id, *_ = shop
    source = operations.Source(SupplierProvider.ALIEXPRESS, "1005", "https://supplier.example/1005")
    key = in_one(engine, operations.add_product, store_id, "Holo Mat", cost_price=Decimal("3"), source=source)
    for slug, again in (("holo-mat", None), ("other", source)):
        with pytest.raises(operations.ProductExists, match=f'has a product with the slug "{slug}"'):
            in_one(engine, operations.add_product, store_id, "Holo", slug=slug, source=again)
    product = in_one(engine, operations.product, key)
    assert (product.supplier, product.source_product_id, product.cost_price) == (source.supplier, "1005", Decimal("3"))
    other = in_one(engine, made, "other", "grace@example.com")[1]
    assert in_one(engine, operations.add_product, other, "Holo Mat", source=source)


def test_a_sku_is_in_its_store_once(engine, shop):
    _, store_id, product_id, *_ = shop
    key = in_one(engine, operations.add_product, store_id, "Poster")
    with pytest.raises(operations.VariantExists, match='the SKU "sign-0"'):
        in_one(engine, operations.add_variant, key, operations.NewVariant("sign-0"))
    with pytest.raises(operations.VariantExists, match='one titled "Title 0"'):
        in_one(engine, operations.add_variant, product_id, operations.NewVariant("sign-9", "Title 0"))


def test_the_page_of_a_product_shows_pictures_in_order_and_variants_with_their_prices(engine, shop):
    _, store_id, product_id, first, second = shop
    image = in_one(engine, operations.add_image, product_id, "https://x.example/2.jpg", alt_text="In the dark")
    in_one(engine, operations.process_image, image, "https://cdn.example/2.webp")
    dear = operations.NewVariant("sign-xl", "XL", 1, Decimal("89.90"), Decimal("99.90"), {"size": "XL"})
    third = in_one(engine, operations.add_variant, product_id, dear)
    page = in_one(engine, operations.product_page, store_id, "neon-sign")
    assert (page.product.id, page.product.price) == (product_id, Decimal("59.90"))
    assert [(i.position, i.processed_url) for i in page.images] == [(0, None), (1, "https://cdn.example/2.webp")]
    assert [v.id for v in page.variants] == [first, second, third]
    assert [v.price for v in page.variants] == [None, None, Decimal("89.90")]
    in_one(engine, operations.archive_product, product_id)
    with pytest.raises(operations.NoSuchProduct, match="no product neon-sign"):
        in_one(engine, operations.product_page, store_id, "neon-sign")


def test_pictures_are_put_into_any_order(engine, shop):
    _, store_id, product_id, *_ = shop
    for n in range(2, 6):
        in_one(engine, operations.add_image, product_id, f"https://x.example/{n}.jpg")
    ids = [i.id for i in in_one(engine, operations.product_page, store_id, "neon-sign").images]
    for order in (ids[::-1], ids[2:] + ids[:2], ids):
        in_one(engine, operations.reorder_images, product_id, order)
        images = in_one(engine, operations.product_page, store_id, "neon-sign").images
        assert [(i.position, i.id) for i in images] == list(enumerate(order))
    for wrong in (ids[1:], [*ids, new_id()], [ids[0], *ids[:-1]]):
        with pytest.raises(UsageError, match="name each of them once"):
            in_one(engine, operations.reorder_images, product_id, wrong)


def test_pages_of_products_miss_nothing_even_where_instants_are_equal(engine, shop):
    _, store_id, product_id, *_ = shop
    with transaction(engine) as session:
        keys = {operations.add_product(session, store_id, f"Product {n}") for n in range(10)}
        instant = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        for n, key in enumerate(sorted(keys)):
            moment = instant + dt.timedelta(seconds=n % 3)
            session.execute(update(Product).where(Product.id == key).values(created_at=moment))
    seen, cursor = [], operations.TOP
    with transaction(engine) as session:
        while page := operations.products_of_store(session, store_id, ProductStatus.DRAFT, before=cursor, limit=3):
            seen += page
            cursor = operations.Cursor.of(page[-1])
        assert {product.id for product in seen} == keys
        assert len(seen) == 10
        order = [(p.created_at, p.id) for p in seen]
        assert order == sorted(order, reverse=True)
        assert [p.id for p in operations.products_of_store(session, store_id, ProductStatus.ACTIVE)] == [product_id]


def test_the_last_piece_ends_the_sale_and_the_next_begins_it(engine, shop):
    _, store_id, product_id, first, second = shop
    left = in_one(engine, operations.reserve, store_id, {second: 3, first: 4})
    assert {entry.variant_id: entry.stock for entry in left} == {first: 1, second: 0}
    assert status_of(engine, product_id) is ProductStatus.ACTIVE
    assert in_one(engine, operations.reserve, store_id, {first: 1}) == [(first, product_id, 0)]
    assert status_of(engine, product_id) is ProductStatus.OUT_OF_STOCK
    assert in_one(engine, operations.product_page, store_id, "neon-sign")
    assert in_one(engine, operations.restock, store_id, {second: 2}) == [(second, product_id, 2)]
    assert status_of(engine, product_id) is ProductStatus.ACTIVE


def test_an_order_takes_all_or_nothing_and_the_work_before_stays(engine, shop):
    _, store_id, _, first, second = shop
    with transaction(engine) as session:
        operations.brand_store(session, store_id, {"tone": "dry"})
        with pytest.raises(operations.OutOfStock, match=f"4 pieces of variant {second} wanted, 3 there") as caught:
            operations.reserve(session, store_id, {first: 1, second: 4})
        assert (caught.value.variant_id, caught.value.wanted, caught.value.there) == (second, 4, 3)
    page = in_one(engine, operations.product_page, store_id, "neon-sign")
    assert [variant.stock for variant in page.variants] == [5, 3]
    assert in_one(engine, operations.store, store_id).brand_identity == {"tone": "dry"}


def test_what_is_not_for_sale_is_not_taken(engine, shop):
    _, store_id, product_id, first, _ = shop
    in_one(engine, operations.pause_store, store_id)
    with pytest.raises(operations.NotForSale, match="its product is ACTIVE, its store PAUSED"):
        in_one(engine, operations.reserve, store_id, {first: 1})
    in_one(engine, operations.publish_store, store_id)
    in_one(engine, operations.archive_product, product_id)
    with pytest.raises(operations.NotForSale, match="its product is ARCHIVED, its store ACTIVE"):
        in_one(engine, operations.reserve, store_id, {first: 1})
    in_one(engine, operations.restock, store_id, {first: 1})
    assert status_of(engine, product_id) is ProductStatus.ARCHIVED


def test_a_variant_is_ordered_from_its_own_store(engine, shop):
    other = in_one(engine, made, "other", "grace@example.com")
    for verb in (operations.reserve, operations.restock):
        with pytest.raises(operations.NoSuchVariant, match=f"store {shop[1]} has no variant {other[3]}"):
            in_one(engine, verb, shop[1], {shop[3]: 1, other[3]: 1})
    page = in_one(engine, operations.product_page, shop[1], "neon-sign")
    assert [variant.stock for variant in page.variants] == [5, 3]


def queued(engine, store_id, kind=AgentType.COPYWRITER, **named):
    return in_one(engine, operations.queue_job, store_id, kind, {"tone": "dry"}, **named)


def test_a_job_is_begun_reported_and_finished(engine, shop):
    key = queued(engine, shop[1])
    claim = in_one(engine, operations.claim_job)
    assert claim == operations.Claim(key, shop[1], AgentType.COPYWRITER, {"tone": "dry"}, 1)
    assert in_one(engine, operations.claim_job) is None
    in_one(engine, operations.progress_job, claim, 40)
    assert in_one(engine, operations.job, key).progress == 40
    in_one(engine, operations.finish_job, claim, {"text": "Glows."})
    job = in_one(engine, operations.job, key)
    assert (job.status, job.progress, job.output, job.error) == (JobStatus.COMPLETED, 100, {"text": "Glows."}, None)
    assert job.started_at <= job.finished_at


def test_the_job_that_is_due_longest_comes_first_and_none_before_it_is_due(engine, shop):
    instant = dt.datetime.now(dt.UTC)
    keys = [queued(engine, shop[1], due=instant - hours * HOUR) for hours in (1, 3, 2, -1)]
    claims = [in_one(engine, operations.claim_job) for _ in range(4)]
    assert [claim and claim.id for claim in claims] == [keys[1], keys[2], keys[0], None]


def test_a_worker_of_one_kind_takes_jobs_of_that_kind(engine, shop):
    queued(engine, shop[1])
    key = queued(engine, shop[1], AgentType.VIDEO_GENERATOR)
    assert in_one(engine, operations.claim_job, AgentType.PRODUCT_SCOUT) is None
    assert in_one(engine, operations.claim_job, AgentType.VIDEO_GENERATOR).id == key


def test_a_job_fails_for_good_once_its_attempts_are_spent(engine, shop):
    key = queued(engine, shop[1], max_attempts=2)
    first = in_one(engine, operations.claim_job)
    assert in_one(engine, operations.fail_job, first, "timeout", retry_in=HOUR) is JobStatus.PENDING
    job = in_one(engine, operations.job, key)
    assert (job.error, job.started_at, job.finished_at, job.attempts) == ("timeout", None, None, 1)
    assert in_one(engine, operations.claim_job) is None
    with transaction(engine) as session:
        session.execute(update(AgentJob).values(scheduled_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    second = in_one(engine, operations.claim_job)
    assert second.attempt == 2
    assert in_one(engine, operations.fail_job, second, "again") is JobStatus.FAILED
    job = in_one(engine, operations.job, key)
    assert (job.status, job.error) == (JobStatus.FAILED, "again")
    assert job.finished_at


def test_a_cancelled_job_is_nobody_s(engine, shop):
    key = queued(engine, shop[1])
    claim = in_one(engine, operations.claim_job)
    in_one(engine, operations.cancel_job, key)
    for report in (
        lambda s: operations.progress_job(s, claim, 50),
        lambda s: operations.finish_job(s, claim, {}),
        lambda s: operations.fail_job(s, claim, "why"),
    ):
        with pytest.raises(operations.JobLost, match=f"attempt 1 of job {key} is over: the job is CANCELLED"):
            in_one(engine, report)
    with pytest.raises(operations.JobOver, match="is CANCELLED since"):
        in_one(engine, operations.cancel_job, key)


def test_a_job_whose_worker_is_lost_is_tried_again_and_the_worker_cannot_finish_it(engine, shop):
    key = queued(engine, shop[1], max_attempts=2)
    lost = in_one(engine, operations.claim_job)
    assert in_one(engine, operations.recover_jobs, silent_for=HOUR) == 0
    old = dt.datetime.now(dt.UTC) - 2 * HOUR
    silent = update(AgentJob).values(updated_at=old)
    in_one(engine, lambda s: s.execute(silent))
    assert in_one(engine, operations.recover_jobs, silent_for=HOUR) == 1
    assert in_one(engine, operations.job, key).error == operations.LOST
    claim = in_one(engine, operations.claim_job)
    with pytest.raises(operations.JobLost, match="attempt 1 of job .* is over: the job is PROCESSING, attempt 2"):
        in_one(engine, operations.finish_job, lost, {})
    in_one(engine, operations.progress_job, claim, 10)
    in_one(engine, lambda s: s.execute(silent))
    assert in_one(engine, operations.recover_jobs, silent_for=HOUR) == 1
    job = in_one(engine, operations.job, key)
    assert (job.status, job.error) == (JobStatus.FAILED, operations.LOST)


def test_jobs_of_a_store_are_its_own_newest_first(engine, shop):
    other = in_one(engine, made, "other", "grace@example.com")[1]
    queued(engine, other)
    keys = [queued(engine, shop[1]) for _ in range(3)]
    seen, cursor = [], operations.TOP
    while page := in_one(engine, operations.jobs_of_store, shop[1], before=cursor, limit=2):
        seen += page
        cursor = operations.Cursor.of(page[-1])
    assert [job.id for job in seen] == keys[::-1]


def test_a_session_that_holds_a_row_sees_what_was_done_to_it(engine, shop):
    with transaction(engine) as session:
        held = operations.store(session, shop[1])
        operations.pause_store(session, shop[1])
        assert held.status is StoreStatus.ACTIVE
        assert operations.store(session, shop[1]) is held
        assert held.status is StoreStatus.PAUSED


STRANGERS = {
    "no user": (
        lambda s, key: operations.user(s, key),
        lambda s, key: operations.create_session(s, key),
        lambda s, key: operations.link_account(s, key, "google", "1"),
        lambda s, key: operations.connect_stripe(s, key, "acct_1"),
        lambda s, key: operations.disconnect_stripe(s, key),
        lambda s, key: operations.connect_supplier(s, key, SupplierProvider.SPOCKET, "key"),
        lambda s, key: operations.erase_user(s, key),
        lambda s, key: operations.create_store(s, key, "Name", "Niche"),
    ),
    "no store": (
        lambda s, key: operations.store(s, key),
        lambda s, key: operations.brand_store(s, key, {}),
        lambda s, key: operations.set_domain(s, key, subdomain="a"),
        lambda s, key: operations.publish_store(s, key),
        lambda s, key: operations.archive_store(s, key),
        lambda s, key: operations.upsert_page(s, key, PageType.FAQ, "Title", ""),
        lambda s, key: operations.upsert_media(s, key, MediaType.LOGO, "a", "b", "c/d"),
        lambda s, key: operations.add_product(s, key, "Title"),
        lambda s, key: operations.queue_job(s, key, AgentType.COPYWRITER, {}),
    ),
    "no product": (
        lambda s, key: operations.product(s, key),
        lambda s, key: operations.add_image(s, key, "https://x"),
        lambda s, key: operations.add_variant(s, key, operations.NewVariant("a")),
        lambda s, key: operations.publish_product(s, key),
        lambda s, key: operations.archive_product(s, key),
        lambda s, key: operations.reorder_images(s, key, []),
    ),
    "no picture": (lambda s, key: operations.process_image(s, key, "https://x"),),
    "no job": (lambda s, key: operations.job(s, key), lambda s, key: operations.cancel_job(s, key)),
}


@pytest.mark.parametrize("what", STRANGERS)
def test_a_stranger_is_named_and_nothing_is_written(engine, what, subtests):
    stranger = new_id()
    for number, call in enumerate(STRANGERS[what]):
        with subtests.test(str(number)), pytest.raises(NotThere, match=f"{what} {stranger}"):
            in_one(engine, call, stranger)
    with transaction(engine) as session:
        assert {session.scalar(select(func.count()).select_from(table)) for table in PLAN.tables} == {0}


NAIVE = dt.datetime(2026, 1, 1)
KEY = new_id()
CLAIM = operations.Claim(KEY, KEY, AgentType.COPYWRITER, {}, 1)
WRONG = {
    "no Argon2id or bcrypt": lambda s: operations.create_user(s, "a@b.example", password_hash="hunter2"),
    "is no e-mail address": lambda s: operations.create_user(s, "ada"),
    "the name has 201 characters": lambda s: operations.create_user(s, "a@b.example", name="x" * 201),
    '"cus_1" is no Stripe account': lambda s: operations.connect_stripe(s, KEY, "cus_1"),
    "the limit is 0": lambda s: operations.cleanup(s, limit=0),
    "give one of them": lambda s: operations.storefront(s),
    '"a.b" is no host label': lambda s: operations.set_domain(s, KEY, subdomain="a.b"),
    '"-a" is no host label': lambda s: operations.set_domain(s, KEY, subdomain="-a"),
    '"under_score" is no host label': lambda s: operations.set_domain(s, KEY, subdomain="under_score"),
    '"localhost" is no domain': lambda s: operations.set_domain(s, KEY, custom_domain="localhost"),
    '"127.0.0.1" is no domain': lambda s: operations.set_domain(s, KEY, custom_domain="127.0.0.1"),
    "no variant is named": lambda s: operations.reserve(s, KEY, {}),
    f"the number of pieces of variant {KEY} is 0; it is a whole number, 1 to 2000000000": lambda s: operations.reserve(
        s, KEY, {KEY: 0}
    ),
    f"pieces of variant {KEY} is -1": lambda s: operations.restock(s, KEY, {KEY: -1}),
    f"pieces of variant {KEY} is 1.5": lambda s: operations.reserve(s, KEY, {KEY: 1.5}),
    f"pieces of variant {KEY} is True": lambda s: operations.restock(s, KEY, {KEY: True}),
    "the stock is -1": lambda s: operations.add_variant(s, KEY, operations.NewVariant("a", stock=-1)),
    "the stock is 0.5": lambda s: operations.add_variant(s, KEY, operations.NewVariant("a", stock=0.5)),
    "the price is of type str; it is 0 to 99999999.99": lambda s: operations.add_variant(
        s, KEY, operations.NewVariant("a", price="cheap")
    ),
    "the limit is 1001": lambda s: operations.products_of_store(s, KEY, ProductStatus.ACTIVE, limit=1001),
    "the progress in per cent is 101": lambda s: operations.progress_job(s, CLAIM, 101),
    "the progress in per cent is 99.5": lambda s: operations.progress_job(s, CLAIM, 99.5),
    "the number of attempts is 0": lambda s: operations.queue_job(s, KEY, CLAIM.type, {}, max_attempts=0),
    "the number of attempts is 1.5": lambda s: operations.queue_job(s, KEY, CLAIM.type, {}, max_attempts=1.5),
    "the number of bytes is -1": lambda s: operations.upsert_media(s, KEY, MediaType.LOGO, "a", "b", "c/d", bytes=-1),
    "the number of bytes is 0.5": lambda s: operations.upsert_media(s, KEY, MediaType.LOGO, "a", "b", "c/d", bytes=0.5),
    "the price is 1.005; .* at most two decimals": lambda s: operations.add_product(s, KEY, "T", price=1.005),
    "the price is -1": lambda s: operations.add_product(s, KEY, "T", price=Decimal(-1)),
    "the price is nan": lambda s: operations.add_product(s, KEY, "T", price=float("nan")),
    "the cost is Infinity": lambda s: operations.add_product(s, KEY, "T", cost_price=Decimal("Infinity")),
    "the cost is 100000000": lambda s: operations.add_product(s, KEY, "T", cost_price=Decimal(10**8)),
    "the price is True": lambda s: operations.add_product(s, KEY, "T", price=True),
    "to compare with of 5": lambda s: operations.add_product(s, KEY, "T", compare_at_price=Decimal(5)),
    "an id is a text": lambda s: operations.store(s, str(KEY)),
}
WRONG_WITHIN = {
    '"AB" is no slug': lambda s, shop: operations.create_store(s, shop[0], "Name", "Niche", slug="AB"),
    'no slug can be made of "東京".*slug=': lambda s, shop: operations.create_store(s, shop[0], "東京", "Niche"),
    'no slug can be made of "Чай"': lambda s, shop: operations.add_product(s, shop[1], "Чай"),
    "the slug has 0 characters": lambda s, shop: operations.create_store(s, shop[0], "Name", "Niche", slug=" "),
    '"euro" is no currency': lambda s, shop: operations.create_store(s, shop[0], "Name", "Niche", currency="euro"),
    "the content has 100001": lambda s, shop: operations.upsert_page(s, shop[1], PageType.FAQ, "T", "x" * 100_001),
    '"svg" is no MIME type': lambda s, shop: operations.upsert_media(s, shop[1], MediaType.LOGO, "a", "b", "svg"),
    "the description has 20001": lambda s, shop: operations.add_product(s, shop[1], "T", description="x" * 20_001),
    "has a space or a slash": lambda s, shop: operations.add_variant(s, shop[2], operations.NewVariant("a b")),
    "the alternative text has 301": lambda s, shop: operations.add_image(s, shop[2], "u", alt_text="x" * 301),
    "2026-01-01 00:00:00 has no time zone": lambda s, shop: operations.queue_job(
        s, shop[1], AgentType.COPYWRITER, {}, due=NAIVE
    ),
}
"""What is found out once the owner was looked up."""


def test_a_senseless_call_is_refused_before_it_reaches_the_server(engine, subtests):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
    with transaction(engine) as session:
        for message, call in WRONG.items():
            with subtests.test(message), pytest.raises(UsageError, match=message):
                call(session)
        assert set(sent) <= {"BEGIN IMMEDIATE"}


def test_a_senseless_call_writes_nothing(engine, shop, subtests):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
    with transaction(engine) as session:
        for message, call in WRONG_WITHIN.items():
            with subtests.test(message), pytest.raises(UsageError, match=message):
                call(session, shop)
    assert [statement for statement in sent if statement.startswith(("INSERT", "UPDATE", "DELETE"))] == []
