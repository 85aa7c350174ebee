"""Create users and how they come in, suppliers, stores, products, pages, media and jobs.

The downgrade drops the twelve tables with all that is in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(10, 2)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
EMPTY = sa.text("('{}')")

ID = "UUIDv7: unique everywhere, and sorts by creation time"
WRITTEN = "When the row was written"
CHANGED = "When the row was last changed"

TABLES = """
    users accounts sessions verification_tokens supplier_accounts
    stores products product_images product_variants pages media_assets agent_jobs
"""


def upgrade() -> None:
    create_users()
    create_accounts()
    create_sessions()
    create_verification_tokens()
    create_supplier_accounts()
    create_stores()
    create_products()
    create_product_images()
    create_product_variants()
    create_pages()
    create_media_assets()
    create_agent_jobs()


def downgrade() -> None:
    for table in reversed(TABLES.split()):
        op.drop_table(table)


def key() -> sa.Column:
    return sa.Column("id", sa.Uuid(), nullable=False, comment=ID)


def column(name: str, kind: sa.types.TypeEngine, meaning: str, default: object = None) -> sa.Column:
    return sa.Column(name, kind, server_default=default, nullable=False, comment=meaning)


def optional(name: str, kind: sa.types.TypeEngine, meaning: str) -> sa.Column:
    return sa.Column(name, kind, comment=meaning)


def created_at() -> sa.Column:
    return sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False, comment=WRITTEN)


def updated_at() -> sa.Column:
    return sa.Column("updated_at", INSTANT, server_default=sa.func.now(), nullable=False, comment=CHANGED)


def key_and_times() -> list[sa.Column]:
    return [key(), created_at(), updated_at()]


def reference(table: str, columns: list[str], targets: list[str], ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{'_'.join(columns)}_{targets[0].split('.')[0]}")
    return sa.ForeignKeyConstraint(columns, targets, name=name, ondelete=ondelete)


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def lengths(table: str, **bounds: tuple[int, int]) -> list[sa.CheckConstraint]:
    return [
        check(table, f"{name}_length", f"length({name}) BETWEEN {least} AND {most}")
        for name, (least, most) in bounds.items()
    ]


def create_users() -> None:
    op.create_table(
        "users",
        *key_and_times(),
        column("email", sa.String(254), "E-mail address in lower case"),
        optional("name", sa.String(200), "The name they go by; NULL where they gave none"),
        optional("email_verified", INSTANT, "When they proved that the address is theirs; NULL until then"),
        optional("image", sa.Text(), "URL of their picture; NULL where they gave none"),
        optional(
            "password_hash",
            sa.String(255),
            "Hash of the password, Argon2id or bcrypt, salt included; NULL for who signs in elsewhere",
        ),
        optional(
            "stripe_account_id", sa.String(64), "Stripe Connect account that is paid for their sales; NULL for none"
        ),
        column("stripe_onboarded", sa.Boolean(), "Whether Stripe knows enough of them to pay out", sa.text("false")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        unique("users", "email"),
        check("users", "email_form", "email LIKE '_%@_%' AND email = lower(email)"),
        check(
            "users",
            "password_hash_form",
            "password_hash LIKE '$argon2id$v=%$m=%,t=%,p=%$%$%' OR password_hash LIKE '$2_$__$%'",
        ),
        check("users", "password_hash_length", "length(password_hash) BETWEEN 60 AND 255"),
        check(
            "users",
            "stripe_account_id_form",
            "stripe_account_id LIKE 'acct_%' AND length(stripe_account_id) BETWEEN 6 AND 64",
        ),
        check("users", "onboarded_has_account", "NOT stripe_onboarded OR stripe_account_id IS NOT NULL"),
        unique("users", "stripe_account_id"),
        *lengths("users", email=(3, 254), name=(1, 200), image=(1, 2000)),
        comment="People who run stores",
    )


def create_accounts() -> None:
    op.create_table(
        "accounts",
        key(),
        column("user_id", sa.Uuid(), "Who is let in"),
        column("type", sa.String(20), "How the provider lets people in"),
        column("provider", sa.String(100), "The provider, in lower case, such as github"),
        column("provider_account_id", sa.String(255), "The person's id at the provider"),
        optional("refresh_token", sa.Text(), "What buys new access tokens, sealed; NULL where there is none"),
        optional("access_token", sa.Text(), "What the provider's interface takes, sealed; NULL for none"),
        optional("expires_at", INSTANT, "When the access token ends; NULL for never"),
        optional("token_type", sa.String(50), "Kind of access token, such as bearer"),
        optional("scope", sa.Text(), "What the access token allows, separated by spaces"),
        optional("id_token", sa.Text(), "The provider's signed word on who it is, sealed; NULL for none"),
        optional("session_state", sa.String(255), "The provider's own session; NULL for none"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        unique("accounts", "provider", "provider_account_id"),
        check("accounts", "type_known", "type IN ('oauth', 'oidc', 'email', 'credentials', 'webauthn')"),
        check("accounts", "provider_lower_case", "provider = lower(provider)"),
        check("accounts", "refresh_token_sealed", "refresh_token LIKE 'sealed:%'"),
        check("accounts", "access_token_sealed", "access_token LIKE 'sealed:%'"),
        check("accounts", "id_token_sealed", "id_token LIKE 'sealed:%'"),
        reference("accounts", ["user_id"], ["users.id"], "CASCADE"),
        *lengths(
            "accounts",
            provider=(1, 100),
            provider_account_id=(1, 255),
            token_type=(1, 50),
            scope=(0, 2000),
            session_state=(1, 255),
        ),
        comment="Accounts at providers by which people sign in",
    )
    op.create_index("ix_accounts_user_id", "accounts", ["user_id"])


def create_sessions() -> None:
    op.create_table(
        "sessions",
        key(),
        column("session_token", sa.String(64), "SHA-256 of the token in the browser's cookie"),
        column("user_id", sa.Uuid(), "Who is signed in"),
        column("expires", INSTANT, "From when on the token signs nobody in"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        check("sessions", "session_token_digest", "length(session_token) = 64"),
        unique("sessions", "session_token"),
        reference("sessions", ["user_id"], ["users.id"], "CASCADE"),
        comment="Sessions of people who are signed in",
    )
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])


def create_verification_tokens() -> None:
    op.create_table(
        "verification_tokens",
        column("token", sa.String(64), "SHA-256 of the token in the message"),
        column("identifier", sa.String(254), "The address that the token proves, in lower case"),
        column("expires", INSTANT, "From when on the token proves nothing"),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_verification_tokens")),
        check("verification_tokens", "token_digest", "length(token) = 64"),
        check("verification_tokens", "identifier_lower_case", "identifier = lower(identifier)"),
        *lengths("verification_tokens", identifier=(1, 254)),
        comment="Tokens sent to addresses to prove them",
    )
    op.create_index("ix_verification_tokens_expires", "verification_tokens", ["expires"])
    op.create_index("ix_verification_tokens_identifier", "verification_tokens", ["identifier"])


def create_supplier_accounts() -> None:
    op.create_table(
        "supplier_accounts",
        *key_and_times(),
        column("user_id", sa.Uuid(), "Who buys there"),
        column("provider", sa.String(20), "The supplier"),
        column("api_key", sa.Text(), "Key to its interface, sealed"),
        optional("api_secret", sa.Text(), "Secret beside the key, sealed; NULL where it wants none"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_accounts")),
        unique("supplier_accounts", "user_id", "provider"),
        check("supplier_accounts", "provider_known", "provider IN ('ALIEXPRESS', 'CJ_DROPSHIPPING', 'SPOCKET')"),
        check("supplier_accounts", "api_key_sealed", "api_key LIKE 'sealed:%'"),
        check("supplier_accounts", "api_secret_sealed", "api_secret LIKE 'sealed:%'"),
        reference("supplier_accounts", ["user_id"], ["users.id"], "CASCADE"),
        comment="Keys of users to the suppliers that they buy from",
    )


def create_stores() -> None:
    op.create_table(
        "stores",
        *key_and_times(),
        column("user_id", sa.Uuid(), "Who runs it"),
        column("name", sa.String(100), "What it is called"),
        column("slug", sa.String(100), "Its name in URLs, in lower case"),
        column("niche", sa.String(100), "What it sells and to whom, such as neon desk lighting"),
        column("status", sa.String(20), "How far it is; shown to the public while ACTIVE", "CREATING"),
        column("currency", sa.String(3), "Currency of every price in it, ISO 4217", "USD"),
        column(
            "brand_identity",
            DOCUMENT,
            "The look: colours (primary, accent, background as #rrggbb), fonts (heading, body), tone, tagline",
            EMPTY,
        ),
        column("settings", DOCUMENT, "The owner's choices: locale, theme, shipping (countries)", EMPTY),
        optional("custom_domain", sa.String(253), "The owner's own domain, in lower case; NULL for none"),
        optional("subdomain", sa.String(63), "Its label below the platform's domain, in lower case; NULL for none"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
        check("stores", "status_known", "status IN ('CREATING', 'PENDING_REVIEW', 'ACTIVE', 'PAUSED', 'ARCHIVED')"),
        check("stores", "slug_word", "slug = lower(slug) AND slug NOT LIKE '% %' AND slug NOT LIKE '%/%'"),
        check("stores", "currency_code", "length(currency) = 3 AND currency = upper(currency)"),
        check(
            "stores",
            "custom_domain_host",
            "custom_domain = lower(custom_domain) AND custom_domain NOT LIKE '% %' "
            "AND custom_domain NOT LIKE '%/%' AND custom_domain LIKE '_%._%' "
            "AND custom_domain NOT LIKE '%..%'",
        ),
        check(
            "stores",
            "subdomain_label",
            "subdomain = lower(subdomain) AND subdomain NOT LIKE '% %' "
            "AND subdomain NOT LIKE '%/%' AND subdomain NOT LIKE '%.%' AND subdomain NOT LIKE '-%' "
            "AND subdomain NOT LIKE '%-'",
        ),
        check(
            "stores",
            "public_has_address",
            "status NOT IN ('ACTIVE', 'PAUSED') OR custom_domain IS NOT NULL OR subdomain IS NOT NULL",
        ),
        check(
            "stores", "archived_has_no_address", "status <> 'ARCHIVED' OR (custom_domain IS NULL AND subdomain IS NULL)"
        ),
        reference("stores", ["user_id"], ["users.id"], "RESTRICT"),
        unique("stores", "slug"),
        unique("stores", "custom_domain"),
        unique("stores", "subdomain"),
        *lengths("stores", name=(1, 100), niche=(1, 100), slug=(1, 100), custom_domain=(4, 253), subdomain=(1, 63)),
        comment="Shops, one row per store",
    )
    op.create_index("ix_stores_user_id", "stores", ["user_id"])


def create_products() -> None:
    op.create_table(
        "products",
        *key_and_times(),
        column("store_id", sa.Uuid(), "Who sells it"),
        optional("supplier", sa.String(20), "Where it comes from; NULL for the store's own goods"),
        optional("source_product_id", sa.String(100), "Its id at the supplier; NULL without one"),
        optional("source_url", sa.String(2048), "Its page at the supplier; NULL for none"),
        column("title", sa.String(200), "What it is called"),
        column("slug", sa.String(100), "Its name in URLs, in lower case, unique in its store"),
        column("description", sa.Text(), "What it is, in Markdown", sa.text("''")),
        optional("cost_price", MONEY, "What one costs the store, in the store's currency; NULL while unknown"),
        optional("price", MONEY, "What one costs the customer, in the store's currency; NULL while unknown"),
        optional("compare_at_price", MONEY, "The price before a reduction, above price; NULL without one"),
        column("status", sa.String(20), "Whether it is for sale, kept with the stock", "DRAFT"),
        optional("seo_title", sa.String(70), "Title for search engines; NULL where it is the product's own"),
        optional("seo_description", sa.String(200), "Summary for search engines; NULL where there is none"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        unique("products", "store_id", "slug"),
        unique("products", "store_id", "id"),
        check("products", "supplier_known", "supplier IN ('ALIEXPRESS', 'CJ_DROPSHIPPING', 'SPOCKET')"),
        check("products", "status_known", "status IN ('DRAFT', 'ACTIVE', 'OUT_OF_STOCK', 'ARCHIVED')"),
        check("products", "source_is_whole", "(supplier IS NULL) = (source_product_id IS NULL)"),
        check("products", "source_url_has_supplier", "source_url IS NULL OR supplier IS NOT NULL"),
        check("products", "slug_word", "slug = lower(slug) AND slug NOT LIKE '% %' AND slug NOT LIKE '%/%'"),
        check("products", "cost_price_not_negative", "cost_price >= 0"),
        check("products", "price_not_negative", "price >= 0"),
        check(
            "products",
            "compare_at_above_price",
            "compare_at_price IS NULL OR (price IS NOT NULL AND compare_at_price > price)",
        ),
        check("products", "published_has_price", "status NOT IN ('ACTIVE', 'OUT_OF_STOCK') OR price IS NOT NULL"),
        reference("products", ["store_id"], ["stores.id"], "CASCADE"),
        *lengths(
            "products",
            source_product_id=(1, 100),
            source_url=(1, 2048),
            title=(1, 200),
            slug=(1, 100),
            description=(0, 20000),
            seo_title=(1, 70),
            seo_description=(1, 200),
        ),
        comment="What stores sell, one row per product",
    )
    op.create_index(
        "ix_products_source",
        "products",
        ["store_id", "supplier", "source_product_id"],
        unique=True,
        postgresql_where=sa.text("supplier IS NOT NULL"),
        sqlite_where=sa.text("supplier IS NOT NULL"),
    )
    op.create_index(
        "ix_products_store_id_status_created_at", "products", ["store_id", "status", sa.text("created_at DESC")]
    )


def create_product_images() -> None:
    op.create_table(
        "product_images",
        key(),
        created_at(),
        column("product_id", sa.Uuid(), "What it shows"),
        column("original_url", sa.String(2048), "The picture as it came"),
        optional("processed_url", sa.String(2048), "The picture as it is shown; NULL until an agent has made it"),
        column("alt_text", sa.String(300), "What it shows, for who cannot see it; empty for decoration", sa.text("''")),
        column("position", sa.Integer(), "Its place among the product's pictures, from 0"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_images")),
        unique("product_images", "product_id", "position"),
        check("product_images", "position_not_negative", "position >= 0"),
        reference("product_images", ["product_id"], ["products.id"], "CASCADE"),
        *lengths("product_images", original_url=(1, 2048), processed_url=(1, 2048), alt_text=(0, 300)),
        comment="Pictures of products, in the order they are shown",
    )


def create_product_variants() -> None:
    op.create_table(
        "product_variants",
        *key_and_times(),
        column("store_id", sa.Uuid(), "Who sells it: the product's store"),
        column("product_id", sa.Uuid(), "What it is a variant of"),
        column("sku", sa.String(64), "Stock keeping unit, in capitals, unique in the store"),
        column("title", sa.String(200), "Its options in words, such as Black / L"),
        optional("price", MONEY, "What one costs; NULL where it costs what the product does"),
        optional("compare_at_price", MONEY, "The price before a reduction, above its own price; NULL without one"),
        column("stock", sa.Integer(), "Pieces to sell; never below 0", sa.text("0")),
        column("options", DOCUMENT, "Option → value, such as colour → black; empty for the only variant", EMPTY),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_variants")),
        reference("product_variants", ["store_id", "product_id"], ["products.store_id", "products.id"], "CASCADE"),
        unique("product_variants", "store_id", "sku"),
        unique("product_variants", "product_id", "store_id", "title"),
        check("product_variants", "sku_word", "sku = upper(sku) AND sku NOT LIKE '% %' AND sku NOT LIKE '%/%'"),
        check("product_variants", "price_not_negative", "price >= 0"),
        check(
            "product_variants",
            "compare_at_above_price",
            "compare_at_price IS NULL OR (price IS NOT NULL AND compare_at_price > price)",
        ),
        check("product_variants", "stock_not_negative", "stock >= 0"),
        *lengths("product_variants", sku=(1, 64), title=(1, 200)),
        comment="Products as they can be ordered, with their stock",
    )


def create_pages() -> None:
    op.create_table(
        "pages",
        *key_and_times(),
        column("store_id", sa.Uuid(), "Whose page it is"),
        column("type", sa.String(20), "What it is about"),
        column("title", sa.String(200), "Its heading"),
        column("slug", sa.String(100), "Its name in URLs, in lower case, unique in its store"),
        column("content", sa.Text(), "Its text, in Markdown"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        unique("pages", "store_id", "slug"),
        check(
            "pages",
            "type_known",
            "type IN ('PRIVACY_POLICY', 'TERMS_OF_SERVICE', 'REFUND_POLICY', 'ABOUT', 'CONTACT', 'FAQ', 'CUSTOM')",
        ),
        check("pages", "slug_word", "slug = lower(slug) AND slug NOT LIKE '% %' AND slug NOT LIKE '%/%'"),
        reference("pages", ["store_id"], ["stores.id"], "CASCADE"),
        *lengths("pages", title=(1, 200), slug=(1, 100), content=(0, 100000)),
        comment="Pages of text in stores",
    )
    op.create_index(
        "ix_pages_legal",
        "pages",
        ["store_id", "type"],
        unique=True,
        postgresql_where=sa.text("type <> 'CUSTOM'"),
        sqlite_where=sa.text("type <> 'CUSTOM'"),
    )


def create_media_assets() -> None:
    op.create_table(
        "media_assets",
        *key_and_times(),
        column("store_id", sa.Uuid(), "Whose file it is"),
        column("type", sa.String(20), "What it is for"),
        column("filename", sa.String(255), "Its name, unique in its store"),
        column("url", sa.String(2048), "Where it is kept"),
        column("mime_type", sa.String(100), "What it is, in lower case, such as image/webp"),
        optional("bytes", sa.BigInteger(), "Its size; NULL until it is known"),
        column("metadata", DOCUMENT, "What is in it: width, height, seconds, prompt", EMPTY),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_assets")),
        unique("media_assets", "store_id", "filename"),
        check("media_assets", "type_known", "type IN ('IMAGE', 'VIDEO', 'LOGO', 'BACKGROUND')"),
        check("media_assets", "mime_type_pair", "mime_type LIKE '_%/_%' AND mime_type = lower(mime_type)"),
        check("media_assets", "bytes_not_negative", "bytes >= 0"),
        reference("media_assets", ["store_id"], ["stores.id"], "CASCADE"),
        *lengths("media_assets", filename=(1, 255), url=(1, 2048), mime_type=(3, 100)),
        comment="Media files of stores: logos, backgrounds, pictures, films",
    )


def create_agent_jobs() -> None:
    op.create_table(
        "agent_jobs",
        *key_and_times(),
        column("store_id", sa.Uuid(), "Whom the work is for"),
        column("type", sa.String(20), "Which agent does it"),
        column("status", sa.String(20), "How far it is", "PENDING"),
        column("input", DOCUMENT, "What the agent is asked: niche, product_id, prompt, tone …", EMPTY),
        optional("output", DOCUMENT, "What it made: brand_identity, product_ids, urls …; NULL until completed"),
        optional("error", sa.Text(), "Why the last attempt failed; NULL where none has"),
        column("progress", sa.Integer(), "How much is done, in per cent", sa.text("0")),
        column("attempts", sa.Integer(), "How often it was begun", sa.text("0")),
        column("max_attempts", sa.Integer(), "How often it may be begun", sa.text("3")),
        column("scheduled_at", INSTANT, "From when on it may be begun", sa.func.now()),
        optional("started_at", INSTANT, "When the last attempt began; NULL while it waits"),
        optional("finished_at", INSTANT, "When it was over; NULL while it is not"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_jobs")),
        check(
            "agent_jobs",
            "type_known",
            "type IN ('BRAND_GENERATOR', 'PRODUCT_SCOUT', 'COPYWRITER', 'IMAGE_PROCESSOR', 'VIDEO_GENERATOR')",
        ),
        check("agent_jobs", "status_known", "status IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED')"),
        check("agent_jobs", "progress_per_cent", "progress BETWEEN 0 AND 100"),
        check("agent_jobs", "max_attempts_sane", "max_attempts BETWEEN 1 AND 100"),
        check("agent_jobs", "attempts_in_bounds", "attempts BETWEEN 0 AND max_attempts"),
        check("agent_jobs", "pending_not_started", "status <> 'PENDING' OR started_at IS NULL"),
        check(
            "agent_jobs",
            "begun_has_start",
            "status NOT IN ('PROCESSING', 'COMPLETED', 'FAILED') OR (started_at IS NOT NULL AND attempts > 0)",
        ),
        check("agent_jobs", "over_has_end", "(status IN ('PENDING', 'PROCESSING')) = (finished_at IS NULL)"),
        check("agent_jobs", "ends_after_start", "finished_at >= started_at"),
        check("agent_jobs", "completed_has_output", "(status = 'COMPLETED') = (output IS NOT NULL)"),
        check("agent_jobs", "completed_is_whole", "status <> 'COMPLETED' OR progress = 100"),
        check("agent_jobs", "failed_has_error", "status <> 'FAILED' OR error IS NOT NULL"),
        reference("agent_jobs", ["store_id"], ["stores.id"], "CASCADE"),
        *lengths("agent_jobs", error=(1, 2000)),
        comment="Work of agents for stores: a queue, and a record of what came of it",
    )
    op.create_index(
        "ix_agent_jobs_due",
        "agent_jobs",
        ["scheduled_at", "id"],
        postgresql_where=sa.text("status = 'PENDING'"),
        sqlite_where=sa.text("status = 'PENDING'"),
    )
    op.create_index(
        "ix_agent_jobs_running",
        "agent_jobs",
        ["updated_at"],
        postgresql_where=sa.text("status = 'PROCESSING'"),
        sqlite_where=sa.text("status = 'PROCESSING'"),
    )
    op.create_index("ix_agent_jobs_store_id_created_at", "agent_jobs", ["store_id", sa.text("created_at DESC")])
    op.create_index(
        "ix_agent_jobs_type_due",
        "agent_jobs",
        ["type", "scheduled_at", "id"],
        postgresql_where=sa.text("status = 'PENDING'"),
        sqlite_where=sa.text("status = 'PENDING'"),
    )
