"""Statements about stores: where they are found, how far they are, and what they show beside goods."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, Update, bindparam, exists, insert, literal_column, null, or_, select, update

from dbplan.columns import new_id
from dbplan.domains.store.models import (
    Base,
    MediaAsset,
    MediaType,
    Page,
    PageType,
    ProductStatus,
    Store,
    StoreStatus,
)
from dbplan.domains.store.statements.entities import current
from dbplan.plan import Query

USERS: Table = Base.metadata.tables["users"]
STORES: Table = Base.metadata.tables["stores"]
PRODUCTS: Table = Base.metadata.tables["products"]
PAGES: Table = Base.metadata.tables["pages"]
MEDIA: Table = Base.metadata.tables["media_assets"]

_THIS = STORES.c.id == bindparam("store_id")
_DOMAIN = bindparam("domain", type_=STORES.c.custom_domain.type)
_LABEL = bindparam("label", type_=STORES.c.subdomain.type)


create_store = insert(STORES).values(
    id=bindparam("new_id"),
    user_id=bindparam("owner"),
    name=bindparam("called"),
    slug=bindparam("word"),
    niche=bindparam("sells"),
    currency=bindparam("money"),
    brand_identity=bindparam("brand"),
    settings=bindparam("choices"),
)

store_by_id = current(Store).where(_THIS)

stores_of_user = current(Store).where(STORES.c.user_id == bindparam("user_id")).order_by(STORES.c.name)

_OPEN = STORES.c.status == StoreStatus.ACTIVE

store_by_subdomain = current(Store).where(STORES.c.subdomain == bindparam("label"), _OPEN)

store_by_domain = current(Store).where(STORES.c.custom_domain == bindparam("domain"), _OPEN)

brand_store = update(STORES).where(_THIS).values(brand_identity=bindparam("brand"))

# A store that the public was shown keeps an address, and an archived one gets none.
set_domain = (
    update(STORES)
    .where(
        _THIS,
        STORES.c.status != StoreStatus.ARCHIVED,
        or_(
            STORES.c.status.in_([StoreStatus.CREATING, StoreStatus.PENDING_REVIEW]),
            _DOMAIN.is_not(null()),
            _LABEL.is_not(null()),
        ),
    )
    .values(custom_domain=_DOMAIN, subdomain=_LABEL)
)


def _move(to: StoreStatus, *come_from: StoreStatus) -> Update:
    return update(STORES).where(_THIS, STORES.c.status.in_(come_from)).values(status=to)


submit_store = _move(StoreStatus.PENDING_REVIEW, StoreStatus.CREATING)

return_store = _move(StoreStatus.CREATING, StoreStatus.PENDING_REVIEW)

publish_store = _move(StoreStatus.ACTIVE, StoreStatus.PENDING_REVIEW, StoreStatus.PAUSED).where(
    or_(STORES.c.custom_domain.is_not(None), STORES.c.subdomain.is_not(None)),
    exists().where(PRODUCTS.c.store_id == STORES.c.id, PRODUCTS.c.status == ProductStatus.ACTIVE),
)

pause_store = _move(StoreStatus.PAUSED, StoreStatus.ACTIVE)

archive_store = _move(StoreStatus.ARCHIVED, *(s for s in StoreStatus if s is not StoreStatus.ARCHIVED)).values(
    custom_domain=None, subdomain=None
)

pages_of_store = (
    select(PAGES.c.id, PAGES.c.type, PAGES.c.title, PAGES.c.slug)
    .where(PAGES.c.store_id == bindparam("store_id"))
    .order_by(PAGES.c.slug)
)

page_by_slug = current(Page).where(PAGES.c.store_id == bindparam("store_id"), PAGES.c.slug == bindparam("slug"))

_TEXT: dict[str, Any] = {"title": bindparam("heading"), "content": bindparam("body")}

# The word stands in the statement: a partial index serves only a query that shows its predicate.
change_page = (
    update(PAGES)
    .where(
        PAGES.c.store_id == bindparam("store"),
        PAGES.c.type == bindparam("kind"),
        PAGES.c.type != literal_column("'CUSTOM'"),
    )
    .values(_TEXT | {"slug": bindparam("word")})
    .returning(PAGES.c.id)
)

change_custom_page = (
    update(PAGES)
    .where(PAGES.c.store_id == bindparam("store"), PAGES.c.slug == bindparam("word"), PAGES.c.type == bindparam("kind"))
    .values(_TEXT)
    .returning(PAGES.c.id)
)

add_page = insert(PAGES).values(
    _TEXT
    | {"id": bindparam("new_id"), "store_id": bindparam("store"), "type": bindparam("kind"), "slug": bindparam("word")}
)

media_of_store = (
    current(MediaAsset)
    .where(MEDIA.c.store_id == bindparam("store_id"), MEDIA.c.type == bindparam("kind"))
    .order_by(MEDIA.c.filename)
)

_FILE: dict[str, Any] = {
    "type": bindparam("kind"),
    "url": bindparam("place"),
    "mime_type": bindparam("mime"),
    "bytes": bindparam("size"),
    "metadata": bindparam("details"),
}

change_media = (
    update(MEDIA)
    .where(MEDIA.c.store_id == bindparam("store"), MEDIA.c.filename == bindparam("file"))
    .values(_FILE)
    .returning(MEDIA.c.id)
)

add_media = insert(MEDIA).values(
    _FILE | {"id": bindparam("new_id"), "store_id": bindparam("store"), "filename": bindparam("file")}
)


def _word() -> str:
    return new_id().hex


def _host() -> str:
    return f"{new_id().hex}.example"


_LOOK = {"colours": {"primary": "#00f0ff"}, "tone": "electric"}
_WRITTEN = {"heading": ["About us"], "body": ["We light desks."]}
_STORED = {
    "place": ["https://cdn.example/logo.svg"],
    "mime": ["image/svg+xml"],
    "size": [4096],
    "details": [{"width": 512, "height": 512}],
    "kind": [MediaType.LOGO],
}

QUERIES = (
    Query(
        "create store",
        create_store,
        0.05,
        {"new_id": new_id, "owner": USERS.c.id, "called": ["Neon Nexus"], "word": _word, "sells": ["neon"]}
        | {"money": ["USD"], "brand": [_LOOK], "choices": [{}]},
    ),
    Query("store by id", store_by_id, 20),
    Query("stores of user", stores_of_user, 5),
    Query("store by subdomain", store_by_subdomain, 300),
    Query("store by domain", store_by_domain, 100),
    Query("brand store", brand_store, 0.05, {"brand": [_LOOK]}),
    Query("set domain", set_domain, 0.05, {"domain": _host, "label": _word}),
    Query("submit store", submit_store, 0.05),
    Query("return store", return_store, 0.01),
    Query("publish store", publish_store, 0.05),
    Query("pause store", pause_store, 0.01),
    Query("archive store", archive_store, 0.01),
    Query("pages of store", pages_of_store, 50),
    Query("page by slug", page_by_slug, 30),
    Query(
        "change page",
        change_page,
        0.2,
        {"store": PAGES.c.store_id, "kind": PAGES.c.type, "word": _word} | _WRITTEN,
    ),
    Query(
        "change custom page",
        change_custom_page,
        0.1,
        {"store": PAGES.c.store_id, "word": PAGES.c.slug, "kind": PAGES.c.type} | _WRITTEN,
    ),
    Query(
        "add page",
        add_page,
        0.2,
        {"new_id": new_id, "store": STORES.c.id, "kind": [PageType.CUSTOM], "word": _word} | _WRITTEN,
    ),
    Query("media of store", media_of_store, 50),
    Query("change media", change_media, 0.2, {"store": MEDIA.c.store_id, "file": MEDIA.c.filename} | _STORED),
    Query("add media", add_media, 0.5, {"new_id": new_id, "store": STORES.c.id, "file": _word} | _STORED),
)
"""Statements about stores, with their calls per second as planned for a hundred thousand of them."""
