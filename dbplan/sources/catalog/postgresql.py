"""What PostgreSQL's own catalog says about a schema, in one query for each kind of object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dbplan.evidence import Place, SchemaObject

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Every query gives: schema, relation, part (or ''), and the properties as one JSON object, nulls for "does not apply".
# `{own(class, oid)}` stands for: not the server's and not an extension's.
_TABLES = """
SELECT n.nspname, c.relname, '', json_build_object(
    'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
    'foreign', CASE c.relkind WHEN 'f' THEN 'yes' END,
    'of type', CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END,
    'partition key', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
    'parents', (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                FROM pg_inherits i WHERE i.inhrelid = c.oid),
    'partition bound', pg_get_expr(c.relpartbound, c.oid),
    'row security', CASE WHEN c.relrowsecurity THEN CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'on' END END,
    'replica identity', CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN 'index' END,
    'access method', (SELECT am.amname FROM pg_am am WHERE am.oid = c.relam AND am.amname <> 'heap'),
    'storage parameters', nullif(concat_ws(', ', array_to_string(c.reloptions, ', '), (
        SELECT string_agg('toast.' || option, ', ') FROM pg_class tc, unnest(tc.reloptions) option
        WHERE tc.oid = c.reltoastrelid)), ''),
    'column order', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'comment', obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND {own(pg_class, c.oid)}
"""

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, json_build_object(
    'type', format_type(a.atttypid, a.atttypmod),
    'not null', CASE WHEN a.attnotnull THEN
        'yes' || CASE WHEN NOT k.convalidated THEN ', not valid' ELSE '' END
              || CASE WHEN k.connoinherit THEN ', no inherit' ELSE '' END ELSE 'no' END,
    'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid)
        || CASE a.attgenerated WHEN 's' THEN ' stored' ELSE ' virtual' END END,
    'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
    'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
    'storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END,
    'compression', nullif(to_jsonb(a) ->> 'attcompression', ''),
    'statistics target', nullif(a.attstattarget, -1),
    'options', array_to_string(a.attoptions, ', '),
    'comment', col_description(c.oid, a.attnum))
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]
WHERE c.relkind IN ('r', 'p', 'f', 'c', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND {own(pg_class, c.oid)}
"""

# NOT NULL constraints (a kind of their own since PostgreSQL 18) are told with their column. A foreign key to a
# partitioned table has a copy of itself for each partition there, which the server makes and names.
_CONSTRAINTS = """
SELECT n.nspname, coalesce(c.relname, t.typname), k.conname, json_build_object(
    'definition', pg_get_constraintdef(k.oid, true),
    'comment', obj_description(k.oid, 'pg_constraint'))
FROM pg_constraint k
LEFT JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
  AND NOT EXISTS (SELECT FROM pg_constraint up WHERE up.oid = k.conparentid AND up.conrelid = k.conrelid)
  AND CASE WHEN c.oid IS NULL THEN {own(pg_type, t.oid)} ELSE {own(pg_class, c.oid)} END
"""

# The index behind a constraint has no definition of its own here: the constraint tells it.
_INDEXES = """
SELECT n.nspname, c.relname, x.relname, json_build_object(
    'definition', CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid, 0, true) END,
    'valid', CASE WHEN NOT (i.indisvalid AND i.indisready) THEN 'no' END,
    'clustered on', CASE WHEN i.indisclustered THEN 'yes' END,
    'replica identity', CASE WHEN i.indisreplident THEN 'yes' END,
    'storage parameters', CASE WHEN k.oid IS NOT NULL THEN array_to_string(x.reloptions, ', ') END,
    'comment', obj_description(i.indexrelid, 'pg_class')) AS properties
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE c.relkind IN ('r', 'p', 'm') AND {own(pg_class, c.oid)}
  AND (k.oid IS NULL OR NOT i.indisvalid OR i.indisclustered OR i.indisreplident OR x.reloptions IS NOT NULL
       OR obj_description(i.indexrelid, 'pg_class') IS NOT NULL)
"""

_VIEWS = """
SELECT n.nspname, c.relname, '', json_build_object(
    'materialised', CASE c.relkind WHEN 'm' THEN CASE WHEN c.relispopulated THEN 'yes' ELSE 'without data' END END,
    'definition', pg_get_viewdef(c.oid, true),
    'options', array_to_string(c.reloptions, ', '),
    'comment', obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND {own(pg_class, c.oid)}
"""

_ENUMS = """
SELECT n.nspname, t.typname, '', json_build_object(
    'labels', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
               FROM pg_enum e WHERE e.enumtypid = t.oid),
    'comment', obj_description(t.oid, 'pg_type'))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND {own(pg_type, t.oid)}
"""

_DOMAINS = """
SELECT n.nspname, t.typname, '', json_build_object(
    'type', format_type(t.typbasetype, t.typtypmod),
    'not null', CASE WHEN t.typnotnull THEN 'yes' ELSE 'no' END,
    'default', t.typdefault,
    'collation', CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END,
    'comment', obj_description(t.oid, 'pg_type'))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_type b ON b.oid = t.typbasetype
WHERE t.typtype = 'd' AND {own(pg_type, t.oid)}
"""

_TYPES = """
SELECT n.nspname, t.typname, '', json_build_object(
    'kind', CASE t.typtype WHEN 'r' THEN 'range of ' || r.rngsubtype::regtype ELSE 'composite' END,
    'column order', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                     FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
    'operator class', CASE WHEN NOT o.opcdefault THEN quote_ident(os.nspname) || '.' || quote_ident(o.opcname) END,
    'collation', CASE WHEN r.rngcollation <> rt.typcollation THEN r.rngcollation::regcollation::text END,
    'canonical', CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::regproc::text END,
    'difference', CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::regproc::text END,
    'multirange', (to_jsonb(r) ->> 'rngmultitypid')::oid::regtype::text,
    'comment', obj_description(t.oid, 'pg_type'))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_type rt ON rt.oid = r.rngsubtype
LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc
LEFT JOIN pg_namespace os ON os.oid = o.opcnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype = 'r' OR c.relkind = 'c') AND {own(pg_type, t.oid)}
"""

_SEQUENCES = """
SELECT n.nspname, c.relname, '', json_build_object(
    'type', format_type(s.seqtypid, NULL),
    'start', s.seqstart, 'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax, 'cache', s.seqcache,
    'cycle', CASE WHEN s.seqcycle THEN 'yes' END,
    'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
    'owned by', (SELECT CASE WHEN ts.nspname IS DISTINCT FROM current_schema THEN ts.nspname || '.' ELSE '' END
                        || t.relname || '.' || a.attname
                 FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
                 JOIN pg_namespace ts ON ts.oid = t.relnamespace
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
                 WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
                   AND d.deptype IN ('a', 'i') LIMIT 1),
    'comment', obj_description(c.oid, 'pg_class'))
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {own(pg_class, c.oid)}
"""

_TRIGGERS = """
SELECT n.nspname, c.relname, g.tgname, json_build_object(
    'definition', pg_get_triggerdef(g.oid, true),
    'fires', CASE g.tgenabled WHEN 'D' THEN 'never: disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
    'cloned', CASE WHEN (to_jsonb(g) ->> 'tgparentid') <> '0' THEN 'from the partitioned table' END,
    'comment', obj_description(g.oid, 'pg_trigger'))
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal AND {own(pg_class, c.oid)}
"""

_FOREIGN_KEY_TRIGGERS = """
SELECT n.nspname, c.relname, k.conname, json_build_object('enforced', 'no: its triggers are disabled')
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {own(pg_class, c.oid)} AND EXISTS (
    SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgisinternal AND g.tgenabled = 'D')
"""

_POLICIES = """
SELECT n.nspname, c.relname, p.polname, json_build_object(
    'command', CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
                             WHEN 'd' THEN 'delete' ELSE 'all' END,
    'restrictive', CASE WHEN NOT p.polpermissive THEN 'yes' END,
    'roles', (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END, ', ' ORDER BY r)
              FROM unnest(p.polroles) r),
    'using', pg_get_expr(p.polqual, p.polrelid),
    'with check', pg_get_expr(p.polwithcheck, p.polrelid),
    'comment', obj_description(p.oid, 'pg_policy'))
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {own(pg_class, c.oid)}
"""

_RULES = """
SELECT n.nspname, c.relname, r.rulename, json_build_object(
    'definition', pg_get_ruledef(r.oid, true),
    'fires', CASE r.ev_enabled WHEN 'D' THEN 'never: disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
    'comment', obj_description(r.oid, 'pg_rewrite'))
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND {own(pg_class, c.oid)}
"""

_FUNCTIONS = """
SELECT n.nspname, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', '', json_build_object(
    'kind', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' END,
    'definition', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (
        SELECT concat_ws(', ', 'SFUNC = ' || a.aggtransfn::regproc, 'STYPE = ' || format_type(a.aggtranstype, NULL),
            'SSPACE = ' || nullif(a.aggtransspace, 0), 'FINALFUNC = ' || nullif(a.aggfinalfn, 0::oid)::regproc,
            CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
            'COMBINEFUNC = ' || nullif(a.aggcombinefn, 0::oid)::regproc,
            'SERIALFUNC = ' || nullif(a.aggserialfn, 0::oid)::regproc,
            'DESERIALFUNC = ' || nullif(a.aggdeserialfn, 0::oid)::regproc,
            'INITCOND = ' || quote_literal(a.agginitval), 'MSFUNC = ' || nullif(a.aggmtransfn, 0::oid)::regproc,
            'MINVFUNC = ' || nullif(a.aggminvtransfn, 0::oid)::regproc,
            'MSTYPE = ' || format_type(nullif(a.aggmtranstype, 0::oid), NULL),
            'MFINALFUNC = ' || nullif(a.aggmfinalfn, 0::oid)::regproc,
            'MINITCOND = ' || quote_literal(a.aggminitval),
            'SORTOP = ' || (SELECT format('OPERATOR(%%I.%%s)', ons.nspname, op.oprname) FROM pg_operator op
                            JOIN pg_namespace ons ON ons.oid = op.oprnamespace WHERE op.oid = a.aggsortop),
            'PARALLEL = ' || CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END,
            CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END)
        FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END,
    'arguments', CASE WHEN p.prokind = 'a' THEN pg_get_function_arguments(p.oid) END,
    'comment', obj_description(p.oid, 'pg_proc'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE {own(pg_proc, p.oid)} AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
"""

_COLLATIONS = """
SELECT n.nspname, l.collname, '', json_build_object(
    'provider', CASE l.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' WHEN 'b' THEN 'builtin' END,
    'locale', coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate),
    'ctype', CASE WHEN l.collctype <> l.collcollate THEN l.collctype END,
    'rules', to_jsonb(l) ->> 'collicurules',
    'deterministic', CASE WHEN NOT l.collisdeterministic THEN 'no' END,
    'comment', obj_description(l.oid, 'pg_collation'))
FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
WHERE {own(pg_collation, l.oid)}
"""

_STATISTICS = """
SELECT n.nspname, s.stxname, '', json_build_object(
    'definition', pg_get_statisticsobjdef(s.oid),
    'target', nullif(s.stxstattarget, -1),
    'comment', obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE {own(pg_statistic_ext, s.oid)}
"""

_SCHEMAS = """
SELECT current_schema, n.nspname, '', json_build_object('comment', obj_description(n.oid, 'pg_namespace'))
FROM pg_namespace n
WHERE n.nspname IS DISTINCT FROM current_schema AND n.nspname <> 'public' AND {own(pg_namespace, n.oid)}
"""

_EXTENSIONS = """
SELECT current_schema, x.extname, '', json_build_object('schema', x.extnamespace::regnamespace::text)
FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'
"""

_QUERIES = {
    "schema": _SCHEMAS,
    "extension": _EXTENSIONS,
    "enum": _ENUMS,
    "domain": _DOMAINS,
    "type": _TYPES,
    "sequence": _SEQUENCES,
    "table": _TABLES,
    "column": _COLUMNS,
    "constraint": _CONSTRAINTS,
    "foreign key": _FOREIGN_KEY_TRIGGERS,
    "index": _INDEXES,
    "view": _VIEWS,
    "trigger": _TRIGGERS,
    "policy": _POLICIES,
    "rule": _RULES,
    "function": _FUNCTIONS,
    "collation": _COLLATIONS,
    "statistics": _STATISTICS,
}

_ITEM = re.compile(r"'(?:[^']|'')*'::character varying")
_CAST_LIST = re.compile(rf"ARRAY\[(?P<items>{_ITEM.pattern}(?:, {_ITEM.pattern})*)\]::text\[\]")
_NULLS = ("integer(?= AS int4)", "bigint(?= AS int8)", "text(?= AS text)", "boolean(?= AS bool)", "date(?= AS date)")
_NAMED_NULL = re.compile(rf"(NULL::(?:{'|'.join(_NULLS)})) AS \w+")
_PART = {"column": "column", "index": "index"}
_OWN = r"""(n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT EXISTS (
    SELECT FROM pg_depend e WHERE e.classid = '\1'::regclass AND e.objid = \2 AND e.deptype = 'e'))"""


def objects(connection: Connection) -> Iterator[SchemaObject]:
    """Yield every object of the schemas that are neither the server's nor an extension's."""
    default = connection.exec_driver_sql("SELECT current_schema").scalar_one_or_none()
    for kind, query in _QUERIES.items():
        rows = connection.exec_driver_sql(re.sub(r"\{own\((\w+), ([\w.]+)\)\}", _OWN, query))
        for schema, relation, part, properties in rows:
            name = relation if schema == default else f"{schema}.{relation}"
            yield SchemaObject(kind, _place(kind, name, part), _told(properties))


def _place(kind: str, name: str, part: str) -> Place:
    return Place(name, **{_PART.get(kind, "constraint"): part}) if part else Place(name)


def _told(properties: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the properties that apply, as text."""
    return tuple((name, _settled(str(value).strip())) for name, value in properties.items() if value is not None)


def _settled(words: str) -> str:
    """Return an expression as the server would write it had it read its own words.

    `x IN ('a', 'b')` on a varchar is kept with one cast of the whole list; read back, each item has its own.
    A NULL without a name is named after its type once a view is read back.
    """
    if "]::text[]" in words:
        words = _CAST_LIST.sub(lambda m: f"ARRAY[{_ITEM.sub(_item_cast, m['items'])}]", words)
    return _NAMED_NULL.sub(r"\1", words) if "NULL::" in words else words


def _item_cast(item: re.Match[str]) -> str:
    return f"{item[0]}::text"
