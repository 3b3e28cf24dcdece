import pytest

from accounts.errors import InvalidCredentials, TooManyAttempts

ADDRESS = "grace@example.org"
PASSWORD = "nanoseconds of wire"


def test_a_new_user_can_log_in(make_service):
    service = make_service()
    user = service.sign_up(ADDRESS, PASSWORD)
    assert service.who_is(service.log_in(" Grace@Example.org", PASSWORD)) == user.id


def test_a_wrong_password_is_refused(make_service):
    service = make_service()
    service.sign_up(ADDRESS, PASSWORD)
    with pytest.raises(InvalidCredentials):
        service.log_in(ADDRESS, "picoseconds of wire")


def test_guessing_is_slowed_down(make_service, clock):
    service = make_service()
    service.sign_up(ADDRESS, PASSWORD)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            service.log_in(ADDRESS, "a guess")
    with pytest.raises(TooManyAttempts):
        service.log_in(ADDRESS, PASSWORD)
    clock.pass_time(minutes=16)
    assert service.log_in(ADDRESS, PASSWORD)


def test_users_from_before_the_cost_was_raised_keep_logging_in(make_service, clock):
    make_service(rounds=1_000).sign_up(ADDRESS, PASSWORD)
    service = make_service(rounds=2_000)
    assert service.log_in(ADDRESS, PASSWORD)
    clock.pass_time(days=3)
    assert service.log_in(ADDRESS, PASSWORD)
