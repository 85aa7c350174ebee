"""Clone jobs: who has websites cloned, the queue of their jobs, what was fetched, and what they pay for it."""

from dbplan.domains.clone_jobs.models.audit import AuditLog, Subject
from dbplan.domains.clone_jobs.models.base import Base
from dbplan.domains.clone_jobs.models.billing import Payment, PaymentStatus, Subscription, SubscriptionStatus, Tier
from dbplan.domains.clone_jobs.models.jobs import AssetKind, CloneAsset, CloneJob, JobStatus
from dbplan.domains.clone_jobs.models.people import Role, User

__all__ = [
    "AssetKind",
    "AuditLog",
    "Base",
    "CloneAsset",
    "CloneJob",
    "JobStatus",
    "Payment",
    "PaymentStatus",
    "Role",
    "Subject",
    "Subscription",
    "SubscriptionStatus",
    "Tier",
    "User",
]
