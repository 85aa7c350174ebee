"""The words that columns of the store plan hold."""

from __future__ import annotations

from enum import StrEnum


class SupplierProvider(StrEnum):
    """Where goods come from."""

    ALIEXPRESS = "ALIEXPRESS"
    CJ_DROPSHIPPING = "CJ_DROPSHIPPING"
    SPOCKET = "SPOCKET"


class StoreStatus(StrEnum):
    """How far a store is."""

    CREATING = "CREATING"
    PENDING_REVIEW = "PENDING_REVIEW"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ARCHIVED = "ARCHIVED"


class ProductStatus(StrEnum):
    """Whether a product is for sale."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    ARCHIVED = "ARCHIVED"


class PageType(StrEnum):
    """What a page is about."""

    PRIVACY_POLICY = "PRIVACY_POLICY"
    TERMS_OF_SERVICE = "TERMS_OF_SERVICE"
    REFUND_POLICY = "REFUND_POLICY"
    ABOUT = "ABOUT"
    CONTACT = "CONTACT"
    FAQ = "FAQ"
    CUSTOM = "CUSTOM"


class MediaType(StrEnum):
    """What a media file is for."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    LOGO = "LOGO"
    BACKGROUND = "BACKGROUND"


class AgentType(StrEnum):
    """What an agent does for a store."""

    BRAND_GENERATOR = "BRAND_GENERATOR"
    PRODUCT_SCOUT = "PRODUCT_SCOUT"
    COPYWRITER = "COPYWRITER"
    IMAGE_PROCESSOR = "IMAGE_PROCESSOR"
    VIDEO_GENERATOR = "VIDEO_GENERATOR"


class JobStatus(StrEnum):
    """How far a job is."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
