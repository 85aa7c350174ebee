"""Stores, and the pages and media that they show."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import EMPTY, Created, Identified, Updated, lower_case, one_of, only_where, sized, words
from dbplan.domains.store.models.base import Base, no_space
from dbplan.domains.store.models.kinds import (
    MediaType,
    PageType,
    StoreStatus,
)

if TYPE_CHECKING:
    from dbplan.domains.store.models.jobs import AgentJob
    from dbplan.domains.store.models.people import User
    from dbplan.domains.store.models.products import Product


class Store(Identified, Created, Updated, Base):
    """A shop: its name, its look and where it is found."""

    __tablename__ = "stores"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), index=True, comment="Who runs it"
    )
    name: Mapped[str] = mapped_column(String(100), comment="What it is called")
    slug: Mapped[str] = mapped_column(String(100), unique=True, comment="Its name in URLs, in lower case")
    niche: Mapped[str] = mapped_column(String(100), comment="What it sells and to whom, such as neon desk lighting")
    status: Mapped[StoreStatus] = mapped_column(
        words(StoreStatus),
        server_default=StoreStatus.CREATING,
        comment="How far it is; shown to the public while ACTIVE",
    )
    currency: Mapped[str] = mapped_column(
        String(3), server_default="USD", comment="Currency of every price in it, ISO 4217"
    )
    brand_identity: Mapped[dict[str, Any]] = mapped_column(
        server_default=EMPTY,
        default=dict,
        comment="The look: colours (primary, accent, background as #rrggbb), fonts (heading, body), tone, tagline",
    )
    settings: Mapped[dict[str, Any]] = mapped_column(
        server_default=EMPTY,
        default=dict,
        comment="The owner's choices: locale, theme, shipping (countries)",
    )
    custom_domain: Mapped[str | None] = mapped_column(
        String(253), unique=True, comment="The owner's own domain, in lower case; NULL for none"
    )
    subdomain: Mapped[str | None] = mapped_column(
        String(63), unique=True, comment="Its label below the platform's domain, in lower case; NULL for none"
    )

    user: Mapped[User] = relationship(back_populates="stores")
    products: WriteOnlyMapped[Product] = relationship(back_populates="store", passive_deletes=True)
    pages: WriteOnlyMapped[Page] = relationship(back_populates="store", passive_deletes=True)
    media_assets: WriteOnlyMapped[MediaAsset] = relationship(back_populates="store", passive_deletes=True)
    agent_jobs: WriteOnlyMapped[AgentJob] = relationship(back_populates="store", passive_deletes=True)

    __table_args__ = (
        CheckConstraint(one_of("status", StoreStatus), name="status_known"),
        CheckConstraint(sized("name", 1, 100), name="name_length"),
        CheckConstraint(sized("niche", 1, 100), name="niche_length"),
        CheckConstraint(f"{lower_case('slug')} AND {no_space('slug')}", name="slug_word"),
        CheckConstraint(sized("slug", 1, 100), name="slug_length"),
        CheckConstraint("length(currency) = 3 AND currency = upper(currency)", name="currency_code"),
        CheckConstraint(
            f"{lower_case('custom_domain')} AND {no_space('custom_domain')} "
            "AND custom_domain LIKE '_%._%' AND custom_domain NOT LIKE '%..%'",
            name="custom_domain_host",
        ),
        CheckConstraint(sized("custom_domain", 4, 253), name="custom_domain_length"),
        CheckConstraint(
            f"{lower_case('subdomain')} AND {no_space('subdomain')} AND subdomain NOT LIKE '%.%' "
            "AND subdomain NOT LIKE '-%' AND subdomain NOT LIKE '%-'",
            name="subdomain_label",
        ),
        CheckConstraint(sized("subdomain", 1, 63), name="subdomain_length"),
        CheckConstraint(
            "status NOT IN ('ACTIVE', 'PAUSED') OR custom_domain IS NOT NULL OR subdomain IS NOT NULL",
            name="public_has_address",
        ),
        CheckConstraint(
            "status <> 'ARCHIVED' OR (custom_domain IS NULL AND subdomain IS NULL)", name="archived_has_no_address"
        ),
        {
            "comment": "Shops, one row per store",
            "info": {
                "decisions": (
                    "A user with stores cannot be deleted by the way (RESTRICT): one stray DELETE would take shops, "
                    "with all they sell. operations.erase_user removes both on purpose.",
                    "The currency stands here, once for all prices of a store; no operation changes it, since that "
                    "would change what every price means.",
                    "A host label is letters, digits and hyphens. No pattern language is common to all servers: CHECKs "
                    "refuse dots, spaces, slashes, capitals and outer hyphens, and operations.set_domain the rest.",
                    "Domains are unique where given. An archived store has none, so that its names are free again; a "
                    "store that the public was shown has one.",
                    "No word of a subdomain is reserved here: which ones the platform keeps changes without a "
                    "migration.",
                ),
            },
        },
    )


class Page(Identified, Created, Updated, Base):
    """A page of text in a store."""

    __tablename__ = "pages"

    store_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"), comment="Whose page it is")
    type: Mapped[PageType] = mapped_column(words(PageType), comment="What it is about")
    title: Mapped[str] = mapped_column(String(200), comment="Its heading")
    slug: Mapped[str] = mapped_column(String(100), comment="Its name in URLs, in lower case, unique in its store")
    content: Mapped[str] = mapped_column(Text, comment="Its text, in Markdown")

    store: Mapped[Store] = relationship(back_populates="pages")

    __table_args__ = (
        UniqueConstraint("store_id", "slug"),
        CheckConstraint(one_of("type", PageType), name="type_known"),
        CheckConstraint(sized("title", 1, 200), name="title_length"),
        CheckConstraint(f"{lower_case('slug')} AND {no_space('slug')}", name="slug_word"),
        CheckConstraint(sized("slug", 1, 100), name="slug_length"),
        CheckConstraint(sized("content", 0, 100000), name="content_length"),
        Index(
            "ix_pages_legal",
            "store_id",
            "type",
            unique=True,
            **only_where("type <> 'CUSTOM'"),
        ),
        {
            "comment": "Pages of text in stores",
            "info": {
                "decisions": (
                    "A store has one page of each type, so that nobody asks which privacy policy holds; of CUSTOM it "
                    "has as many as it likes, which the partial unique index leaves out.",
                    "A page goes with its store (CASCADE).",
                ),
            },
        },
    )


class MediaAsset(Identified, Created, Updated, Base):
    """A media file of a store."""

    __tablename__ = "media_assets"

    store_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"), comment="Whose file it is")
    type: Mapped[MediaType] = mapped_column(words(MediaType), comment="What it is for")
    filename: Mapped[str] = mapped_column(String(255), comment="Its name, unique in its store")
    url: Mapped[str] = mapped_column(String(2048), comment="Where it is kept")
    mime_type: Mapped[str] = mapped_column(String(100), comment="What it is, in lower case, such as image/webp")
    bytes: Mapped[int | None] = mapped_column(BigInteger, comment="Its size; NULL until it is known")
    details: Mapped[dict[str, Any]] = mapped_column(
        "metadata", server_default=EMPTY, default=dict, comment="What is in it: width, height, seconds, prompt"
    )

    store: Mapped[Store] = relationship(back_populates="media_assets")

    __table_args__ = (
        UniqueConstraint("store_id", "filename"),
        CheckConstraint(one_of("type", MediaType), name="type_known"),
        CheckConstraint(sized("filename", 1, 255), name="filename_length"),
        CheckConstraint(sized("url", 1, 2048), name="url_length"),
        CheckConstraint(f"mime_type LIKE '_%/_%' AND {lower_case('mime_type')}", name="mime_type_pair"),
        CheckConstraint(sized("mime_type", 3, 100), name="mime_type_length"),
        CheckConstraint("bytes >= 0", name="bytes_not_negative"),
        {
            "comment": "Media files of stores: logos, backgrounds, pictures, films",
            "info": {
                "decisions": (
                    "A file is known by its name in its store: a URL may carry a version, and changes with the place "
                    "where files are kept.",
                    "A row goes with its store (CASCADE); the file itself is the application's to delete.",
                ),
            },
        },
    )
