"""Names: what the name of a column, and of the table that it stands in, say of its values."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import types as sa

PROVIDERS: tuple[tuple[str, str], ...] = (
    (r"e_?mail", "email"),
    (r"(first|given|fore)_?name", "first_name"),
    (r"(last|family|sur)_?name", "last_name"),
    (r"(user|login|nick|screen)_?name|handle|login", "user_name"),
    (r"(full|display|customer|contact|person|author|owner)_?name|^author$|recipient", "name"),
    (r"(company|business|organi[sz]ation|employer|vendor|supplier|merchant|tenant)(_?name)?$", "company"),
    (r"(phone|mobile|fax|tel)", "phone_number"),
    (r"(image|avatar|photo|picture|thumbnail|logo)(_?url)?$", "image_url"),
    (r"(url|uri|website|link|href)$", "url"),
    (r"(domain|host)(_?name)?$", "domain_name"),
    (r"slug$", "slug"),
    (r"(post|zip)(al)?_?(code)?$|zip_?code", "postcode"),
    (r"country_?code|country_iso", "country_code"),
    (r"country", "country"),
    (r"^(city|town)|_city$", "city"),
    (r"(state|province|region)_?(name)?$", "state"),
    (r"(street|address)(_?line)?_?\d?$", "street_address"),
    (r"currency", "currency_code"),
    (r"iban", "iban"),
    (r"(locale|language)", "language_code"),
    (r"(time_?zone|tz)$", "timezone"),
    (r"(ip|ip_?addr(ess)?|remote_addr)$", "ipv4"),
    (r"user_?agent", "user_agent"),
    (r"(mime|content)_?type", "mime_type"),
    (r"file_?name", "file_name"),
    (r"(file_?)?path$", "file_path"),
    (r"colou?r", "color_name"),
    (r"(password|hash|digest|checksum|sha256|signature)", "sha256"),
    (r"(token|secret|api_?key|session)", "md5"),
    (r"(job|position|occupation)_?(title)?$", "job"),
    (r"isbn", "isbn13"),
    (r"(ean|barcode|gtin)", "ean13"),
    (r"(license|plate)", "license_plate"),
    (r"product_(name|title)$", "product_name"),
    (r"(title|subject|headline|summary|caption)$", "catch_phrase"),
    (
        r"(description|body|content|comment|note|message|bio|text|about|details|reason|review|remark|instruction|request)s?$",
        "sentence",
    ),
    (r"(name|label)$", "catch_phrase"),
    (r"(code|sku|reference|ref|number|no|key|id)$", "bothify"),
)
OWNERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        r"(^|_)(user|customer|person|people|member|employee|author|contact|client|patient|student|teacher|guest)s?$",
        ("name",),
        "person_name",
    ),
    (
        r"(^|_)(company|companies|business|businesses|(store|shop|organi[sz]ation|vendor|supplier|merchant|employer|chain|brand|hotel|manufacturer|publisher|agency|clinic|restaurant|tenant)s?)$",
        ("name",),
        "company_name",
    ),
    (r"(^|_)products?$", ("name", "title"), "product_name"),
    (r"(^|_)(room|unit|suite|apartment)_?types?$", ("name", "title", "label"), "room_type_name"),
    (r"(^|_)roles?$", ("name", "title", "label"), "role_name"),
    (r"(^|_)departments?$", ("name", "title", "label"), "department_name"),
    (r"(^|_)(specialt(y|ies)|specialit(y|ies))$", ("name", "title", "label"), "specialty_name"),
    (r"(^|_)(tag|label|keyword)s?$", ("name", "title", "label"), "tag_name"),
    (r"(^|_)(categor(y|ies)|collections?)$", ("name", "title", "label"), "category_name"),
    (r"(^|_)(plans?|tiers?)$", ("name", "title", "label"), "plan_name"),
    (r"(^|_)(services?|treatments?|amenit(y|ies))$", ("name", "title", "label"), "service_name"),
    (r"(^|_)(subject|course)s?$", ("name", "title", "subject"), "subject_name"),
    (r"(type|kind)s?$", ("name", "title", "label"), "kind_name"),
    (r"(^|_)(payment|refund|charge|transaction|invoice|order)s?$", ("method", "type_of_payment"), "payment_method"),
    (r"(request|http|api|access)", ("method",), "http_method"),
    (r"(log|event)s?$", ("level",), "log_level"),
    (r"(audit|activit|histor|log)", ("action",), "audit_action"),
    (
        r"(^|_)(order|job|task|run|payment|invoice|ticket|subscription|shipment|process|request|booking|reservation|enrol?lment|application)s?$",
        ("state",),
        "status",
    ),
    (r"(^|_)(class|classes|course|event|venue|hall|theat(er|re)|bus|buses|train|flight)s?$", ("capacity",), "seats"),
)
"""What a column of few words means by the table that it stands in: table, column, and its name in full."""
RANGES: tuple[tuple[str, int, int], ...] = (
    (r"(^|_)(children|kids|infants|pets)$", 0, 3),
    (r"(^|_)(fail\w*|attempts?|retr(y|ies)|log_?ins?)(_?(counts?|no|number))?$", 0, 5),
    (r"(^|_)(guests|adults|beds|bedrooms|bathrooms|persons|people|pax|party_size|capacity)$|occupancy", 1, 6),
    (r"(^|_)floors?(_?(no|number))?$", 0, 30),
    (r"(quantity|qty)", 1, 10),
    (r"(rating|stars|score)", 1, 5),
    (r"(^|_)age$", 18, 90),
    (r"(percent|pct)", 0, 100),
    (r"(year)$", 1990, 2025),
    (r"(month)$", 1, 12),
    (r"(^|_)day$", 1, 28),
    (r"(hour)$", 0, 23),
    (r"(position|sort|rank|sequence|ordinal|line_?no|version|revision|priority)", 1, 100),
    (r"(level|depth)", 0, 5),
    (r"(stock|inventory)", 0, 500),
    (r"(^|_)(area|m2|sqm|square_met(er|re)s)$", 10, 200),
    (r"weight|(^|_)kg$", 1, 120),
    (r"height|(^|_)cm$", 50, 210),
    (r"temperature|(^|_)temp$", -10, 40),
    (r"discount|vat|tax", 0, 25),
    (r"salary|income|(^|_)wages?$", 20_000, 120_000),
    (r"(duration|minutes|mins)(_min(ute)?s?)?$", 5, 240),
    (r"(seconds|secs|ttl|timeout)$", 1, 3600),
    (r"(^|_)(room|seat|gate|building|house)(_?(no|number))?$", 1, 400),
    (r"capacity|seats", 1, 300),
    (r"population", 500, 2_000_000),
    (r"(port)$", 1024, 65535),
    (r"bytes|file_?size|content_?length", 1, 10_000_000),
    (r"shoe_?size", 35, 47),
    (r"size|length", 1, 10_000),
    (r"(latitude|^lat)$", -85, 85),
    (r"(longitude|^lng|^lon)$", -180, 180),
)
NAMELESS = frozenset({"word", "md5", "sha256", "bothify", "catch_phrase", "user_name"})
"""Providers instead of which a secret holds a random text."""
PRICES = re.compile(r"(price|(^|_)(fee|fare|cost|rent|tariff)s?$)")
"""Numbers that end as prices do."""
POLES = re.compile(r"latitude|^lat$|longitude|^lng$|^lon$|temperature|(^|_)temp$")
"""Numbers on either side of zero, of which none is the likeliest."""
OPENING = re.compile(r"(^|_)(start|begin|open|from|since|departure|check_?in)(s|ed)?(_|$)")
"""Times of day at which something begins."""
SALARIES = re.compile(r"salary|income|(^|_)wages?$")
MOSTLY_FALSE = re.compile(
    r"(delet|remov|archiv|block|bann|suspend|lock|disab|spam|default|primary|test|admin|staff|super|hidden|private|draft"
    r"|cancel|fail|expir|closed|refund|urgent|error|vip|gift|overdue|void|return|smok)"
)
MOSTLY_TRUE = re.compile(r"(^is_|^has_|activ|enabl|verif|availab|visible|valid|publish|confirm)")
DIGITS: tuple[tuple[str, int], ...] = (
    (r"last_?(4|four)$", 4),
    (r"(^|_)pin(_?code)?$", 4),
    (r"(^|_)(cvv|cvc|cvv2|csc)$", 3),
    (r"(^|_)otp(_?code)?$", 6),
)
"""Texts of so many digits."""
ABSENCES: tuple[tuple[str, float], ...] = (
    (r"^(delet|archiv|remov|purg|bann|suspend|block)", 0.95),
    (r"^(revok|cancel|closed|left|terminat|dissolv)", 0.8),
)
"""How often what most rows never come to is NULL."""


def absence(name: str, kind: Any) -> float:
    """Return how often a column that may be NULL is NULL."""
    if isinstance(kind, sa.Boolean):
        return 0.05
    return next((share for pattern, share in ABSENCES if re.search(pattern, name.lower())), 0.15)
