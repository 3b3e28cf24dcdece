"""Requests in, responses out; what the web framework's routes call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from accounts.errors import AccountError
from accounts.service import AccountService

COOKIE = "session"


@dataclass(frozen=True)
class Response:
    """A status, a JSON body and the cookies to set (None deletes one)."""

    status: int
    body: Mapping[str, object] = field(default_factory=dict)
    cookies: Mapping[str, str | None] = field(default_factory=dict)


Form = Mapping[str, str]


def answering(handler: Callable[[AccountService, Form], Response]):
    """Turn expected errors and missing fields into responses."""

    def answer(service: AccountService, form: Form) -> Response:
        try:
            return handler(service, form)
        except AccountError as error:
            return Response(error.status, {"error": str(error)})
        except KeyError as error:
            return Response(400, {"error": f"missing field {error}"})

    return answer


@answering
def post_sign_up(service: AccountService, form: Form) -> Response:
    """POST /sign-up"""
    user = service.sign_up(form["address"], form["password"])
    return Response(201, {"id": user.id, "address": user.address})


@answering
def post_login(service: AccountService, form: Form) -> Response:
    """POST /login"""
    token = service.log_in(form["address"], form["password"])
    return Response(200, {"ok": True}, cookies={COOKIE: token})


@answering
def get_me(service: AccountService, form: Form) -> Response:
    """GET /me"""
    return Response(200, {"id": service.who_is(form[COOKIE])})


@answering
def post_log_out(service: AccountService, form: Form) -> Response:
    """POST /log-out"""
    service.log_out(form[COOKIE])
    return Response(204, cookies={COOKIE: None})
