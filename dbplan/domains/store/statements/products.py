"""Statements about products: what is shown, what is ordered, and the pieces that are left."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Integer, Table, bindparam, case, exists, func, insert, select, update

from dbplan.columns import clock, new_id
from dbplan.domains.paging import LAST_ID, NEWEST, newest_first
from dbplan.domains.store.models import Base, Product, ProductImage, ProductStatus, ProductVariant, StoreStatus
from dbplan.domains.store.statements.entities import current
from dbplan.plan import Query

STORES: Table = Base.metadata.tables["stores"]
PRODUCTS: Table = Base.metadata.tables["products"]
IMAGES: Table = Base.metadata.tables["product_images"]
VARIANTS: Table = Base.metadata.tables["product_variants"]

_THIS = PRODUCTS.c.id == bindparam("product_id")
_PUBLISHED = PRODUCTS.c.status.in_([ProductStatus.ACTIVE, ProductStatus.OUT_OF_STOCK])
_PIECES = bindparam("pieces", type_=Integer)

_PICTURED = exists().where(IMAGES.c.product_id == PRODUCTS.c.id)
_VARIED = exists().where(VARIANTS.c.product_id == PRODUCTS.c.id)
_STOCKED = exists().where(VARIANTS.c.product_id == PRODUCTS.c.id, VARIANTS.c.stock > 0)


add_product = insert(PRODUCTS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    store_id=bindparam("store"),
    supplier=bindparam("source"),
    source_product_id=bindparam("source_id"),
    source_url=bindparam("source_page"),
    title=bindparam("called"),
    slug=bindparam("word"),
    description=bindparam("text"),
    cost_price=bindparam("cost"),
    price=bindparam("amount"),
    compare_at_price=bindparam("before"),
    seo_title=bindparam("found_as"),
    seo_description=bindparam("summary"),
)

product_by_id = current(Product).where(_THIS)

product_by_slug = current(Product).where(
    PRODUCTS.c.store_id == bindparam("store_id"), PRODUCTS.c.slug == bindparam("slug"), _PUBLISHED
)

images_of_product = (
    current(ProductImage).where(IMAGES.c.product_id == bindparam("product_id")).order_by(IMAGES.c.position)
)

variants_of_product = (
    current(ProductVariant).where(VARIANTS.c.product_id == bindparam("product_id")).order_by(VARIANTS.c.id)
)

products_of_store = newest_first(
    current(Product).where(PRODUCTS.c.store_id == bindparam("store_id"), PRODUCTS.c.status == bindparam("status")),
    PRODUCTS,
)

# NO KEY: new pictures and variants refer to the product, and need not wait.
lock_product = (
    select(PRODUCTS.c.id, PRODUCTS.c.store_id, PRODUCTS.c.status).where(_THIS).with_for_update(key_share=True)
)

readiness = select(
    PRODUCTS.c.status,
    PRODUCTS.c.price.is_not(None).label("price"),
    _PICTURED.label("image"),
    _VARIED.label("variant"),
).where(_THIS)

publish_product = (
    update(PRODUCTS)
    .where(
        _THIS,
        PRODUCTS.c.status.in_([ProductStatus.DRAFT, ProductStatus.ARCHIVED]),
        PRODUCTS.c.price.is_not(None),
        _PICTURED,
        _VARIED,
    )
    .values(status=case((_STOCKED, ProductStatus.ACTIVE), else_=ProductStatus.OUT_OF_STOCK))
)

archive_product = (
    update(PRODUCTS).where(_THIS, PRODUCTS.c.status != ProductStatus.ARCHIVED).values(status=ProductStatus.ARCHIVED)
)

_NEXT = (
    select(func.coalesce(func.max(IMAGES.c.position) + 1, 0))
    .where(IMAGES.c.product_id == bindparam("product"))
    .scalar_subquery()
)

add_image = insert(IMAGES).values(
    id=bindparam("new_id"),
    product_id=bindparam("product"),
    original_url=bindparam("place"),
    alt_text=bindparam("shows"),
    position=_NEXT,
)

process_image = update(IMAGES).where(IMAGES.c.id == bindparam("image_id")).values(processed_url=bindparam("place"))

# Behind the last place there is room for all of them, in whatever order the server moves them.
park_images = (
    update(IMAGES)
    .where(IMAGES.c.product_id == bindparam("product"))
    .values(position=IMAGES.c.position + bindparam("beyond", type_=Integer))
)

place_image = (
    update(IMAGES)
    .where(IMAGES.c.id == bindparam("image_id"), IMAGES.c.product_id == bindparam("product"))
    .values(position=bindparam("number"))
)

add_variant = insert(VARIANTS).values(
    id=bindparam("new_id"),
    store_id=bindparam("store"),
    product_id=bindparam("product"),
    sku=bindparam("code"),
    title=bindparam("called"),
    price=bindparam("amount"),
    compare_at_price=bindparam("before"),
    stock=bindparam("pieces"),
    options=bindparam("chosen"),
)

_SOLD = (
    select(PRODUCTS.c.id)
    .join(STORES, STORES.c.id == PRODUCTS.c.store_id)
    .where(
        PRODUCTS.c.id == VARIANTS.c.product_id,
        PRODUCTS.c.status == ProductStatus.ACTIVE,
        STORES.c.status == StoreStatus.ACTIVE,
    )
    .exists()
)

# What is taken is looked at and taken in one statement: of two who want the last piece one waits, and finds none.
take_stock = (
    update(VARIANTS)
    .where(
        VARIANTS.c.id == bindparam("variant_id"),
        VARIANTS.c.store_id == bindparam("store"),
        VARIANTS.c.stock >= _PIECES,
        _SOLD,
    )
    .values(stock=VARIANTS.c.stock - _PIECES)
    .returning(VARIANTS.c.product_id, VARIANTS.c.stock)
)

add_stock = (
    update(VARIANTS)
    .where(VARIANTS.c.id == bindparam("variant_id"), VARIANTS.c.store_id == bindparam("store"))
    .values(stock=VARIANTS.c.stock + _PIECES)
    .returning(VARIANTS.c.product_id, VARIANTS.c.stock)
)

availability = (
    select(VARIANTS.c.stock, PRODUCTS.c.status.label("product_status"), STORES.c.status.label("store_status"))
    .join(PRODUCTS, PRODUCTS.c.id == VARIANTS.c.product_id)
    .join(STORES, STORES.c.id == VARIANTS.c.store_id)
    .where(VARIANTS.c.id == bindparam("variant_id"), VARIANTS.c.store_id == bindparam("store"))
)

# Both are right only under lock_product: variants of one product are emptied by different people.
sell_out = (
    update(PRODUCTS)
    .where(_THIS, PRODUCTS.c.status == ProductStatus.ACTIVE, ~_STOCKED)
    .values(status=ProductStatus.OUT_OF_STOCK)
)

bring_back = (
    update(PRODUCTS)
    .where(_THIS, PRODUCTS.c.status == ProductStatus.OUT_OF_STOCK, _STOCKED)
    .values(status=ProductStatus.ACTIVE)
)


def _word() -> str:
    return new_id().hex


def _sku() -> str:
    return new_id().hex.upper()


_IN_STORE = {"store_id": PRODUCTS.c.store_id, "status": PRODUCTS.c.status, "limit": [24]}
_TOP = {"before": [NEWEST], "before_id": [LAST_ID]}
_BELOW = {"before": PRODUCTS.c.created_at, "before_id": PRODUCTS.c.id}
_PLACE = {"image_id": IMAGES.c.id, "product": IMAGES.c.product_id}
_ORDERED = {"variant_id": VARIANTS.c.id, "store": VARIANTS.c.store_id, "pieces": [1, 2]}

QUERIES = (
    Query(
        "add product",
        add_product,
        1,
        {"new_id": new_id, "store": STORES.c.id, "source": [None], "source_id": [None], "source_page": [None]}
        | {"called": ["Neon sign"], "word": _word, "text": [""], "cost": [Decimal("8.20")]}
        | {"amount": [Decimal("24.90")], "before": [None], "found_as": [None], "summary": [None]},
    ),
    Query("product by id", product_by_id, 5),
    Query("product by slug", product_by_slug, 100),
    Query("images of product", images_of_product, 100, {"product_id": IMAGES.c.product_id}),
    Query("variants of product", variants_of_product, 100, {"product_id": VARIANTS.c.product_id}),
    Query("products of store", products_of_store, 200, _IN_STORE | _TOP),
    Query("products of store, next page", products_of_store, 40, _IN_STORE | _BELOW),
    Query("lock product", lock_product, 3),
    Query("readiness", readiness, 0.1),
    Query("publish product", publish_product, 0.5),
    Query("archive product", archive_product, 0.1),
    Query(
        "add image",
        add_image,
        2,
        {"new_id": new_id, "product": PRODUCTS.c.id, "place": ["https://cdn.example/a.jpg"], "shows": ["A neon sign"]},
    ),
    Query("process image", process_image, 2, {"place": ["https://cdn.example/a.webp"]}),
    Query("park images", park_images, 0.05, {"product": IMAGES.c.product_id, "beyond": [1000]}),
    Query("place image", place_image, 0.2, _PLACE | {"number": [1000]}),
    Query(
        "add variant",
        add_variant,
        2,
        {"new_id": new_id, "store": PRODUCTS.c.store_id, "product": PRODUCTS.c.id, "code": _sku, "called": _word}
        | {"amount": [None], "before": [None], "pieces": [10], "chosen": [{"colour": "cyan"}]},
    ),
    Query("take stock", take_stock, 10, _ORDERED),
    Query("add stock", add_stock, 2, _ORDERED),
    Query("availability", availability, 0.5, {"variant_id": VARIANTS.c.id, "store": VARIANTS.c.store_id}),
    Query("sell out", sell_out, 1),
    Query("bring back", bring_back, 0.5),
)
"""Statements about products, with their calls per second as planned for ten million of them."""
