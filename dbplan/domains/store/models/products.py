"""What stores sell: products, their pictures, and the variants that are ordered."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dbplan.columns import EMPTY, ZERO, Created, Identified, Updated, lower_case, one_of, only_where, sized, words
from dbplan.domains.store.models.base import Base, above_price, no_space
from dbplan.domains.store.models.kinds import (
    ProductStatus,
    SupplierProvider,
)

if TYPE_CHECKING:
    from dbplan.domains.store.models.stores import Store


class Product(Identified, Created, Updated, Base):
    """Something that a store sells."""

    __tablename__ = "products"

    store_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"), comment="Who sells it")
    supplier: Mapped[SupplierProvider | None] = mapped_column(
        words(SupplierProvider), comment="Where it comes from; NULL for the store's own goods"
    )
    source_product_id: Mapped[str | None] = mapped_column(
        String(100), comment="Its id at the supplier; NULL without one"
    )
    source_url: Mapped[str | None] = mapped_column(String(2048), comment="Its page at the supplier; NULL for none")
    title: Mapped[str] = mapped_column(String(200), comment="What it is called")
    slug: Mapped[str] = mapped_column(String(100), comment="Its name in URLs, in lower case, unique in its store")
    description: Mapped[str] = mapped_column(Text, server_default=text("''"), comment="What it is, in Markdown")
    cost_price: Mapped[Decimal | None] = mapped_column(
        comment="What one costs the store, in the store's currency; NULL while unknown"
    )
    price: Mapped[Decimal | None] = mapped_column(
        comment="What one costs the customer, in the store's currency; NULL while unknown"
    )
    compare_at_price: Mapped[Decimal | None] = mapped_column(
        comment="The price before a reduction, above price; NULL without one"
    )
    status: Mapped[ProductStatus] = mapped_column(
        words(ProductStatus),
        server_default=ProductStatus.DRAFT,
        comment="Whether it is for sale, kept with the stock",
    )
    seo_title: Mapped[str | None] = mapped_column(
        String(70), comment="Title for search engines; NULL where it is the product's own"
    )
    seo_description: Mapped[str | None] = mapped_column(
        String(200), comment="Summary for search engines; NULL where there is none"
    )

    store: Mapped[Store] = relationship(back_populates="products")
    images: Mapped[list[ProductImage]] = relationship(
        back_populates="product", passive_deletes=True, order_by="ProductImage.position"
    )
    variants: Mapped[list[ProductVariant]] = relationship(
        back_populates="product", passive_deletes=True, order_by="ProductVariant.id"
    )

    __table_args__ = (
        UniqueConstraint("store_id", "slug"),
        UniqueConstraint("store_id", "id"),
        CheckConstraint(one_of("supplier", SupplierProvider), name="supplier_known"),
        CheckConstraint(one_of("status", ProductStatus), name="status_known"),
        CheckConstraint("(supplier IS NULL) = (source_product_id IS NULL)", name="source_is_whole"),
        CheckConstraint("source_url IS NULL OR supplier IS NOT NULL", name="source_url_has_supplier"),
        CheckConstraint(sized("source_product_id", 1, 100), name="source_product_id_length"),
        CheckConstraint(sized("source_url", 1, 2048), name="source_url_length"),
        CheckConstraint(sized("title", 1, 200), name="title_length"),
        CheckConstraint(f"{lower_case('slug')} AND {no_space('slug')}", name="slug_word"),
        CheckConstraint(sized("slug", 1, 100), name="slug_length"),
        CheckConstraint(sized("description", 0, 20000), name="description_length"),
        CheckConstraint("cost_price >= 0", name="cost_price_not_negative"),
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint(above_price("compare_at_price"), name="compare_at_above_price"),
        CheckConstraint("status NOT IN ('ACTIVE', 'OUT_OF_STOCK') OR price IS NOT NULL", name="published_has_price"),
        CheckConstraint(sized("seo_title", 1, 70), name="seo_title_length"),
        CheckConstraint(sized("seo_description", 1, 200), name="seo_description_length"),
        Index(
            "ix_products_source",
            "store_id",
            "supplier",
            "source_product_id",
            unique=True,
            **only_where("supplier IS NOT NULL"),
        ),
        {
            "comment": "What stores sell, one row per product",
            "info": {
                "decisions": (
                    "Stock stands on the variants alone, though an inventory was asked for here: two counts of the "
                    "same pieces part sooner or later. A product without options has one variant with none.",
                    "status turns OUT_OF_STOCK with the last piece and ACTIVE with the next: operations.stock does "
                    "so under a lock on the product, in the transaction that moves the stock.",
                    "A draft needs no price, a published product does (CHECK); so does a price to compare with.",
                    "A cost in another currency is converted when it is read in: a margin is then a subtraction.",
                    "A product is imported once into a store: the unique index leaves out goods without a supplier.",
                    "The unique pair (store_id, id) is what variants refer to, so that their SKU is unique per store.",
                ),
            },
        },
    )


class ProductImage(Identified, Created, Base):
    """A picture of a product, as it came and as it is shown."""

    __tablename__ = "product_images"

    product_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("products.id", ondelete="CASCADE"), comment="What it shows"
    )
    original_url: Mapped[str] = mapped_column(String(2048), comment="The picture as it came")
    processed_url: Mapped[str | None] = mapped_column(
        String(2048), comment="The picture as it is shown; NULL until an agent has made it"
    )
    alt_text: Mapped[str] = mapped_column(
        String(300), server_default=text("''"), comment="What it shows, for who cannot see it; empty for decoration"
    )
    position: Mapped[int] = mapped_column(Integer, comment="Its place among the product's pictures, from 0")

    product: Mapped[Product] = relationship(back_populates="images")

    __table_args__ = (
        UniqueConstraint("product_id", "position"),
        CheckConstraint("position >= 0", name="position_not_negative"),
        CheckConstraint(sized("original_url", 1, 2048), name="original_url_length"),
        CheckConstraint(sized("processed_url", 1, 2048), name="processed_url_length"),
        CheckConstraint(sized("alt_text", 0, 300), name="alt_text_length"),
        {
            "comment": "Pictures of products, in the order they are shown",
            "info": {
                "decisions": (
                    "No two pictures share a place. A unique that is checked at the end of a transaction would let "
                    "them swap, but only PostgreSQL has one: operations.reorder_images parks them behind the last "
                    "place, then sets each on its own.",
                    "The unique pair begins with product_id, serves the foreign key, and gives pictures in order.",
                ),
            },
        },
    )


class ProductVariant(Identified, Created, Updated, Base):
    """A product as it can be ordered: one size, one colour, so many pieces."""

    __tablename__ = "product_variants"

    store_id: Mapped[uuid.UUID] = mapped_column(comment="Who sells it: the product's store")
    product_id: Mapped[uuid.UUID] = mapped_column(comment="What it is a variant of")
    sku: Mapped[str] = mapped_column(String(64), comment="Stock keeping unit, in capitals, unique in the store")
    title: Mapped[str] = mapped_column(String(200), comment="Its options in words, such as Black / L")
    price: Mapped[Decimal | None] = mapped_column(comment="What one costs; NULL where it costs what the product does")
    compare_at_price: Mapped[Decimal | None] = mapped_column(
        comment="The price before a reduction, above its own price; NULL without one"
    )
    stock: Mapped[int] = mapped_column(Integer, server_default=ZERO, comment="Pieces to sell; never below 0")
    options: Mapped[dict[str, Any]] = mapped_column(
        server_default=EMPTY, default=dict, comment="Option → value, such as colour → black; empty for the only variant"
    )

    product: Mapped[Product] = relationship(back_populates="variants")

    __table_args__ = (
        ForeignKeyConstraint(["store_id", "product_id"], ["products.store_id", "products.id"], ondelete="CASCADE"),
        UniqueConstraint("store_id", "sku"),
        UniqueConstraint("product_id", "store_id", "title"),
        CheckConstraint(f"sku = upper(sku) AND {no_space('sku')}", name="sku_word"),
        CheckConstraint(sized("sku", 1, 64), name="sku_length"),
        CheckConstraint(sized("title", 1, 200), name="title_length"),
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint(above_price("compare_at_price"), name="compare_at_above_price"),
        CheckConstraint("stock >= 0", name="stock_not_negative"),
        {
            "comment": "Products as they can be ordered, with their stock",
            "info": {
                "decisions": (
                    "store_id repeats that of the product, and the foreign key over both keeps them the same: that is "
                    "what makes a SKU unique per store, where pickers use it.",
                    "A variant has a price of its own or that of its product (NULL), never a copy of it.",
                    "stock cannot go below zero, whatever an application forgets: the last piece is sold once.",
                    "Titles are unique in a product, so that no customer chooses between two of the same; store_id "
                    "stands in that unique so that its index serves the foreign key.",
                ),
            },
        },
    )


Index("ix_products_store_id_status_created_at", Product.store_id, Product.status, Product.created_at.desc())
