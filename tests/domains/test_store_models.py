import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import (
    CheckConstraint,
    Enum,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session as Database

from dbplan.columns import Money, UtcDateTime, new_id
from dbplan.connection import transaction
from dbplan.domains.store import PLAN
from dbplan.domains.store.models import Product, ProductVariant, Store, SupplierAccount, User

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HASH = "$2b$12$" + "a" * 53
ARGON = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$" + "a" * 43
OWN = {"id", "created_at", "updated_at"}
FIELDS = {
    "users": OWN
    | {"email", "name", "password_hash", "email_verified", "image", "stripe_account_id", "stripe_onboarded"},
    "accounts": {
        *("id", "user_id", "type", "provider", "provider_account_id", "refresh_token", "access_token"),
        *("expires_at", "token_type", "scope", "id_token", "session_state"),
    },
    "sessions": {"id", "session_token", "user_id", "expires"},
    "verification_tokens": {"identifier", "token", "expires"},
    "supplier_accounts": OWN | {"user_id", "provider", "api_key", "api_secret"},
    "stores": OWN
    | {"user_id", "name", "slug", "niche", "status", "currency", "brand_identity", "settings"}
    | {"custom_domain", "subdomain"},
    "products": OWN
    | {"store_id", "supplier", "source_product_id", "source_url", "title", "slug", "description", "status"}
    | {"cost_price", "price", "compare_at_price", "seo_title", "seo_description"},
    "product_images": {"id", "created_at", "product_id", "original_url", "processed_url", "alt_text", "position"},
    "product_variants": OWN
    | {"store_id", "product_id", "sku", "title", "price", "compare_at_price", "stock", "options"},
    "pages": OWN | {"store_id", "type", "title", "slug", "content"},
    "media_assets": OWN | {"store_id", "type", "filename", "url", "mime_type", "bytes", "metadata"},
    "agent_jobs": OWN
    | {"store_id", "type", "status", "input", "output", "error", "progress", "attempts", "max_attempts"}
    | {"scheduled_at", "started_at", "finished_at"},
}
NULLABLE = {
    "users": {"name", "password_hash", "email_verified", "image", "stripe_account_id"},
    "accounts": {
        *("refresh_token", "access_token", "expires_at", "token_type", "scope", "id_token", "session_state"),
    },
    "supplier_accounts": {"api_secret"},
    "stores": {"custom_domain", "subdomain"},
    "products": {
        *("supplier", "source_product_id", "source_url", "cost_price", "price", "compare_at_price"),
        *("seo_title", "seo_description"),
    },
    "product_images": {"processed_url"},
    "product_variants": {"price", "compare_at_price"},
    "media_assets": {"bytes"},
    "agent_jobs": {"output", "error", "started_at", "finished_at"},
}
WORDS = {
    "supplier_accounts.provider": ["ALIEXPRESS", "CJ_DROPSHIPPING", "SPOCKET"],
    "products.supplier": ["ALIEXPRESS", "CJ_DROPSHIPPING", "SPOCKET"],
    "stores.status": ["CREATING", "PENDING_REVIEW", "ACTIVE", "PAUSED", "ARCHIVED"],
    "products.status": ["DRAFT", "ACTIVE", "OUT_OF_STOCK", "ARCHIVED"],
    "pages.type": ["PRIVACY_POLICY", "TERMS_OF_SERVICE", "REFUND_POLICY", "ABOUT", "CONTACT", "FAQ", "CUSTOM"],
    "media_assets.type": ["IMAGE", "VIDEO", "LOGO", "BACKGROUND"],
    "agent_jobs.type": ["BRAND_GENERATOR", "PRODUCT_SCOUT", "COPYWRITER", "IMAGE_PROCESSOR", "VIDEO_GENERATOR"],
    "agent_jobs.status": ["PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED"],
    "accounts.type": ["oauth", "oidc", "email", "credentials", "webauthn"],
}


def columns():
    return {f"{t.name}.{c.name}": c for t in PLAN.tables for c in t.columns}


def test_every_field_of_the_requirement_is_there_with_what_operations_need():
    assert {table.name: set(table.columns.keys()) for table in PLAN.tables} == FIELDS


def test_what_is_required_is_not_null():
    found = {t.name: {c.name for c in t.columns if c.nullable} for t in PLAN.tables}
    assert {name: names for name, names in found.items() if names} == NULLABLE


def test_every_word_of_the_requirement_is_known_and_no_other():
    assert {name: c.type.enums for name, c in columns().items() if isinstance(c.type, Enum)} == WORDS


def test_every_price_has_ten_digits_and_two_decimals():
    money = {name for name, column in columns().items() if isinstance(column.type, Money)}
    assert money == {name for name in columns() if name.endswith("price")}


def test_every_time_is_an_instant():
    instants = {name.partition(".")[2] for name, column in columns().items() if isinstance(column.type, UtcDateTime)}
    assert instants == {
        *("created_at", "updated_at", "email_verified", "expires", "expires_at"),
        *("scheduled_at", "started_at", "finished_at"),
    }


def test_a_store_stays_with_its_user_and_everything_else_goes_with_its_owner():
    found = {(fk.parent.table.name, fk.column.table.name, fk.ondelete) for t in PLAN.tables for fk in t.foreign_keys}
    assert found == {
        *((name, "users", "CASCADE") for name in ("accounts", "sessions", "supplier_accounts")),
        ("stores", "users", "RESTRICT"),
        *((name, "stores", "CASCADE") for name in ("products", "pages", "media_assets", "agent_jobs")),
        *((name, "products", "CASCADE") for name in ("product_images", "product_variants")),
    }


KEYS = {name: new_id() for name in ("user", "store", "product")}
TEXTS = {"store_id": KEYS["store"], "title": "Title", "slug": "word"}
FIRST = {
    "users": {"id": KEYS["user"], "email": "ada@example.com", "stripe_account_id": "acct_1"},
    "accounts": {"user_id": KEYS["user"], "type": "oidc", "provider": "google", "provider_account_id": "1"},
    "sessions": {"user_id": KEYS["user"], "session_token": "t", "expires": START},
    "verification_tokens": {"identifier": "ada@example.com", "token": "t", "expires": START},
    "supplier_accounts": {"user_id": KEYS["user"], "provider": "ALIEXPRESS", "api_key": "key"},
    "stores": {"id": KEYS["store"], "user_id": KEYS["user"], "name": "Neon Nexus", "slug": "neon", "niche": "Neon"}
    | {"custom_domain": "neon.example", "subdomain": "neon"},
    "products": TEXTS
    | {"id": KEYS["product"], "price": Decimal("9.90"), "supplier": "SPOCKET", "source_product_id": "1"},
    "product_images": {"product_id": KEYS["product"], "original_url": "https://x.example/1.jpg", "position": 0},
    "product_variants": {"store_id": KEYS["store"], "product_id": KEYS["product"], "sku": "A-1", "title": "Title"}
    | {"price": Decimal("9.90"), "stock": 1},
    "pages": TEXTS | {"type": "ABOUT", "content": ""},
    "media_assets": {"store_id": KEYS["store"], "type": "LOGO", "filename": "a.svg", "url": "https://x.example/a.svg"}
    | {"mime_type": "image/svg+xml"},
    "agent_jobs": {"store_id": KEYS["store"], "type": "COPYWRITER", "status": "PROCESSING", "attempts": 1}
    | {"started_at": START},
}
"""A row of each table that can be true, parents first."""

OTHER = {
    "users": {"id": new_id(), "email": "grace@example.com", "stripe_account_id": None},
    "accounts": {"provider_account_id": "2"},
    "sessions": {"session_token": "u"},
    "verification_tokens": {"token": "u"},
    "supplier_accounts": {"provider": "SPOCKET"},
    "stores": {"id": new_id(), "slug": "other", "custom_domain": "other.example", "subdomain": "other"},
    "products": {"id": new_id(), "slug": "other", "source_product_id": "2"},
    "product_images": {"position": 1},
    "product_variants": {"sku": "A-2", "title": "Other"},
    "pages": {"type": "FAQ", "slug": "other"},
    "media_assets": {"filename": "b.svg"},
    "agent_jobs": {},
}
"""What makes a second row of it that can stand beside the first."""


def raw(value):
    """A value that no column type looks at, as another program would write it."""
    return literal_column(f"'{value}'")


OVER = {"status": "COMPLETED", "progress": 100, "finished_at": START, "output": {}}
REFUSED = {
    "users": {
        "email_form": {"email": "Grace@example.com"},
        "email_length": {"email": raw("a" * 255 + "@b")},
        "name_length": {"name": ""},
        "password_hash_form": {"password_hash": "correct horse battery staple " * 3},
        "password_hash_length": {"password_hash": "$2b$12$short"},
        "image_length": {"image": "x" * 2001},
        "stripe_account_id_form": {"stripe_account_id": "cus_1234"},
        "onboarded_has_account": {"stripe_onboarded": True},
    },
    "accounts": {
        "type_known": {"type": raw("password")},
        "provider_lower_case": {"provider": "Google"},
        "provider_length": {"provider": ""},
        "provider_account_id_length": {"provider_account_id": ""},
        "token_type_length": {"token_type": ""},
        "scope_length": {"scope": "x" * 2001},
        "session_state_length": {"session_state": ""},
        "refresh_token_sealed": {"refresh_token": raw("1//clear")},
        "access_token_sealed": {"access_token": raw("clear")},
        "id_token_sealed": {"id_token": raw("eyJ")},
    },
    "sessions": {"session_token_digest": {"session_token": raw("clear")}},
    "verification_tokens": {
        "token_digest": {"token": raw("clear")},
        "identifier_lower_case": {"identifier": "Ada@example.com"},
        "identifier_length": {"identifier": ""},
    },
    "supplier_accounts": {
        "provider_known": {"provider": raw("AMAZON")},
        "api_key_sealed": {"api_key": raw("clear")},
        "api_secret_sealed": {"api_secret": raw("clear")},
    },
    "stores": {
        "status_known": {"status": raw("OPEN")},
        "name_length": {"name": ""},
        "niche_length": {"niche": ""},
        "slug_word": {"slug": "Neon"},
        "slug_length": {"slug": ""},
        "currency_code": {"currency": "usd"},
        "custom_domain_host": {"custom_domain": "Shop.example"},
        "custom_domain_length": {"custom_domain": "a.b"},
        "subdomain_label": {"subdomain": "a.b"},
        "subdomain_length": {"subdomain": ""},
        "public_has_address": {"status": "ACTIVE", "custom_domain": None, "subdomain": None},
        "archived_has_no_address": {"status": "ARCHIVED"},
    },
    "products": {
        "supplier_known": {"supplier": raw("AMAZON")},
        "status_known": {"status": raw("SOLD")},
        "source_is_whole": {"source_product_id": None},
        "source_url_has_supplier": {"supplier": None, "source_product_id": None, "source_url": "https://x.example"},
        "source_product_id_length": {"source_product_id": ""},
        "source_url_length": {"source_url": ""},
        "title_length": {"title": ""},
        "slug_word": {"slug": "two words"},
        "slug_length": {"slug": ""},
        "description_length": {"description": "x" * 20001},
        "cost_price_not_negative": {"cost_price": Decimal("-0.01")},
        "price_not_negative": {"price": Decimal("-0.01")},
        "compare_at_above_price": {"compare_at_price": Decimal("9.90")},
        "published_has_price": {"status": "ACTIVE", "price": None},
        "seo_title_length": {"seo_title": ""},
        "seo_description_length": {"seo_description": ""},
    },
    "product_images": {
        "position_not_negative": {"position": -1},
        "original_url_length": {"original_url": ""},
        "processed_url_length": {"processed_url": ""},
        "alt_text_length": {"alt_text": "x" * 301},
    },
    "product_variants": {
        "sku_word": {"sku": "a-1"},
        "sku_length": {"sku": ""},
        "title_length": {"title": ""},
        "price_not_negative": {"price": Decimal("-0.01")},
        "compare_at_above_price": {"price": None, "compare_at_price": Decimal("9.90")},
        "stock_not_negative": {"stock": -1},
    },
    "pages": {
        "type_known": {"type": raw("IMPRINT")},
        "title_length": {"title": ""},
        "slug_word": {"slug": "a/b"},
        "slug_length": {"slug": ""},
        "content_length": {"content": "x" * 100_001},
    },
    "media_assets": {
        "type_known": {"type": raw("SOUND")},
        "filename_length": {"filename": ""},
        "url_length": {"url": ""},
        "mime_type_pair": {"mime_type": "webp"},
        "mime_type_length": {"mime_type": "a/b" + "c" * 98},
        "bytes_not_negative": {"bytes": -1},
    },
    "agent_jobs": {
        "type_known": {"type": raw("PAINTER")},
        "status_known": {"status": raw("LOST"), "finished_at": START},
        "progress_per_cent": {"progress": 101},
        "max_attempts_sane": {"max_attempts": 101},
        "attempts_in_bounds": {"attempts": 4},
        "error_length": {"error": ""},
        "pending_not_started": {"status": "PENDING"},
        "begun_has_start": {"started_at": None},
        "over_has_end": {"finished_at": START},
        "ends_after_start": OVER | {"finished_at": START - dt.timedelta(seconds=1)},
        "completed_has_output": OVER | {"output": None},
        "completed_is_whole": OVER | {"progress": 99},
        "failed_has_error": {"status": "FAILED", "finished_at": START},
    },
}
"""Table → CHECK → what makes its second row one that cannot be true."""

# A text that is too long for its type is refused by PostgreSQL before any CHECK is asked; SQLite knows no lengths.
BY_TYPE = {"users_email_length", "product_images_alt_text_length", "media_assets_mime_type_length"}


@pytest.fixture
def rows(engine):
    """An engine on a database with the first row of every table."""
    with transaction(engine) as session:
        for name, values in FIRST.items():
            session.execute(insert(PLAN.table(name)).values(values))
    return engine


def add(engine, name, changes):
    """Write a second row beside the first."""
    values = {**FIRST[name], **OTHER[name], **changes}
    table = PLAN.table(name)
    if "id" in table.c and "id" not in OTHER[name]:
        values["id"] = new_id()
    with transaction(engine) as session:
        session.execute(insert(table).values(values))


def test_a_second_row_of_every_table_is_taken(rows):
    for name in FIRST:
        add(rows, name, {})
    with transaction(rows) as session:
        assert {session.scalar(select(func.count()).select_from(PLAN.table(name))) for name in FIRST} == {2}


@pytest.mark.parametrize("name", REFUSED)
def test_a_row_that_cannot_be_true_is_refused(rows, name, subtests):
    for check, changes in REFUSED[name].items():
        by_type = rows.dialect.name == "postgresql" and f"{name}_{check}" in BY_TYPE
        expected = "too long for type character varying" if by_type else f"ck_{name}_{check}"
        with subtests.test(check), pytest.raises((IntegrityError, DataError), match=expected):
            add(rows, name, changes)


def test_every_check_is_tried_above():
    checks = {str(c.name) for t in PLAN.tables for c in t.constraints if isinstance(c, CheckConstraint)}
    assert checks == {f"ck_{name}_{check}" for name, tried in REFUSED.items() for check in tried}


def uniques():
    """Return table → name → columns of all that is unique beside primary keys of new ids."""
    found = {}
    for table in PLAN.tables:
        named = [c for c in table.constraints if isinstance(c, UniqueConstraint)] + [
            i for i in table.indexes if i.unique
        ]
        for thing in named:
            found[table.name, str(thing.name)] = [column.name for column in thing.columns]
    return found


def test_what_was_asked_to_be_unique_is():
    assert {(table, *names) for (table, _), names in uniques().items()} == {
        ("users", "email"),
        ("users", "stripe_account_id"),
        ("accounts", "provider", "provider_account_id"),
        ("sessions", "session_token"),
        ("supplier_accounts", "user_id", "provider"),
        ("stores", "slug"),
        ("stores", "custom_domain"),
        ("stores", "subdomain"),
        ("products", "store_id", "slug"),
        ("products", "store_id", "id"),
        ("products", "store_id", "supplier", "source_product_id"),
        ("product_images", "product_id", "position"),
        ("product_variants", "store_id", "sku"),
        ("product_variants", "product_id", "store_id", "title"),
        ("pages", "store_id", "slug"),
        ("pages", "store_id", "type"),
        ("media_assets", "store_id", "filename"),
    }


def test_a_row_like_another_is_refused(rows, subtests):
    for (table, name), names in uniques().items():
        if "id" in names:
            continue  # which the primary key refuses first
        same = {column: FIRST[table][column] for column in names}
        said = f"UNIQUE constraint failed: {table}." if rows.dialect.name == "sqlite" else f'"{name}"'
        with subtests.test(name), pytest.raises(IntegrityError, match=said):
            add(rows, table, same)


def test_many_users_are_paid_by_nobody_and_many_stores_have_no_address(rows):
    for number in range(2):
        add(rows, "users", {"id": new_id(), "email": f"{number}@example.com"})
        none = {"custom_domain": None, "subdomain": None}
        add(rows, "stores", none | {"id": new_id(), "slug": f"s{number}"})


def test_goods_of_no_supplier_are_many_and_custom_pages_too(rows):
    for number in range(2):
        own = {"supplier": None, "source_product_id": None}
        add(rows, "products", own | {"id": new_id(), "slug": f"p{number}"})
        add(rows, "pages", {"type": "CUSTOM", "slug": f"c{number}"})


@pytest.mark.parametrize("hashed", [HASH, ARGON])
def test_a_hash_of_a_password_is_taken(rows, hashed):
    add(rows, "users", {"password_hash": hashed})


@pytest.mark.parametrize("label", ["a b", "a/b", "-a", "a-", "a.b", "A"])
def test_a_subdomain_that_is_no_label_is_refused(rows, label):
    with pytest.raises(IntegrityError, match="subdomain_label"):
        add(rows, "stores", {"subdomain": label})


@pytest.mark.parametrize("domain", ["localhost", "a..example", "a b.example", "a.example/x"])
def test_a_domain_that_is_no_host_is_refused(rows, domain):
    with pytest.raises(IntegrityError, match="custom_domain_host"):
        add(rows, "stores", {"custom_domain": domain})


def test_a_variant_belongs_to_the_store_of_its_product(rows):
    add(rows, "stores", {})
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        add(rows, "product_variants", {"store_id": OTHER["stores"]["id"]})


def test_a_user_with_a_store_is_not_deleted_by_the_way(rows):
    with pytest.raises(IntegrityError), transaction(rows) as session:
        session.execute(delete(User).where(User.id == KEYS["user"]))


def count(engine, *names):
    with transaction(engine) as session:
        return {name: session.scalar(select(func.count()).select_from(PLAN.table(name))) for name in names}


def test_a_store_takes_all_that_is_in_it_and_leaves_its_user(rows):
    inside = ("products", "product_images", "product_variants", "pages", "media_assets", "agent_jobs")
    with transaction(rows) as session:
        session.delete(session.get_one(Store, KEYS["store"]))
    assert set(count(rows, "stores", *inside).values()) == {0}
    assert count(rows, "users") == {"users": 1}


def test_a_user_without_stores_takes_their_keys_along(rows):
    with transaction(rows) as session:
        session.delete(session.get_one(Store, KEYS["store"]))
        session.delete(session.get_one(User, KEYS["user"]))
    assert set(count(rows, "users", "accounts", "sessions", "supplier_accounts").values()) == {0}


def test_a_product_takes_its_pictures_and_variants(rows):
    with transaction(rows) as session:
        session.delete(session.get_one(Product, KEYS["product"]))
    assert set(count(rows, "product_images", "product_variants").values()) == {0}
    assert count(rows, "stores") == {"stores": 1}


def test_the_server_fills_what_is_left_out(rows):
    key = new_id().hex
    given = {"id": key, "user": KEYS["user"].hex, "store": KEYS["store"].hex}
    with rows.begin() as connection:
        for statement in (
            "INSERT INTO users (id, email) VALUES (:id, 'new@example.com')",
            "INSERT INTO stores (id, user_id, name, slug, niche) VALUES (:id, :user, 'New', 'new', 'New')",
            "INSERT INTO products (id, store_id, title, slug) VALUES (:id, :store, 'New', 'new')",
            "INSERT INTO product_variants (id, store_id, product_id, sku, title) VALUES (:id, :store, :id, 'N', 'N')",
            "INSERT INTO product_images (id, product_id, original_url, position) VALUES (:id, :id, 'https://x', 0)",
            "INSERT INTO media_assets (id, store_id, type, filename, url, mime_type) "
            "VALUES (:id, :store, 'IMAGE', 'n', 'u', 'a/b')",
            "INSERT INTO agent_jobs (id, store_id, type) VALUES (:id, :store, 'COPYWRITER')",
        ):
            names = [name for name in given if f":{name}" in statement]
            connection.execute(text(statement), {name: given[name] for name in names})
        filled = {
            "users": {"stripe_onboarded": False},
            "stores": {"status": "CREATING", "currency": "USD", "brand_identity": {}, "settings": {}},
            "products": {"status": "DRAFT", "description": "", "price": None},
            "product_variants": {"stock": 0, "options": {}, "price": None},
            "product_images": {"alt_text": ""},
            "media_assets": {"metadata": {}, "bytes": None},
            "agent_jobs": {"status": "PENDING", "progress": 0, "attempts": 0, "max_attempts": 3, "input": {}}
            | {"output": None, "started_at": None},
        }
        for name, values in filled.items():
            table = PLAN.table(name)
            row = connection.execute(select(table).where(table.c.id == bindparam("key")), {"key": as_uuid(key)}).one()
            assert {column: row._mapping[column] for column in values} == values
            assert abs(dt.datetime.now(dt.UTC) - row.created_at) < dt.timedelta(seconds=5)


def as_uuid(text_):
    return type(KEYS["user"])(text_)


def test_a_change_moves_updated_at_and_nothing_else_does(rows):
    old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    with transaction(rows) as session:
        session.execute(update(Product).values(updated_at=old, created_at=old))
    with transaction(rows) as session:
        session.get_one(Product, KEYS["product"]).title = "Another"
    with transaction(rows) as session:
        product = session.get_one(Product, KEYS["product"])
        assert product.created_at == old
        assert dt.datetime.now(dt.UTC) - product.updated_at < dt.timedelta(seconds=5)


def test_a_supplier_s_key_is_sealed_in_the_database_and_clear_in_the_application(rows):
    with rows.connect() as connection:
        stored = connection.scalar(text("SELECT api_key FROM supplier_accounts"))
        assert stored.startswith("sealed:")
        assert "key" not in stored.removeprefix("sealed:")
        assert Database(connection).scalars(select(SupplierAccount)).one().api_key == "key"


def test_a_price_comes_back_exact(rows):
    with transaction(rows) as session:
        session.execute(update(ProductVariant).values(price=Decimal("99999999.99")))
    with transaction(rows) as session:
        assert session.scalar(select(ProductVariant.price)) == Decimal("99999999.99")


def test_a_store_reaches_what_is_in_it_and_its_user(rows):
    with transaction(rows) as session:
        store = session.get_one(Store, KEYS["store"])
        assert store.user.email == "ada@example.com"
        (product,) = session.scalars(store.products.select())
        assert [variant.sku for variant in product.variants] == ["A-1"]
        assert [image.product.store for image in product.images] == [store]
        for others in (store.pages, store.media_assets, store.agent_jobs, store.user.accounts, store.user.sessions):
            assert len(session.scalars(others.select()).all()) == 1
