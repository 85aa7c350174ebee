import datetime as dt
from dataclasses import FrozenInstanceError

import pytest
from sqlalchemy import delete, event, func, select, text, update

from dbplan.columns import AccountType, new_id
from dbplan.connection import new_engine, transaction
from dbplan.domains.transcription import PLAN, allowance, operations
from dbplan.domains.transcription.models import Account, Session, User, UserUsage, VerificationToken
from dbplan.errors import DbplanError, UnknownName, UsageError
from dbplan.sandbox import sandbox

JANUARY, FEBRUARY, MARCH = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 2, 3))
DAY = dt.timedelta(days=1)


@pytest.fixture
def clock(monkeypatch):
    """A clock that the operations read, and the test sets."""
    at = {"now": JANUARY + 14 * DAY}
    monkeypatch.setattr(operations, "now", lambda: at["now"])
    return lambda instant: at.update(now=instant)


@pytest.fixture
def user_id(engine, clock):
    return in_one(engine, operations.create_user, "ada@example.com").id


def in_one(engine, verb, *arguments, **named):
    """Do one thing in a transaction of its own."""
    with transaction(engine) as session:
        return verb(session, *arguments, **named)


def use(engine, user_id, times, **named):
    return [in_one(engine, operations.track_user_usage, user_id, **named) for _ in range(times)][-1]


def rows(engine, model):
    with transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(model))


# Users


def test_a_user_is_created_and_found_by_id_and_by_address_in_any_case(engine):
    made = in_one(engine, operations.create_user, " Ada@Example.COM ", name=" Ada ", image="https://example.com/a.png")
    assert (made.email, made.name, made.image, made.email_verified) == (
        *("ada@example.com", "Ada", "https://example.com/a.png", None),
    )
    assert abs(dt.datetime.now(dt.UTC) - made.created_at) < dt.timedelta(seconds=5)
    assert in_one(engine, operations.find_user_by_id, made.id) == made
    assert in_one(engine, operations.find_user_by_email, "ADA@example.com") == made


def test_who_is_not_there_is_not_found(engine):
    assert in_one(engine, operations.find_user_by_id, new_id()) is None
    assert in_one(engine, operations.find_user_by_email, "nobody@example.com") is None
    assert in_one(engine, operations.find_user_by_account, "google", "1") is None
    assert in_one(engine, operations.find_session, "token") is None


def test_an_address_is_taken_once_and_the_transaction_goes_on(engine, user_id):
    with transaction(engine) as session:
        with pytest.raises(operations.EmailTaken, match=r"ada@example\.com belongs to a user already"):
            operations.create_user(session, "ADA@example.com")
        other = operations.create_user(session, "grace@example.com")
        with pytest.raises(operations.EmailTaken):
            operations.update_user(session, other.id, email="ada@example.com", name="Grace")
        assert operations.find_user_by_id(session, other.id).name is None
    assert rows(engine, User) == 2


def test_a_change_touches_what_is_named_and_nothing_else(engine):
    made = in_one(engine, operations.create_user, "ada@example.com", name="Ada", email_verified=JANUARY)
    changed = in_one(engine, operations.update_user, made.id, image="https://example.com/a.png")
    assert changed._replace(updated_at=made.updated_at) == made._replace(image="https://example.com/a.png")
    assert in_one(engine, operations.update_user, made.id, name=None).name is None
    assert in_one(engine, operations.update_user, made.id).email_verified == JANUARY


def test_a_new_address_is_unproven_until_it_is_proven(engine):
    made = in_one(engine, operations.create_user, "ada@example.com", email_verified=JANUARY)
    same = in_one(engine, operations.update_user, made.id, email="ADA@example.com")
    assert (same.email, same.email_verified) == ("ada@example.com", JANUARY)
    assert in_one(engine, operations.update_user, made.id, email="ada@example.org").email_verified is None
    again = in_one(engine, operations.update_user, made.id, email="ada@example.net", email_verified=FEBRUARY)
    assert (again.email, again.email_verified) == ("ada@example.net", FEBRUARY)


def test_a_deleted_user_leaves_nothing_behind(engine, user_id):
    other = in_one(engine, operations.create_user, "grace@example.com").id
    for owner, address in ((user_id, "ada@example.com"), (other, "grace@example.com")):
        in_one(engine, operations.link_account, owner, "google", address)
        in_one(engine, operations.create_session, owner)
        in_one(engine, operations.create_verification_token, address)
    in_one(engine, operations.delete_user, user_id)
    assert [rows(engine, model) for model in (User, Account, Session, UserUsage, VerificationToken)] == [1] * 5
    with transaction(engine) as session:
        assert session.scalars(select(VerificationToken.identifier)).one() == "grace@example.com"


# Accounts


def test_a_linked_account_lets_its_user_in_until_it_is_unlinked(engine, user_id):
    link = in_one(engine, operations.link_account, user_id, " Google ", "118", kind=AccountType.OIDC)
    assert in_one(engine, operations.find_user_by_account, "GOOGLE", "118").id == user_id
    assert in_one(engine, operations.accounts_of_user, user_id) == [(link, AccountType.OIDC, "google", "118")]
    assert not in_one(engine, operations.unlink_account, new_id(), "google", "118")
    assert in_one(engine, operations.unlink_account, user_id, "Google", "118")
    assert not in_one(engine, operations.unlink_account, user_id, "google", "118")
    assert in_one(engine, operations.find_user_by_account, "google", "118") is None


def test_the_same_id_at_two_providers_is_two_accounts_and_one_account_is_linked_once(engine, user_id):
    other = in_one(engine, operations.create_user, "grace@example.com").id
    in_one(engine, operations.link_account, user_id, "google", "1")
    in_one(engine, operations.link_account, other, "github", "1", kind=AccountType.OAUTH)
    for who in (user_id, other):
        with pytest.raises(operations.AccountTaken, match='account "1" of google is linked already'):
            in_one(engine, operations.link_account, who, "google", "1")
    assert in_one(engine, operations.find_user_by_account, "github", "1").id == other


def test_what_a_provider_hands_over_is_kept_and_never_shown(engine, user_id):
    given = operations.Credentials(
        refresh_token="1//refresh", access_token="ya29.access", expires_at=FEBRUARY, token_type="bearer",
        scope="openid email", id_token="eyJ.id", session_state="s1",
    )  # fmt: skip
    in_one(engine, operations.link_account, user_id, "google", "1", credentials=given)
    with transaction(engine) as session:
        kept = session.scalars(select(Account)).one()
        assert operations.Credentials(**{name: getattr(kept, name) for name in vars(given)}) == given
    shown = repr(given) + repr(in_one(engine, operations.accounts_of_user, user_id))
    assert not [word for word in ("refresh", "access", "eyJ.id") if f"{word}'" in shown]


# Sessions


def test_a_session_is_found_by_its_token_with_its_user_and_ends_by_itself(engine, user_id, clock):
    issued = in_one(engine, operations.create_session, user_id, lasts=DAY)
    assert issued.expires == JANUARY + 15 * DAY
    found = in_one(engine, operations.find_session, issued.token)
    assert (found.user.id, found.user.email, found.expires) == (user_id, "ada@example.com", issued.expires)
    clock(issued.expires - dt.timedelta(microseconds=1))
    assert in_one(engine, operations.find_session, issued.token) is not None
    clock(issued.expires)
    assert in_one(engine, operations.find_session, issued.token) is None


def test_the_token_is_long_random_handed_out_once_and_not_kept(engine, user_id):
    issued = [in_one(engine, operations.create_session, user_id) for _ in range(20)]
    tokens = {one.token for one in issued}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 43
    assert not any(one.token in repr(one) for one in issued)
    with engine.connect() as connection:
        kept = set(connection.scalars(text("SELECT session_token FROM sessions")))
    assert not tokens & kept
    assert not any(in_one(engine, operations.find_session, digest) for digest in kept)


def test_a_visit_extends_a_session_and_never_shortens_or_revives_one(engine, user_id, clock):
    token = in_one(engine, operations.create_session, user_id, lasts=DAY).token
    clock(JANUARY + 14.5 * DAY)
    assert in_one(engine, operations.extend_session, token, lasts=2 * DAY)
    assert in_one(engine, operations.find_session, token).expires == JANUARY + 16.5 * DAY
    assert not in_one(engine, operations.extend_session, token, lasts=DAY)
    assert in_one(engine, operations.find_session, token).expires == JANUARY + 16.5 * DAY
    clock(FEBRUARY)
    assert not in_one(engine, operations.extend_session, token)
    assert in_one(engine, operations.find_session, token) is None


def test_one_browser_signs_out_or_all_of_them(engine, user_id):
    other = in_one(engine, operations.create_user, "grace@example.com").id
    first, second, third = (in_one(engine, operations.create_session, user_id).token for _ in range(3))
    hers = in_one(engine, operations.create_session, other).token
    assert in_one(engine, operations.delete_session, first)
    assert not in_one(engine, operations.delete_session, first)
    assert in_one(engine, operations.find_session, second) is not None
    assert in_one(engine, operations.delete_sessions_of_user, user_id) == 2
    assert in_one(engine, operations.find_session, third) is None
    assert in_one(engine, operations.find_session, hers) is not None


@pytest.mark.parametrize(
    ("make", "clean"),
    [
        (lambda s, user, lasts: operations.create_session(s, user, lasts=lasts), operations.cleanup_expired_sessions),
        (
            lambda s, _, lasts: operations.create_verification_token(s, "ada@example.com", lasts=lasts),
            operations.cleanup_expired_tokens,
        ),
    ],
    ids=["sessions", "tokens"],
)
def test_what_is_over_goes_in_batches_oldest_first_and_what_lives_stays(engine, user_id, clock, make, clean):
    for days in (5, 3, 1, 2, 4, 10, 11):
        in_one(engine, make, user_id, days * DAY)
    model = Session if clean is operations.cleanup_expired_sessions else VerificationToken
    clock(JANUARY + 19 * DAY)
    assert in_one(engine, clean, limit=2) == 2
    with transaction(engine) as session:
        assert session.scalar(select(func.min(model.expires))) == JANUARY + 17 * DAY
    assert [in_one(engine, clean, limit=2) for _ in range(3)] == [2, 1, 0]
    assert rows(engine, model) == 2


# Verification tokens


def test_a_token_proves_its_address_once(engine, clock):
    issued = in_one(engine, operations.create_verification_token, "New@Example.com")
    other = in_one(engine, operations.create_verification_token, "new@example.com")
    assert issued.token not in repr(issued)
    assert not in_one(engine, operations.use_verification_token, "else@example.com", issued.token)
    assert in_one(engine, operations.use_verification_token, "NEW@example.com", issued.token)
    assert not in_one(engine, operations.use_verification_token, "new@example.com", issued.token)
    assert in_one(engine, operations.use_verification_token, "new@example.com", other.token)


def test_a_token_past_its_time_proves_nothing(engine, clock):
    issued = in_one(engine, operations.create_verification_token, "new@example.com")
    clock(issued.expires)
    assert not in_one(engine, operations.use_verification_token, "new@example.com", issued.token)


# Usage


def test_a_new_user_has_used_nothing_and_may_use_what_their_tier_allows(engine, user_id, clock):
    status = in_one(engine, operations.check_usage_limit, user_id)
    assert (status.used, status.limit, status.remaining, status.share, status.warning, status.allowed) == (
        *(0, 10, 10, 0.0, False, True),
    )
    assert in_one(engine, operations.check_usage_limit, user_id, tier="pro").limit == 200
    assert in_one(engine, operations.check_usage_limit, user_id, tier="pro", limit=50).limit == 50
    assert rows(engine, UserUsage) == 1


def test_each_summary_counts_until_the_limit_and_none_after_it(engine, user_id, clock):
    counted = [use(engine, user_id, 1, limit=3) for _ in range(5)]
    assert [status.allowed for status in counted] == [True, True, True, False, False]
    assert [status.used for status in counted] == [1, 2, 3, 3, 3]
    assert [status.remaining for status in counted] == [2, 1, 0, 0, 0]
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 3
    assert not in_one(engine, operations.check_usage_limit, user_id, limit=3).allowed
    assert in_one(engine, operations.check_usage_limit, user_id, limit=4).allowed


def test_a_refusal_holds_what_an_upgrade_prompt_shows(engine, user_id, clock):
    refused = use(engine, user_id, 11)
    assert (refused.allowed, refused.used, refused.limit, refused.resets_at) == (False, 10, 10, FEBRUARY)
    assert (refused.allowance.tier, refused.upgrade) == ("free", "pro")
    assert operations.LIMITS[refused.upgrade] == 200


def test_a_warning_comes_at_four_fifths(engine, user_id, clock):
    warned = [use(engine, user_id, 1).warning for _ in range(10)]
    assert warned == [False] * 7 + [True] * 3


def test_the_last_use_is_told(engine, user_id, clock):
    clock(JANUARY + 20 * DAY)
    assert use(engine, user_id, 1).usage.last_used == JANUARY + 20 * DAY
    assert in_one(engine, operations.get_user_usage, user_id).last_used == JANUARY + 20 * DAY


def test_a_new_month_counts_from_zero_with_its_first_summary(engine, user_id, clock):
    use(engine, user_id, 10)
    clock(FEBRUARY - dt.timedelta(microseconds=1))
    assert not use(engine, user_id, 1).allowed
    clock(FEBRUARY)
    before = in_one(engine, operations.check_usage_limit, user_id)
    assert (before.used, before.allowed, before.resets_at) == (0, True, MARCH)
    after = use(engine, user_id, 1)
    assert (after.used, after.remaining, after.resets_at) == (1, 9, MARCH)
    clock(dt.datetime(2027, 5, 31, 23, tzinfo=dt.UTC))
    assert use(engine, user_id, 2).resets_at == dt.datetime(2027, 6, 1, tzinfo=dt.UTC)
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 2


def test_a_server_whose_clock_is_behind_counts_in_the_month_that_has_begun(engine, user_id, clock):
    clock(FEBRUARY)
    use(engine, user_id, 3)
    clock(FEBRUARY - dt.timedelta(seconds=1))
    status = use(engine, user_id, 1)
    assert (status.used, status.usage.period_start, status.usage.last_used) == (4, FEBRUARY, FEBRUARY)
    in_one(engine, operations.reset_usage, user_id)
    assert in_one(engine, operations.get_user_usage, user_id).period_start == FEBRUARY


def test_no_summary_is_allowed_by_a_limit_of_none(engine, user_id, clock):
    for month in (JANUARY, FEBRUARY):
        clock(month + 20 * DAY)
        status = use(engine, user_id, 1, limit=0)
        assert (status.allowed, status.used, status.share, status.warning) == (False, 0, 1.0, True)


def test_a_smaller_tier_than_before_leaves_nothing_and_takes_nothing_away(engine, user_id, clock):
    use(engine, user_id, 12, tier="pro")
    status = use(engine, user_id, 1)
    assert (status.allowed, status.used, status.remaining, status.share) == (False, 12, 0, 1.0)
    assert use(engine, user_id, 1, tier="pro").used == 13


def test_a_reset_counts_from_zero_in_the_same_month(engine, user_id, clock):
    use(engine, user_id, 10)
    in_one(engine, operations.reset_usage, user_id)
    status = use(engine, user_id, 1)
    assert (status.used, status.resets_at) == (1, FEBRUARY)


def test_a_reset_after_the_month_is_one_of_the_new_month(engine, user_id, clock):
    use(engine, user_id, 10)
    clock(FEBRUARY)
    in_one(engine, operations.reset_usage, user_id)
    assert in_one(engine, operations.get_user_usage, user_id).period_start == FEBRUARY
    with transaction(engine) as session:
        assert session.scalar(select(UserUsage.summary_count)) == 0


def test_to_begin_counting_again_gives_nothing_back(engine, user_id, clock):
    use(engine, user_id, 4)
    in_one(engine, operations.create_user_usage, user_id)
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 4


@pytest.mark.parametrize("verb", ["track_user_usage", "increment_usage", "check_usage_limit"])
def test_a_user_of_before_counting_began_is_counted_from_zero(engine, user_id, clock, verb):
    with transaction(engine) as session:
        session.execute(delete(UserUsage))
        session.execute(update(User).values(created_at=JANUARY + 3 * DAY))
    status = in_one(engine, getattr(operations, verb), user_id)
    assert status.allowed
    assert (status.usage.period_start, status.resets_at) == (JANUARY, FEBRUARY)
    assert status.used == (0 if verb == "check_usage_limit" else 1)
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == status.used


def test_a_reset_of_a_user_of_before_counting_began_begins_it(engine, user_id, clock):
    with transaction(engine) as session:
        session.execute(delete(UserUsage))
    in_one(engine, operations.reset_usage, user_id)
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 0
    assert rows(engine, UserUsage) == 1


def test_a_session_is_as_good_as_its_user_while_it_lasts(engine, user_id, clock):
    token = in_one(engine, operations.create_session, user_id, lasts=DAY).token
    assert use(engine, token, 2).used == 2
    clock(JANUARY + 15 * DAY)
    for wrong in (token, "no-token", ""):
        with pytest.raises(operations.NotSignedIn, match="no session has this token, or it is over"):
            use(engine, wrong, 1)
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 2


def test_an_error_after_the_count_undoes_it(engine, user_id, clock):
    with pytest.raises(RuntimeError), transaction(engine) as session:
        operations.track_user_usage(session, user_id)
        raise RuntimeError
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 0


def test_a_summary_that_failed_is_given_back_in_its_own_month(engine, user_id, clock):
    last = use(engine, user_id, 10)
    assert in_one(engine, operations.refund_usage, last)
    assert in_one(engine, operations.check_usage_limit, user_id).remaining == 1
    assert use(engine, user_id, 1).used == 10
    clock(FEBRUARY)
    use(engine, user_id, 1)
    assert not in_one(engine, operations.refund_usage, last)
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 1


def test_a_refund_gives_back_no_more_than_was_used(engine, user_id, clock):
    counted = use(engine, user_id, 1)
    assert [in_one(engine, operations.refund_usage, counted) for _ in range(3)] == [True, False, False]
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 0


def test_a_refused_summary_is_not_given_back(engine, user_id, clock):
    refused = use(engine, user_id, 11)
    with pytest.raises(UsageError, match="was refused and counted nothing"):
        in_one(engine, operations.refund_usage, refused)


def test_users_are_counted_each_for_themselves(engine, user_id, clock):
    other = in_one(engine, operations.create_user, "grace@example.com").id
    use(engine, user_id, 10)
    assert use(engine, other, 1).used == 1
    in_one(engine, operations.reset_usage, other)
    assert in_one(engine, operations.get_user_usage, user_id).summary_count == 10


def test_a_status_cannot_be_changed(engine, user_id, clock):
    status = use(engine, user_id, 1)
    with pytest.raises(FrozenInstanceError):
        status.allowed = False
    with pytest.raises(TypeError):
        operations.LIMITS["free"] = 1000


@pytest.mark.parametrize(
    ("instant", "start"),
    [
        ("2026-01-01T00:00:00+00:00", "2026-01-01"),
        ("2026-01-01T00:30:00+01:00", "2025-12-01"),
        ("2024-02-29T23:59:59.999999+00:00", "2024-02-01"),
        ("2025-12-31T23:00:00-05:00", "2026-01-01"),
    ],
)
def test_a_month_begins_in_utc(instant, start):
    found = allowance.month(dt.datetime.fromisoformat(instant))
    assert found == dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("number", range(1, 13))
def test_a_month_ends_where_the_next_begins(number):
    start = dt.datetime(2024, number, 1, tzinfo=dt.UTC)
    usage = operations.Usage(new_id(), start + 3 * DAY, 0, start)
    ends = operations.UsageStatus(usage, allowance.Allowance.of("free", None), allowed=True).resets_at
    assert (ends.day, ends.month, ends.year) == (1, number % 12 + 1, 2024 + number // 12)


# Calls that make no sense


def test_a_stranger_is_named_and_nothing_is_written(engine, subtests):
    stranger = new_id()
    calls = {
        "update_user": {"name": "x"},
        "delete_user": {},
        "create_session": {},
        "create_user_usage": {},
        "get_user_usage": {},
        "check_usage_limit": {},
        "increment_usage": {},
        "track_user_usage": {},
        "reset_usage": {},
    }
    for verb, named in calls.items():
        with subtests.test(verb), pytest.raises(operations.NoSuchUser, match=str(stranger)):
            in_one(engine, getattr(operations, verb), stranger, **named)
    with pytest.raises(operations.NoSuchUser, match=str(stranger)):
        in_one(engine, operations.link_account, stranger, "google", "1")
    assert [rows(engine, model) for model in (Account, Session, UserUsage)] == [0, 0, 0]


NAIVE = dt.datetime(2026, 1, 1)
WRONG = {
    '"nobody" is no e-mail address': lambda s, _: operations.create_user(s, "nobody"),
    "the e-mail address has 0 characters": lambda s, _: operations.find_user_by_email(s, "  "),
    "the name has 201 characters": lambda s, _: operations.create_user(s, "b@example.com", name="x" * 201),
    "the image has 2001 characters": lambda s, _: operations.create_user(s, "b@example.com", image="x" * 2001),
    "the provider has 0 characters": lambda s, u: operations.link_account(s, u, "", "1"),
    "the account has 256 characters": lambda s, u: operations.link_account(s, u, "google", "1" * 256),
    "a time of 0:00:00": lambda s, u: operations.create_session(s, u, lasts=dt.timedelta(0)),
    "a time of -1 day": lambda s, _: operations.create_verification_token(s, "b@example.com", lasts=-DAY),
    "the limit is 0;": lambda s, _: operations.cleanup_expired_sessions(s, limit=0),
    "the limit is 100001;": lambda s, _: operations.cleanup_expired_tokens(s, limit=100_001),
    "the limit of summaries is -1": lambda s, u: operations.track_user_usage(s, u, limit=-1),
    "the limit of summaries is 2.5": lambda s, u: operations.check_usage_limit(s, u, limit=2.5),
    "the limit of summaries is True": lambda s, u: operations.increment_usage(s, u, limit=True),
    "the limit of summaries is 2147483648": lambda s, u: operations.increment_usage(s, u, limit=2**31),
    "an id is a text": lambda s, u: operations.get_user_usage(s, str(u)),
    "2026-01-01 00:00:00 has no time zone": lambda s, _: operations.create_user(s, "b@x.org", email_verified=NAIVE),
    'no tier "gold"': lambda s, u: operations.check_usage_limit(s, u, tier="gold"),
}


def test_a_senseless_call_is_refused_before_it_reaches_the_server(engine, user_id, subtests):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
    with transaction(engine) as session:
        for message, call in WRONG.items():
            with subtests.test(message), pytest.raises(UsageError, match=message):
                call(session, user_id)
        assert set(sent) <= {"BEGIN IMMEDIATE"}
        operations.find_user_by_id(session, user_id)
        assert set(sent) - {"BEGIN IMMEDIATE"}


def test_a_tier_that_there_is_not_names_those_that_there_are(engine, user_id):
    with pytest.raises(UnknownName, match="tiers are: free, pro, team"):
        in_one(engine, operations.check_usage_limit, user_id, tier="prod")


# Development and production


def play(engine, clock):
    """Live through three months of an application and return all that it was told, ids, tokens and clocks aside."""
    told = []

    def tell(verb, *arguments, **named):
        try:
            answer = in_one(engine, getattr(operations, verb), *arguments, **named)
        except DbplanError as error:
            told.append((verb, type(error).__name__, *(() if "no user" in str(error) else (str(error),))))
            return None
        told.append((verb, plain(answer)))
        return answer

    ada, grace = (tell("create_user", f"{name}@example.com", name=name) for name in ("Ada", "Grace"))
    cookies = arrive(tell, ada, grace)
    for month in (JANUARY, FEBRUARY, MARCH):
        live_a_month(tell, clock, month, ada, grace, cookies)
    leave(tell, ada, grace, cookies)
    with transaction(engine) as session:
        for model in (User, Account, Session, VerificationToken, UserUsage):
            told.append((model.__tablename__, session.scalar(select(func.count()).select_from(model))))
    return told


def arrive(tell, ada, grace):
    tell("create_user", "ADA@example.com")
    tell("update_user", grace.id, email="ada@example.com")
    tell("update_user", grace.id, name=None, email="Grace@Example.org", image="https://example.com/é.png")
    tell("find_user_by_email", "GRACE@example.org")
    proof = tell("create_verification_token", "grace@example.org")
    for _ in range(2):
        if tell("use_verification_token", "grace@example.org", proof.token):
            tell("update_user", grace.id, email_verified=JANUARY + 15 * DAY)
    tell("link_account", ada.id, "google", "118", credentials=operations.Credentials(access_token="ü"))
    tell("link_account", grace.id, "google", "118")
    tell("link_account", grace.id, "GitHub", "118", kind=AccountType.OAUTH)
    tell("find_user_by_account", "github", "118")
    tell("accounts_of_user", grace.id)
    return [tell("create_session", user.id, lasts=days * DAY).token for days in (1, 30, 60) for user in (ada, grace)]


def live_a_month(tell, clock, month, ada, grace, cookies):
    clock(month + 20 * DAY)
    for turn in range(13):
        for cookie in cookies:
            tell("track_user_usage", cookie, tier=("free", "pro")[turn % 2], limit=(None, 25)[turn % 2])
        tell("check_usage_limit", ada.id)
    counted = tell("increment_usage", grace.id, tier="team")
    clock(month + 25 * DAY)
    for _ in range(2):
        tell("refund_usage", counted)
    tell("extend_session", cookies[2])
    tell("get_user_usage", grace.id)
    for _ in range(3):
        tell("cleanup_expired_sessions", limit=1)
    tell("cleanup_expired_tokens")


def leave(tell, ada, grace, cookies):
    tell("reset_usage", ada.id)
    tell("get_user_usage", ada.id)
    tell("unlink_account", ada.id, "google", "118")
    tell("delete_session", cookies[-1])
    tell("delete_sessions_of_user", grace.id)
    for verb in ("delete_user", "delete_user", "get_user_usage", "create_session", "track_user_usage"):
        tell(verb, ada.id)


def plain(answer):
    """Return an answer without ids, tokens, and the times that servers write themselves."""
    if isinstance(answer, operations.UsageStatus):
        shown = ("used", "limit", "remaining", "share", "warning", "allowed", "resets_at", "upgrade")
        return [getattr(answer, name) for name in shown] + plain(answer.usage)
    if isinstance(answer, operations.Usage):
        return [answer.period_start, answer.summary_count, answer.last_used]
    if isinstance(answer, operations.Issued):
        return answer.expires
    if isinstance(answer, operations.Profile):
        return answer[1:5]
    if isinstance(answer, list):
        return [row[1:] for row in answer]
    return answer if isinstance(answer, bool | int | None) else type(answer).__name__


def test_development_and_production_are_told_the_same(clock):
    told = {}
    for dialect in ("sqlite", "postgresql"):
        clock(JANUARY + 14 * DAY)
        with sandbox(PLAN, on=dialect) as stage:
            engine = new_engine(stage.url)
            told[dialect] = play(engine, clock)
            engine.dispose()
    assert told["sqlite"] == told["postgresql"]
    answers = {type(answer[1]) for answer in told["sqlite"]}
    assert len(told["sqlite"]) > 250
    assert {bool, int, list, tuple, str} <= answers
    assert {"EmailTaken", "AccountTaken", "NotSignedIn", "NoSuchUser"} <= {
        answer[1] for answer in told["sqlite"] if isinstance(answer[1], str)
    }
    assert told["sqlite"][-5:] == [
        ("users", 1),
        ("accounts", 1),
        ("sessions", 0),
        ("verification_tokens", 0),
        ("user_usage", 1),
    ]
