"""The native types of each server: which scalars take them, and with which arguments."""

from __future__ import annotations

from dbplan.sources.prisma.syntax import Attribute, Field, Literal, Name, Value
from dbplan.sources.prisma.validation.facts import SCALARS, Facts, fault, shown, unknown

# One a word: the type's name, the scalars that take it, and how many arguments it may have ("max" is a word for one).
_TYPES = {
    "postgresql": """
        SmallInt:Int Integer:Int BigInt:BigInt Decimal:Decimal:0,2 Money:Decimal Inet:String Oid:Int Citext:String
        Real:Float DoublePrecision:Float VarChar:String:0,1 Char:String:0,1 Text:String ByteA:Bytes
        Timestamp:DateTime:0,1 Timestamptz:DateTime:0,1 Date:DateTime Time:DateTime:0,1 Timetz:DateTime:0,1
        Boolean:Boolean Bit:String:0,1 VarBit:String:0,1 Uuid:String Xml:String Json:Json JsonB:Json""",
    "mysql": """
        Int:Int UnsignedInt:Int SmallInt:Int UnsignedSmallInt:Int TinyInt:Int|Boolean UnsignedTinyInt:Int|Boolean
        MediumInt:Int UnsignedMediumInt:Int BigInt:BigInt UnsignedBigInt:BigInt Decimal:Decimal:0,2 Float:Float
        Double:Float Bit:Boolean|Bytes:1 Char:String:1 VarChar:String:1 Binary:Bytes:1 VarBinary:Bytes:1 TinyBlob:Bytes
        Blob:Bytes MediumBlob:Bytes LongBlob:Bytes TinyText:String Text:String MediumText:String LongText:String
        Date:DateTime Time:DateTime:0,1 DateTime:DateTime:0,1 Timestamp:DateTime:0,1 Year:Int Json:Json""",
    "sqlserver": """
        TinyInt:Int SmallInt:Int Int:Int BigInt:BigInt Decimal:Decimal:0,2 Money:Float SmallMoney:Float
        Bit:Boolean|Int Float:Float:0,1 Real:Float Date:DateTime Time:DateTime DateTime:DateTime DateTime2:DateTime
        SmallDateTime:DateTime DateTimeOffset:DateTime Char:String:0,1 NChar:String:0,1 VarChar:String:0,1,max
        Text:String NVarChar:String:0,1,max NText:String Binary:Bytes:0,1 VarBinary:Bytes:0,1,max Image:Bytes
        Xml:String UniqueIdentifier:String""",
    "cockroachdb": """
        Bit:String:0,1 Bool:Boolean Bytes:Bytes Char:String:0,1 Date:DateTime Decimal:Decimal:0,2 Float4:Float
        Float8:Float Inet:String Int2:Int Int4:Int Int8:BigInt JsonB:Json Oid:Int CatalogSingleChar:String
        String:String:0,1 Time:DateTime:0,1 Timestamp:DateTime:0,1 Timestamptz:DateTime:0,1 Timetz:DateTime:0,1
        Uuid:String VarBit:String:0,1""",
    "mongodb": """
        String:String Double:Float Long:Int|BigInt Int:Int BinData:Bytes ObjectId:String|Bytes Bool:Boolean
        Date:DateTime Timestamp:DateTime Json:Json""",
    "sqlite": "",
}

# The least and the most that an argument may be.
_RANGES = {
    "postgresql": "Timestamp:0-6 Timestamptz:0-6 Time:0-6 Timetz:0-6 Bit:1- VarBit:1- Decimal:0-1000",
    "mysql": "Time:0-6 DateTime:0-6 Timestamp:0-6 Char:0-255 VarChar:0-65535 Bit:1-64 Decimal:0-65",
    "sqlserver": "Char:0-8000 NChar:0-4000 VarChar:0-8000 NVarChar:0-4000 Binary:0-8000 VarBinary:0-8000 Float:1-53 "
    "Decimal:0-38",
    "cockroachdb": "Timestamp:0-6 Timestamptz:0-6 Time:0-6 Timetz:0-6 Bit:1- VarBit:1-",
}


def check_native(facts: Facts, item: Field, attribute: Attribute) -> None:
    """Refuse a native type that the server lacks, that its scalar does not take, or whose arguments are off."""
    prefix, _, name = attribute.name.partition(".")
    if prefix != facts.source:
        raise unknown(attribute.spot, "datasource", prefix, [facts.source])
    if item.type not in SCALARS:
        raise fault(attribute.spot, f'"@{attribute.name}" is for scalar fields; "{item.name}" is of type {item.type}')
    if facts.provider == "sqlite":
        raise fault(attribute.spot, f'SQLite has no native types; remove "@{attribute.name}"')
    types = {word.split(":")[0]: word.split(":")[1:] for word in _TYPES[facts.provider].split()}
    if name not in types:
        raise unknown(attribute.spot, "native type", name, types, f"on {facts.provider}")
    scalars, *counts = types[name]
    if item.type not in scalars.split("|"):
        wanted = " or ".join(scalars.split("|"))
        raise fault(attribute.spot, f'"@{attribute.name}" is for {wanted} fields; "{item.name}" is of type {item.type}')
    _check_arguments(attribute, (counts or ["0"])[0].split(","))
    ranges = dict(word.split(":") for word in _RANGES.get(facts.provider, "").split())
    _check_range(attribute, ranges.get(name, "0-"))


def _check_arguments(attribute: Attribute, counts: list[str]) -> None:
    values = [given.value for given in attribute.arguments]
    if str(len(values)) not in counts:
        takes = " or ".join(count for count in counts if count != "max")
        takes += " argument" if takes == "1" else " arguments"
        raise fault(attribute.spot, f'"@{attribute.name}" takes {takes}, found {len(values)}')
    for value in values:
        if not (_whole(value) or ("max" in counts and isinstance(value, Name) and value.text.lower() == "max")):
            raise fault(value.spot, f'"@{attribute.name}" takes whole numbers, found {shown(value)}')
    if attribute.name.endswith(".Decimal") and len(values) == 2 and _number(values[0]) < _number(values[1]):
        raise fault(attribute.spot, f'the scale of "@{attribute.name}" is larger than its precision; swap them')


def _check_range(attribute: Attribute, allowed: str) -> None:
    least, _, most = allowed.partition("-")
    for value in (given.value for given in attribute.arguments):
        if _whole(value) and not int(least) <= _number(value) <= int(most or 2**31):
            words = f"from {least} to {most}" if most else f"{least} or more"
            raise fault(value.spot, f'the argument of "@{attribute.name}" is {words}, found {shown(value)}')


def _whole(value: Value) -> bool:
    return isinstance(value, Literal) and value.kind == "number" and value.text.isdigit()


def _number(value: Value) -> int:
    return int(value.text) if isinstance(value, Literal) else 0
