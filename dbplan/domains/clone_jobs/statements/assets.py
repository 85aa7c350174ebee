"""Statements about the files of a clone."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, delete, func, insert, select

from dbplan.columns import clock, new_id
from dbplan.domains.clone_jobs.models import AssetKind, CloneAsset
from dbplan.domains.clone_jobs.statements.jobs import JOBS
from dbplan.domains.paging import LIMIT
from dbplan.plan import Query

ASSETS: Table = CloneAsset.metadata.tables["clone_assets"]

_OF_JOB = ASSETS.c.job_id == bindparam("job_id")

add_asset = insert(ASSETS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    job_id=bindparam("owner"),
    path=bindparam("place"),
    url=bindparam("source"),
    kind=bindparam("what"),
    content_type=bindparam("media_type"),
    size_bytes=bindparam("bytes"),
    sha256=bindparam("digest"),
)

drop_asset = delete(ASSETS).where(_OF_JOB, ASSETS.c.path == bindparam("path"))

clear_assets = delete(ASSETS).where(_OF_JOB)

count_assets = select(
    func.count().label("files"), func.coalesce(func.sum(ASSETS.c.size_bytes), 0).label("bytes")
).where(_OF_JOB)

assets_by_kind = (
    select(ASSETS.c.kind, func.count().label("files"), func.sum(ASSETS.c.size_bytes).label("bytes"))
    .join_from(ASSETS, JOBS)
    .where(_OF_JOB, JOBS.c.deleted_at.is_(None))
    .group_by(ASSETS.c.kind)
    .order_by(ASSETS.c.kind)
)

# In the order of the unique index, so that a page costs the same however far down it is.
assets_of_job = (
    select(CloneAsset)
    .join_from(CloneAsset, JOBS)
    .where(_OF_JOB, JOBS.c.deleted_at.is_(None), ASSETS.c.path > bindparam("after"))
    .order_by(ASSETS.c.path)
    .limit(LIMIT)
)

_JOB = {"job_id": ASSETS.c.job_id}

QUERIES = (
    Query(
        "add asset",
        add_asset,
        60,
        {
            "new_id": new_id,
            "owner": JOBS.c.id,
            "place": lambda: f"images/{new_id()}.png",
            "source": ["https://example.com/images/logo.png"],
            "what": [AssetKind.IMAGE],
            "media_type": ["image/png"],
            "bytes": [40_000],
            "digest": ["0" * 64],
        },
    ),
    Query("drop asset", drop_asset, 60),
    Query("clear assets", clear_assets, 0.1, _JOB),
    Query("count assets", count_assets, 2, _JOB),
    Query("assets by kind", assets_by_kind, 2, _JOB),
    Query("assets of a job", assets_of_job, 5, _JOB | {"after": [""], "limit": [100]}),
)
