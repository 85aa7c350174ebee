"""Products: added, dressed with pictures and variants, shown and put away."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from dbplan.columns import new_id
from dbplan.domains import calls
from dbplan.domains.calls import NotThere, changed, only, refused_as, text, whole
from dbplan.domains.paging import TOP, Cursor
from dbplan.domains.store.models import Product, ProductImage, ProductStatus, ProductVariant, SupplierProvider
from dbplan.domains.store.operations import names
from dbplan.domains.store.operations.stores import store
from dbplan.domains.store.statements import products as statements
from dbplan.errors import DbplanError, UsageError

DEFAULT = "Default"
"""The title of the only variant of a product without options."""


class NoSuchProduct(NotThere):
    """A product that no row has, or that is not shown."""

    def __init__(self, product: object) -> None:
        super().__init__(f"no product {product}; add_product makes one, publish_product shows it")


class NoSuchImage(NotThere):
    """A picture that no row has."""

    def __init__(self, image_id: uuid.UUID) -> None:
        super().__init__(f"no picture {image_id}; add_image makes one")


class ProductExists(DbplanError):
    """A product that its store has already."""

    def __init__(self, store_id: uuid.UUID, slug: str, source: Source | None) -> None:
        bought = f", or one that is {source.product_id} at {source.supplier}" if source else ""
        super().__init__(f'store {store_id} has a product with the slug "{slug}"{bought}; give another slug')


class VariantExists(DbplanError):
    """A variant that its store or product has already."""

    def __init__(self, variant: NewVariant) -> None:
        super().__init__(
            f'the store has a variant with the SKU "{variant.sku}", or the product one titled "{variant.title}"; '
            "give another"
        )


class NotReady(DbplanError):
    """A product that cannot be published as it is."""

    def __init__(self, product_id: uuid.UUID, status: ProductStatus, lacking: Sequence[str]) -> None:
        why = f"it has no {' and no '.join(lacking)}" if lacking else f"it is {status} already"
        super().__init__(f"product {product_id} cannot be published: {why}")


@dataclass(frozen=True)
class Source:
    """Where a product comes from."""

    supplier: SupplierProvider
    product_id: str
    url: str | None = None


@dataclass(frozen=True)
class NewVariant:
    """A variant to be added; without a price it costs what its product does."""

    sku: str
    title: str = DEFAULT
    stock: int = 0
    price: Decimal | None = None
    compare_at_price: Decimal | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProductPage:
    """All that the page of a product shows."""

    product: Product
    images: Sequence[ProductImage]
    variants: Sequence[ProductVariant]


def add_product(
    session: Session,
    store_id: uuid.UUID,
    title: str,
    *,
    slug: str | None = None,
    description: str = "",
    price: Decimal | None = None,
    compare_at_price: Decimal | None = None,
    cost_price: Decimal | None = None,
    source: Source | None = None,
    seo_title: str | None = None,
    seo_description: str | None = None,
) -> uuid.UUID:
    """Add a draft of a product and return its id; the slug is made of the title where none is given.

    Raises NoSuchStore, and ProductExists where the store has the slug, or the supplier's product.
    """
    prices = _prices(price, compare_at_price) | {"cost": calls.price("cost", cost_price)}
    store(session, store_id)
    product_id, title = new_id(), text("title", title, 200)
    word = names.slug(slug, title)
    values = {"new_id": product_id, "store": store_id, "called": title, "word": word, "text": _long(description)}
    values |= prices | _origin(source)
    values["found_as"] = seo_title if seo_title is None else text("SEO title", seo_title, 70)
    values["summary"] = seo_description if seo_description is None else text("SEO description", seo_description, 200)
    with refused_as(session, ProductExists(store_id, word, source)):
        session.execute(statements.add_product, values)
    return product_id


def product(session: Session, product_id: uuid.UUID) -> Product:
    """Return a product, shown or not; NoSuchProduct where there is none."""
    (found,) = only(session, statements.product_by_id, {"product_id": product_id}, NoSuchProduct(product_id))
    return found  # type: ignore[no-any-return]


def add_variant(session: Session, product_id: uuid.UUID, variant: NewVariant) -> uuid.UUID:
    """Add a variant to a product and return its id; a product that was out of stock is back with the first piece.

    Raises NoSuchProduct, and VariantExists where the store has the SKU, or the product the title.
    """
    whole("stock", variant.stock, 0, MOST)
    prices = _prices(variant.price, variant.compare_at_price)
    held = lock(session, product_id)
    fresh, sku = new_id(), text("SKU", variant.sku, 64).upper()
    values = {"new_id": fresh, "store": held.store_id, "product": product_id, "code": _word("SKU", sku)}
    values |= {"called": text("title", variant.title, 200), "pieces": variant.stock, "chosen": dict(variant.options)}
    with refused_as(session, VariantExists(variant)):
        session.execute(statements.add_variant, values | prices)
    if variant.stock:
        session.execute(statements.bring_back, {"product_id": product_id})
    return fresh


def add_image(session: Session, product_id: uuid.UUID, original_url: str, *, alt_text: str = "") -> uuid.UUID:
    """Add a picture behind the others and return its id."""
    lock(session, product_id)
    if len(alt_text) > 300:
        raise UsageError(f"the alternative text has {len(alt_text)} characters; it has at most 300")
    fresh = new_id()
    values = {"new_id": fresh, "product": product_id, "place": text("URL", original_url, 2048), "shows": alt_text}
    session.execute(statements.add_image, values)
    return fresh


def process_image(session: Session, image_id: uuid.UUID, processed_url: str) -> None:
    """Note where the picture is that an agent made of an original."""
    if not changed(
        session, statements.process_image, {"image_id": image_id, "place": text("URL", processed_url, 2048)}
    ):
        raise NoSuchImage(image_id)


def reorder_images(session: Session, product_id: uuid.UUID, image_ids: Sequence[uuid.UUID]) -> None:
    """Show the pictures of a product in this order; UsageError where it does not name each of them once."""
    lock(session, product_id)
    there = session.scalars(statements.images_of_product, {"product_id": product_id}).all()
    if sorted(image_ids) != sorted(image.id for image in there):
        raise UsageError(
            f"{len(image_ids)} pictures in the new order, {len(there)} in product {product_id}; name each of them once"
        )
    if there:
        beyond = there[-1].position + 1
        session.execute(statements.park_images, {"product": product_id, "beyond": beyond})
        places = [{"image_id": key, "product": product_id, "number": n} for n, key in enumerate(image_ids)]
        session.execute(statements.place_image, places)


def publish_product(session: Session, product_id: uuid.UUID) -> ProductStatus:
    """Show a draft, or an archived product again, and return its status: OUT_OF_STOCK where no piece is left.

    NotReady where it has no price, no picture or no variant, or is shown already.
    """
    lock(session, product_id)
    done = changed(session, statements.publish_product, {"product_id": product_id})
    found = session.execute(statements.readiness, {"product_id": product_id}).one()
    if not done:
        lacking = [what for what in ("price", "image", "variant") if not getattr(found, what)]
        raise NotReady(product_id, found.status, lacking)
    return ProductStatus(found.status)


def archive_product(session: Session, product_id: uuid.UUID) -> None:
    """Put a product away; its stock stays as it is."""
    if not changed(session, statements.archive_product, {"product_id": product_id}):
        product(session, product_id)  # which is archived already


def products_of_store(
    session: Session, store_id: uuid.UUID, status: ProductStatus, *, before: Cursor = TOP, limit: int = 24
) -> Sequence[Product]:
    """Return a page of a store's products of one status, newest first; `Cursor.of` its last leads to the next."""
    values = {"store_id": store_id, "status": status} | before.page(limit)
    return session.scalars(statements.products_of_store, values).all()


def product_page(session: Session, store_id: uuid.UUID, slug: str) -> ProductPage:
    """Return all that the page of a product shows; NoSuchProduct where it is not for sale."""
    values = {"store_id": store_id, "slug": slug}
    (shown,) = only(session, statements.product_by_slug, values, NoSuchProduct(slug))
    key = {"product_id": shown.id}
    images = session.scalars(statements.images_of_product, key).all()
    return ProductPage(shown, images, session.scalars(statements.variants_of_product, key).all())


def lock(session: Session, product_id: uuid.UUID) -> Any:
    """Let nobody else change a product's pictures, variants and status before the transaction ends."""
    return only(session, statements.lock_product, {"product_id": product_id}, NoSuchProduct(product_id))


MOST = 2_000_000_000
"""More pieces than that fit into no variant."""


def _origin(source: Source | None) -> dict[str, Any]:
    if source is None:
        return {"source": None, "source_id": None, "source_page": None}
    page = source.url if source.url is None else text("source URL", source.url, 2048)
    return {"source": source.supplier, "source_id": text("source id", source.product_id, 100), "source_page": page}


def _prices(price: Decimal | None, before: Decimal | None) -> dict[str, Decimal | None]:
    price, before = calls.price("price", price), calls.price("price to compare with", before)
    if before is not None and (price is None or before <= price):
        raise UsageError(f"a price to compare with of {before} for a price of {price}; it is above the price")
    return {"amount": price, "before": before}


def _word(what: str, value: str) -> str:
    if " " in value or "/" in value:
        raise UsageError(f'the {what} "{value}" has a space or a slash; it is one word')
    return value


def _long(value: str) -> str:
    if len(value) > 20_000:
        raise UsageError(f"the description has {len(value)} characters; it has at most 20000")
    return value
