"""Store: people who run shops, what the shops sell, the pages and media they show, and the agents that make them."""

from dbplan.domains.store.models.base import Base
from dbplan.domains.store.models.jobs import AgentJob
from dbplan.domains.store.models.kinds import (
    AgentType,
    JobStatus,
    MediaType,
    PageType,
    ProductStatus,
    StoreStatus,
    SupplierProvider,
)
from dbplan.domains.store.models.people import Account, Session, SupplierAccount, User, VerificationToken
from dbplan.domains.store.models.products import Product, ProductImage, ProductVariant
from dbplan.domains.store.models.stores import MediaAsset, Page, Store

__all__ = [
    "Account",
    "AgentJob",
    "AgentType",
    "Base",
    "JobStatus",
    "MediaAsset",
    "MediaType",
    "Page",
    "PageType",
    "Product",
    "ProductImage",
    "ProductStatus",
    "ProductVariant",
    "Session",
    "Store",
    "StoreStatus",
    "SupplierAccount",
    "SupplierProvider",
    "User",
    "VerificationToken",
]
