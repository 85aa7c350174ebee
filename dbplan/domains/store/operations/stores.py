"""Stores: made, found, opened and closed, and what they show beside goods."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Executable
from sqlalchemy.orm import Session

from dbplan.columns import new_id
from dbplan.domains.calls import NotThere, changed, only, refused_as, text, upsert, whole
from dbplan.domains.store.models import MediaAsset, MediaType, Page, PageType, Store, StoreStatus
from dbplan.domains.store.operations import names
from dbplan.domains.store.operations.people import user
from dbplan.domains.store.statements import stores as statements
from dbplan.errors import DbplanError, UsageError

NEXT = {
    StoreStatus.CREATING: "submit_store or archive_store",
    StoreStatus.PENDING_REVIEW: "publish_store, return_store or archive_store",
    StoreStatus.ACTIVE: "pause_store or archive_store",
    StoreStatus.PAUSED: "publish_store or archive_store",
    StoreStatus.ARCHIVED: "nothing, it stays archived",
}
"""What may happen to a store next."""


class NoSuchStore(NotThere):
    """A store that no row has, or that is not open."""

    def __init__(self, store: object) -> None:
        super().__init__(f"no store {store}; create_store makes one, publish_store opens it")


class SlugTaken(DbplanError):
    """A slug that is in use."""

    def __init__(self, slug: str, where: str) -> None:
        super().__init__(f'the slug "{slug}" is in use {where}; give another one')


class AddressTaken(DbplanError):
    """A domain or a subdomain under which another store is found."""

    def __init__(self, *addresses: str | None) -> None:
        asked = " or ".join(f'"{address}"' for address in addresses if address)
        super().__init__(f"another store is found under {asked}; give another address")


class NotPossible(DbplanError):
    """A step that a store cannot take from where it is."""

    def __init__(self, store: Store, step: str, lacking: str = "") -> None:
        why = f"it is {store.status}; next may be {NEXT[store.status]}"
        super().__init__(f"{step} is not possible for store {store.id}: {lacking or why}")


class PageTitle(NamedTuple):
    """A page as a menu shows it."""

    id: uuid.UUID
    type: PageType
    title: str
    slug: str


def create_store(
    session: Session,
    user_id: uuid.UUID,
    name: str,
    niche: str,
    *,
    slug: str | None = None,
    currency: str = "USD",
    brand_identity: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> uuid.UUID:
    """Create a store and return its id; the slug is made of the name where none is given.

    Raises NoSuchUser, and SlugTaken where another store has the slug.
    """
    user(session, user_id)
    store_id, name = new_id(), text("name", name, 100)
    word, money = names.slug(slug, name), currency.strip().upper()
    if len(money) != 3:
        raise UsageError(f'"{currency}" is no currency; one has three letters, as USD')
    values = {"new_id": store_id, "owner": user_id, "called": name, "word": word, "sells": text("niche", niche, 100)}
    documents = {"brand": dict(brand_identity or {}), "choices": dict(settings or {})}
    with refused_as(session, SlugTaken(word, "by another store")):
        session.execute(statements.create_store, values | documents | {"money": money})
    return store_id


def store(session: Session, store_id: uuid.UUID) -> Store:
    """Return a store; NoSuchStore where there is none."""
    return _store(session, statements.store_by_id, {"store_id": store_id})


def stores_of_user(session: Session, user_id: uuid.UUID) -> Sequence[Store]:
    """Return the stores of a user, by name."""
    return session.scalars(statements.stores_of_user, {"user_id": user_id}).all()


def storefront(session: Session, *, subdomain: str | None = None, custom_domain: str | None = None) -> Store:
    """Return the open store that is found under a subdomain or a custom domain; NoSuchStore where none is."""
    if (subdomain is None) == (custom_domain is None):
        raise UsageError("a storefront is found under a subdomain or a custom domain; give one of them")
    if subdomain is not None:
        return _store(session, statements.store_by_subdomain, {"label": subdomain.lower()})
    return _store(session, statements.store_by_domain, {"domain": str(custom_domain).lower()})


def brand_store(session: Session, store_id: uuid.UUID, brand_identity: Mapping[str, Any]) -> None:
    """Give a store another look."""
    if not changed(session, statements.brand_store, {"store_id": store_id, "brand": dict(brand_identity)}):
        raise NoSuchStore(store_id)


def set_domain(
    session: Session, store_id: uuid.UUID, *, subdomain: str | None = None, custom_domain: str | None = None
) -> None:
    """Set both addresses of a store, None for none.

    Raises AddressTaken where another store has one of them, NotPossible for an archived store, or for one that the
    public was shown and would no longer be found.
    """
    values = {"label": names.label(subdomain), "domain": names.domain(custom_domain)}
    with refused_as(session, AddressTaken(values["label"], values["domain"])):
        done = changed(session, statements.set_domain, values | {"store_id": store_id})
    if not done:
        there = store(session, store_id)
        gone = "" if there.status is StoreStatus.ARCHIVED else f"it is {there.status}, and would be found nowhere"
        raise NotPossible(there, "set_domain", gone)


def submit_store(session: Session, store_id: uuid.UUID) -> None:
    """Hand a store that is being made in for review."""
    _move(session, statements.submit_store, store_id, "submit_store")


def return_store(session: Session, store_id: uuid.UUID) -> None:
    """Hand a store back from review, to be worked on."""
    _move(session, statements.return_store, store_id, "return_store")


def publish_store(session: Session, store_id: uuid.UUID) -> None:
    """Open a store that was reviewed or paused; it needs an address, and a product for sale."""
    if changed(session, statements.publish_store, {"store_id": store_id}):
        return
    there = store(session, store_id)
    lacking = ""
    if there.status in (StoreStatus.PENDING_REVIEW, StoreStatus.PAUSED):
        addressed = there.subdomain or there.custom_domain
        lacking = "no product of it is ACTIVE; publish_product" if addressed else "it has no address; set_domain"
    raise NotPossible(there, "publish_store", lacking)


def pause_store(session: Session, store_id: uuid.UUID) -> None:
    """Close an open store for a while; it keeps its addresses."""
    _move(session, statements.pause_store, store_id, "pause_store")


def archive_store(session: Session, store_id: uuid.UUID) -> None:
    """Close a store for good; its addresses are free for others."""
    _move(session, statements.archive_store, store_id, "archive_store")


def upsert_page(
    session: Session, store_id: uuid.UUID, type: PageType, title: str, content: str, *, slug: str | None = None
) -> uuid.UUID:
    """Write a page, in place of the one that was there, and return its id.

    A store has one page of each type, and any number of CUSTOM ones, which their slugs tell apart.
    SlugTaken where a page of another type has the slug.
    """
    store(session, store_id)
    title = text("title", title, 200)
    word = names.slug(slug, title)
    if len(content) > 100_000:
        raise UsageError(f"the content has {len(content)} characters; it has at most 100000")
    values = {"store": store_id, "kind": type, "word": word, "heading": title, "body": content}
    change = statements.change_custom_page if type is PageType.CUSTOM else statements.change_page
    return upsert(session, change, statements.add_page, values, SlugTaken(word, "by another page of the store"))


def pages_of_store(session: Session, store_id: uuid.UUID) -> list[PageTitle]:
    """Return the pages of a store without their texts, by slug."""
    return [PageTitle(*row) for row in session.execute(statements.pages_of_store, {"store_id": store_id})]


def page(session: Session, store_id: uuid.UUID, slug: str) -> Page | None:
    """Return a page with its text, or None."""
    return session.scalars(statements.page_by_slug, {"store_id": store_id, "slug": slug}).one_or_none()


def upsert_media(
    session: Session,
    store_id: uuid.UUID,
    type: MediaType,
    filename: str,
    url: str,
    mime_type: str,
    *,
    bytes: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> uuid.UUID:
    """Note where a media file is kept, in place of one of the same name, and return its id."""
    if bytes is not None:
        whole("number of bytes", bytes, 0)
    store(session, store_id)
    values = {"store": store_id, "kind": type, "file": text("filename", filename, 255), "size": bytes}
    values |= {"place": text("URL", url, 2048), "mime": _mime(mime_type), "details": dict(details or {})}
    return upsert(session, statements.change_media, statements.add_media, values, NoSuchStore(store_id))


def media_of_store(session: Session, store_id: uuid.UUID, type: MediaType) -> Sequence[MediaAsset]:
    """Return the media files of one type, by name."""
    return session.scalars(statements.media_of_store, {"store_id": store_id, "kind": type}).all()


def _mime(given: str) -> str:
    made = text("MIME type", given, 100).lower()
    kind, _, form = made.partition("/")
    if not kind or not form:
        raise UsageError(f'"{made}" is no MIME type; one has a slash with something on both sides, as image/webp')
    return made


def _move(session: Session, statement: Executable, store_id: uuid.UUID, step: str) -> None:
    if not changed(session, statement, {"store_id": store_id}):
        raise NotPossible(store(session, store_id), step)


def _store(session: Session, statement: Executable, values: Mapping[str, Any]) -> Store:
    (found,) = only(session, statement, values, NoSuchStore(next(iter(values.values()))))
    return found  # type: ignore[no-any-return]
