"""Stock: taken for orders and brought back, never below zero, with the status of its products.

Locks are taken in one order: variants by id, then their products by id. Who sells and restocks in one transaction keeps
to it by naming all variants in one call.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Executable
from sqlalchemy.orm import Session

from dbplan.domains.calls import NotThere, only, whole
from dbplan.domains.store.models import ProductStatus, StoreStatus
from dbplan.domains.store.operations.products import MOST, lock
from dbplan.domains.store.statements import products as statements
from dbplan.errors import DbplanError, UsageError


class NoSuchVariant(NotThere):
    """A variant that the store does not have."""

    def __init__(self, store_id: uuid.UUID, variant_id: uuid.UUID) -> None:
        super().__init__(f"store {store_id} has no variant {variant_id}; add_variant makes one")


class OutOfStock(DbplanError):
    """More pieces wanted than there are."""

    def __init__(self, variant_id: uuid.UUID, wanted: int, there: int) -> None:
        self.variant_id, self.wanted, self.there = variant_id, wanted, there
        super().__init__(f"{wanted} pieces of variant {variant_id} wanted, {there} there; nothing was taken")


class NotForSale(DbplanError):
    """A variant whose product or store sells nothing now."""

    def __init__(self, variant_id: uuid.UUID, product: ProductStatus, store: StoreStatus) -> None:
        super().__init__(
            f"variant {variant_id} is not for sale: its product is {product}, its store {store}; both must be ACTIVE"
        )


class Left(NamedTuple):
    """What is left of a variant."""

    variant_id: uuid.UUID
    product_id: uuid.UUID
    stock: int


def reserve(session: Session, store_id: uuid.UUID, pieces: Mapping[uuid.UUID, int]) -> list[Left]:
    """Take so many pieces of each variant for one order, all or nothing, and return what is left of each.

    A product is OUT_OF_STOCK with its last piece.
    Raises OutOfStock, NotForSale and NoSuchVariant; what the transaction did before stays as it is.
    """
    asked = _asked(pieces)
    with session.begin_nested():
        left = [_take(session, store_id, *line) for line in asked]
    for product_id in _products(entry for entry in left if entry.stock == 0):
        _keep_status(session, product_id, statements.sell_out)
    return left


def restock(session: Session, store_id: uuid.UUID, pieces: Mapping[uuid.UUID, int]) -> list[Left]:
    """Add so many pieces to each variant, all or nothing, and return what is there of each.

    A product that was OUT_OF_STOCK is ACTIVE again. Raises NoSuchVariant, and UsageError for more than fit.
    """
    asked = _asked(pieces)
    with session.begin_nested():
        left = [_add(session, store_id, *line) for line in asked]
    for product_id in _products(entry for entry in left if entry.stock == pieces[entry.variant_id]):
        _keep_status(session, product_id, statements.bring_back)
    return left


def _asked(pieces: Mapping[uuid.UUID, int]) -> list[tuple[uuid.UUID, int]]:
    """Return the lines of an order by id: two orders for the same variants wait for each other, and never in a ring."""
    if not pieces:
        raise UsageError("no variant is named; name at least one, with how many pieces")
    for variant_id, count in pieces.items():
        whole(f"number of pieces of variant {variant_id}", count, 1, MOST)
    return sorted(pieces.items())


def _take(session: Session, store_id: uuid.UUID, variant_id: uuid.UUID, count: int) -> Left:
    key = {"variant_id": variant_id, "store": store_id}
    taken = session.execute(statements.take_stock, key | {"pieces": count}).one_or_none()
    if taken is not None:
        return Left(variant_id, *taken)
    there = only(session, statements.availability, key, NoSuchVariant(store_id, variant_id))
    if there.stock < count:
        raise OutOfStock(variant_id, count, there.stock)
    raise NotForSale(variant_id, there.product_status, there.store_status)


def _add(session: Session, store_id: uuid.UUID, variant_id: uuid.UUID, count: int) -> Left:
    values = {"variant_id": variant_id, "store": store_id, "pieces": count}
    return Left(variant_id, *only(session, statements.add_stock, values, NoSuchVariant(store_id, variant_id)))


def _products(entries: Iterable[Left]) -> list[uuid.UUID]:
    return sorted({entry.product_id for entry in entries})


def _keep_status(session: Session, product_id: uuid.UUID, statement: Executable) -> None:
    """Set a product's status by its stock, as it is once everybody before has committed."""
    lock(session, product_id)
    values: dict[str, Any] = {"product_id": product_id}
    session.execute(statement, values)
