"""What a Prisma schema is as a plan: names, the words of .info, comments, and the servers that no test here runs."""

import pytest
import sqlalchemy as sa

from dbplan import read
from dbplan.ddl import statements
from dbplan.errors import SourceError
from dbplan.sandbox import sandbox

BLOG = """
datasource db {
  provider   = "%s"
  extensions = [citext(schema: "ext"), uuidossp(map: "uuid-ossp")]
}

generator client {
  provider        = "prisma-client"
  output          = "../generated"
  previewFeatures = ["postgresqlExtensions", "views"]
}

/// Who writes.
model User {
  id      String   @id @default(cuid()) @map("user_id")
  /// In lower case.
  email   String   @unique
  changed DateTime @updatedAt
  hidden  Int?     @ignore
  posts   Post[]   @relation("wrote")
  tags    Tag[]

  @@map("users")
}

model Post {
  id       Int    @id
  author   User?  @relation("wrote", fields: [authorId], references: [id])
  authorId String?
}

model Tag {
  id    Int    @id
  users User[]

  @@ignore
}

view Latest {
  id Int @unique
}

enum Colour {
  /// of blood
  red @map("RED")

  @@map("colours")
}
"""


@pytest.fixture
def schema(tmp_path):
    def written(text, name="blog/prisma/schema.prisma"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_what_sqlalchemy_has_no_place_for_stands_in_info(schema):
    plan = read(schema(BLOG % "postgresql"))
    users, posts, tags = (plan.table(name) for name in ("users", "Post", "Tag"))
    assert plan.name == "blog"
    assert users.info == {"model": "User"}
    assert tags.info == {"model": "Tag", "ignore": True}
    assert plan.table("Latest").info == {"model": "Latest", "is_view": True, "view": "", "unique": (("id",),)}
    assert users.c.user_id.info == {"field": "id", "default": "cuid()"}
    assert users.c.changed.info == {"field": "changed", "updated_at": True}
    assert users.c.hidden.info == {"field": "hidden", "ignore": True}
    key = next(iter(posts.foreign_key_constraints))
    assert key.info == {"relation": "wrote", "field": "author", "back": "posts"}
    sides = {next(iter(k.columns)).name: k.info for k in plan.table("_TagToUser").foreign_key_constraints}
    assert sides == {
        "A": {"relation": "", "field": "", "back": "users"},
        "B": {"relation": "", "field": "", "back": "tags"},
    }


def test_comments_are_comments_of_the_plan_that_the_database_does_not_hold(schema):
    plan = read(schema(BLOG % "postgresql"))
    users = plan.table("users")
    assert (users.comment, users.c.email.comment, users.c.user_id.comment) == ("Who writes.", "In lower case.", None)
    assert plan.metadata.info["uncommented"] is True


def test_datasource_generators_and_enums_come_back(schema):
    info = read(schema(BLOG % "postgresql")).metadata.info
    assert info["dialect"] == "postgresql"
    assert (info["extensions"], info["extension_schemas"]) == (["citext", "uuid-ossp"], {"citext": "ext"})
    said = info["prisma"]
    assert said["generators"] == {
        "client": {
            "provider": "prisma-client",
            "output": "../generated",
            "previewFeatures": ["postgresqlExtensions", "views"],
        }
    }
    assert said["datasource"]["name"] == "db"
    assert said["relation_mode"] == "foreignKeys"
    assert said["enums"]["Colour"] == {"table": "colours", "values": {"RED": ("red", "of blood")}, "comment": ""}


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("shop/prisma/schema.prisma", "shop"),
        ("shop/prisma/orders.prisma", "orders"),
        ("shop/packages/db/prisma/schema.prisma", "shop"),
    ],
)
def test_a_plan_has_the_first_name_that_means_something(schema, name, plan):
    assert read(schema("model A {\n  id Int @id\n}\n" + _source("sqlite"), name)).name == plan


def test_a_folder_is_one_schema(schema):
    schema(_source("sqlite"), "shop/schema/main.prisma")
    schema("model A {\n  id Int @id\n  b B?\n}\n", "shop/schema/a.prisma")
    path = schema(
        "model B {\n  id Int @id\n  a A @relation(fields: [id], references: [id])\n}\n", "shop/schema/b.prisma"
    )
    plan = read(path.parent)
    assert (plan.name, [table.name for table in plan.tables]) == ("shop", ["A", "B"])


def test_a_relation_that_nothing_guards_is_drawn_and_never_created(schema):
    text = _source("postgresql", 'relationMode = "prisma"') + (
        "model A {\n  id Int @id\n  bs B[]\n  cs C[]\n}\n"
        "model B {\n  id Int @id\n  aId Int\n  a A @relation(fields: [aId], references: [id])\n}\n"
        "model C {\n  id Int @id\n  as A[]\n}\n"
    )
    plan = read(schema(text))
    keys = [key for table in plan.tables for key in table.foreign_key_constraints]
    assert [key.info["enforced"] for key in keys] == [False, False, False]
    assert "FOREIGN KEY" not in " ".join(made.sql for made in statements(plan, "postgresql"))


def test_names_that_the_server_would_cut_to_the_same_are_refused(schema):
    long = "x" * 62
    models = "".join(f'model M{n} {{\n  id Int @id(map: "k{n}")\n  @@map("{long}{n}{n}")\n}}\n' for n in (1, 1)[:1])
    models += models.replace("M1", "M2").replace("k1", "k2").replace("11", "12")
    with pytest.raises(SourceError, match="two tables have the name"):
        read(schema(_source("postgresql") + models))


def test_what_prisma_refuses_is_refused_with_its_place(schema):
    with pytest.raises(SourceError, match=r"schema\.prisma:\d+:\d+: "):
        read(schema(_source("postgresql") + "model A {\n  id Int @id\n  b Nowhere\n}\n"))


def test_collections_of_mongodb_are_tables(schema):
    text = _source("mongodb") + (
        "type Address {\n  street String\n  zip String? @map(\"z\")\n}\n"
        "model User {\n  id String @id @default(auto()) @map(\"_id\") @db.ObjectId\n  at Address\n  all Address[]\n"
        "  tags String[]\n  age Int @default(3)\n  posts Post[]\n  groupIds String[] @db.ObjectId\n"
        "  groups Group[] @relation(fields: [groupIds], references: [id])\n  @@index([tags])\n}\n"
        "model Post {\n  id String @id @default(auto()) @map(\"_id\") @db.ObjectId\n  userId String @db.ObjectId\n"
        "  user User @relation(fields: [userId], references: [id])\n  big BigInt\n}\n"
        "model Group {\n  id String @id @default(auto()) @map(\"_id\") @db.ObjectId\n  userIds String[] @db.ObjectId\n"
        "  users User[] @relation(fields: [userIds], references: [id])\n}\n"
    )  # fmt: skip
    plan = read(schema(text))
    user = plan.table("User")
    assert user.c._id.info == {"field": "id", "default": "auto()", "bson": "objectId"}
    assert user.c.at.info == {"field": "at", "bson": "object", "composite": "Address"}
    assert user.c.all.info == {"field": "all", "bson": "object", "many": True, "composite": "Address"}
    assert user.c.tags.info == {"field": "tags", "bson": "string", "many": True}
    assert isinstance(user.c.at.type, sa.JSON)
    assert plan.table("Post").c.big.info["bson"] == "long"
    assert [key.info["enforced"] for key in plan.table("Post").foreign_key_constraints] == [False]
    assert plan.metadata.info["prisma"]["types"] == {"Address": {"street": ("String", ""), "z": ("String", "?")}}
    assert [line.partition(":")[0] for line in plan.metadata.info["not_covered"]] == [
        "relation User.groups",
        "relation Group.users",
    ]


def test_sql_server_is_written_as_prisma_writes_it(schema):
    text = _source("sqlserver") + (
        "model User {\n  id Int @id @default(autoincrement())\n"
        "  name String? @default(\"it's\")\n  ok Boolean @default(true)\n"
        "  raw Bytes @default(\"aGVsbG8=\")\n  text String @db.NVarChar(Max)\n  one String @db.Char\n  price Decimal\n"
        "  friends User[] @relation(\"f\")\n  friendOf User[] @relation(\"f\")\n  tags Tag[]\n"
        "  @@unique([name, ok])\n}\n"
        "model Tag {\n  id Int @id(clustered: false)\n  users User[]\n  n Int\n"
        "  @@index([n(sort: Desc)], clustered: true)\n}\n"
    )  # fmt: skip
    sql = "\n".join(made.sql for made in statements(read(schema(text)), "mssql"))
    for words in (
        "id INTEGER NOT NULL IDENTITY(1,1)",
        "name NVARCHAR(1000) NULL DEFAULT 'it''s'",
        "ok BIT NOT NULL DEFAULT 1",
        "raw VARBINARY(max) NOT NULL DEFAULT 0x68656c6c6f",
        "text NVARCHAR(max) NOT NULL",
        "one CHAR(1) NOT NULL",
        "price DECIMAL(32, 16) NOT NULL",
        "CONSTRAINT [User_name_ok_key] UNIQUE NONCLUSTERED (name, ok)",
        "CONSTRAINT [Tag_pkey] PRIMARY KEY NONCLUSTERED (id)",
        "CREATE CLUSTERED INDEX [Tag_n_idx] ON [Tag] (n DESC)",
        "CONSTRAINT [_f_A_fkey] FOREIGN KEY([A]) REFERENCES [User] (id) ON DELETE NO ACTION ON UPDATE NO ACTION",
        "CONSTRAINT [_TagToUser_A_fkey] FOREIGN KEY([A]) REFERENCES [Tag] (id) ON DELETE CASCADE ON UPDATE CASCADE",
    ):
        assert words in sql, sql


def test_cockroachdb_is_written_as_prisma_writes_it(schema):
    text = _source("cockroachdb") + (
        "model A {\n  id BigInt @id @default(autoincrement())\n  n Int\n  s String @db.String(20)\n"
        "  q Int @default(sequence(start: 5, increment: 2))\n  bs B[]\n}\n"
        "model B {\n  id Int @id\n  as A[]\n}\n"
    )
    sql = "\n".join(made.sql for made in statements(read(schema(text)), "cockroachdb"))
    for words in (
        "id BIGINT DEFAULT unique_rowid() NOT NULL",
        "n INT4 NOT NULL",
        "s VARCHAR(20) NOT NULL",
        "q INT4 GENERATED BY DEFAULT AS IDENTITY (INCREMENT BY 2 START WITH 5)",
        'CREATE UNIQUE INDEX "_AToB_AB_unique" ON "_AToB" ("A", "B")',
    ):
        assert words in sql, sql


def _source(provider, more=""):
    return f'datasource db {{\n  provider = "{provider}"\n  {more}\n}}\n\n'


def test_an_empty_folder_is_refused_as_one_without_schema_and_module(tmp_path):
    with pytest.raises(SourceError, match=r'^no \.prisma file in the folder ".*" or below it, and no Python module'):
        read(str(tmp_path))


def test_a_document_on_sqlite_is_declared_as_prisma_does_and_held_as_text(schema):
    plan = read(schema(_source("sqlite") + "model A {\n  id Int @id\n  data Json?\n}\n"))
    with sandbox(plan, on="sqlite") as stage, stage.engine.begin() as connection:
        table = plan.table("A")
        connection.execute(table.insert(), {"id": 1, "data": {"a": 1}})
        assert connection.execute(sa.select(table.c.data)).scalar_one() == {"a": 1}
        assert connection.exec_driver_sql('SELECT typeof(data) FROM "A"').scalar_one() == "text"
        assert str(sa.inspect(connection).get_columns("A")[1]["type"]) == "JSONB"
