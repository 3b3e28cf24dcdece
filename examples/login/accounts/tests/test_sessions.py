import pytest

from accounts.errors import SessionExpired
from accounts.handlers import COOKIE, get_me, post_log_out, post_login, post_sign_up

FORM = {"address": "ada@example.org", "password": "note the engine"}


def test_a_session_lasts_while_it_is_used(make_service, clock):
    service = make_service()
    service.sign_up(**FORM)
    token = service.log_in(**FORM)
    for _ in range(13):
        clock.pass_time(days=1)
        service.who_is(token)
    clock.pass_time(days=1)
    with pytest.raises(SessionExpired):
        service.who_is(token)


def test_an_idle_session_ends(make_service, clock):
    service = make_service()
    service.sign_up(**FORM)
    token = service.log_in(**FORM)
    clock.pass_time(hours=36)
    with pytest.raises(SessionExpired):
        service.who_is(token)


def test_the_handlers_speak_http(make_service):
    service = make_service()
    assert post_sign_up(service, FORM).status == 201
    assert post_sign_up(service, FORM).status == 409
    assert post_login(service, {**FORM, "password": "wrong"}).status == 401
    assert post_login(service, {"address": FORM["address"]}).status == 400
    cookie = {COOKIE: post_login(service, FORM).cookies[COOKIE]}
    assert get_me(service, cookie).body == {"id": 1}
    assert post_log_out(service, cookie).status == 204
    assert get_me(service, cookie).status == 401
