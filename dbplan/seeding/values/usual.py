"""Usual values: the few words, each with its weight, that a column of some name holds nearly everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dbplan.seeding.constraints.checks import Limits

Usual = Mapping[str, float]


def _falling(text: str) -> Usual:
    """Return words of which each is rarer than the one before it."""
    return {word.strip(): 0.8**place for place, word in enumerate(text.split(","))}


def _even(text: str) -> Usual:
    return {word.strip(): 1.0 for word in text.split(",")}


LANGUAGES = _falling("en, de, fr, es, it, nl, pt, pl, sv, ja")
USUAL: tuple[tuple[str, tuple[Usual, ...]], ...] = (
    (r"^currency(_?code)?$|_currency(_?code)?$", (_falling("EUR, USD, GBP, CHF, SEK, JPY"),)),
    (r"(^|_)(language|lang)(s|_?code)?$", (LANGUAGES,)),
    (r"(^|_)locale$", (_falling("en-US, de-DE, fr-FR, en-GB, es-ES, it-IT, nl-NL"), LANGUAGES)),
    (r"payment_?(method|type|mode)$|^pay(ed|ing)?_(by|with)$", (_falling("card, cash, transfer, voucher"),)),
    (r"http_?(method|verb)$", (_falling("GET, POST, PUT, DELETE, PATCH"),)),
    (r"payment_?(status|state)$", (_falling("paid, pending, failed, refunded"),)),
    (r"log_?level$", (_falling("info, debug, warning, error"),)),
    (r"audit_action$", (_falling("update, create, view, login, delete, export"),)),
    (r"(^|_)(status|stage)$", (_falling("active, pending, completed, inactive, cancelled"), _falling("on, off"))),
    (r"(^|_)priority$", (_falling("normal, low, high, urgent"), _falling("N, L, H"))),
    (r"(^|_)severity$", (_falling("low, medium, high, critical"), _falling("L, M, H"))),
    (r"(^|_)(channel|booked_via)$", (_falling("web, phone, email, app, walk-in"),)),
    (r"(^|_)(source|origin)$", (_falling("web, app, import, partner, api"),)),
    (r"(^|_)(gender|sex)$", ({"female": 0.49, "male": 0.49, "other": 0.02}, {"F": 0.49, "M": 0.49, "X": 0.02})),
    (r"(^|_)marital_status$", (_falling("married, single, divorced, widowed"),)),
    (r"(^|_)blood_?(type|group)$", ({"O+": 38, "A+": 34, "B+": 9, "O-": 7, "A-": 6, "AB+": 3, "B-": 2, "AB-": 1},)),
    (r"(^|_)(clothing_|shirt_|garment_)?size$", (_falling("M, L, S, XL, XS"), _falling("M, L, S"))),
    (r"(^|_)colou?r$", (_falling("black, white, blue, grey, red, green, yellow, brown"),)),
    (r"(^|_)(unit|uom|unit_of_measure)$", (_falling("piece, box, kg, g, l, m"), _falling("g, l, m"))),
    (r"(^|_)role(_name)?$", (_falling("member, viewer, editor, manager, admin, owner"),)),
    (r"(^|_)(plan|tier)(_name)?$", (_falling("free, basic, pro, enterprise"),)),
    (r"(^|_)(environment|env)$", (_falling("production, staging, development"), _falling("prod, dev, test"))),
    (r"(^|_)(platform|device_type|device)$", (_falling("web, ios, android, desktop"),)),
    (r"(^|_)(week_?day|day_of_week)$", (_even("Monday, Tuesday, Wednesday, Thursday, Friday"), _even("Mon, Tue, Wed"))),
    (r"(^|_)grade$", (_falling("B, A, C, D, E, F"),)),
    (r"(^|_)(level|difficulty)$", (_falling("beginner, intermediate, advanced"), _falling("low, mid, high"))),
    (r"(^|_)action$", (_falling("update, create, view, delete, login"),)),
    (r"(^|_)frequency$|(^|_)(billing_)?interval$", (_falling("monthly, weekly, yearly, daily"),)),
    (
        r"room_type(_name)?$",
        (_even("Single, Double, Twin, Triple, Family, Studio, Suite, Junior Suite, Penthouse"),),
    ),
    (
        r"(^|_)department(_name)?$",
        (_even("Sales, Finance, Operations, Marketing, Support, Engineering, Legal, Purchasing, Logistics, Staff"),),
    ),
    (
        r"(^|_)special(ty|ity)(_name)?$",
        (_even("General Practice, Cardiology, Dermatology, Paediatrics, Neurology, Orthopaedics, Radiology, Surgery"),),
    ),
    (r"tag_name$|(^|_)(tag|keyword|label)s$", (_even("new, popular, seasonal, featured, limited, classic, local"),)),
    (
        r"(^|_)category(_name)?$",
        (_even("Home, Garden, Books, Clothing, Electronics, Sports, Toys, Food, Beauty, Office"), _even("A, B, C")),
    ),
    (
        r"service_name$|(^|_)amenities$",
        (_even("Cleaning, Breakfast, Parking, Delivery, Consultation, Repair, Laundry, Training, Transfer"),),
    ),
    (
        r"subject_name$",
        (_even("Mathematics, Physics, Chemistry, Biology, History, Geography, English, Music, Art, Economics"),),
    ),
    (r"kind_name$", (_even("Standard, Basic, Premium, Special, Regular, Express, Internal, External"),)),
    (r"(^|_)method$", (_falling("standard, manual, automatic, express"),)),
    (r"(^|_)(type|kind)$", (_falling("standard, basic, premium, special"), _falling("A, B, C"))),
)  # fmt: skip
"""Names, each with the sets of words that are tried in turn until one fits the column."""


def usual(name: str, length: int | None, limits: Limits) -> Usual | None:
    """Return the words that a text column of that name usually holds and its type and CHECKs allow, None where few do.

    Of a set of which a word is too long, the next one is tried before some words are left out.
    """
    sets = next((sets for pattern, sets in USUAL if re.search(pattern, name)), ())
    for words in sorted((_allowed(words, length, limits) for words in sets), key=lambda kept: len(kept) < 2):
        if len(words) >= 2:
            return words
    return None


def _allowed(words: Usual, length: int | None, limits: Limits) -> Usual:
    most = length if length is not None else max(map(len, words))
    kept = {_cased(word, limits): weight for word, weight in words.items() if limits.shortest <= len(word) <= most}
    if limits.pattern:
        try:
            kept = {word: weight for word, weight in kept.items() if re.search(limits.pattern, word, re.DOTALL)}
        except re.error:
            return {}
    return kept if len(kept) == len(words) or 2 * len(kept) >= len(words) else {}


def _cased(word: str, limits: Limits) -> str:
    return word.lower() if limits.lower else word.upper() if limits.upper else word


def is_usual(name: str) -> bool:
    """Whether a text column of that name has usual words."""
    return any(re.search(pattern, name) for pattern, _ in USUAL)
