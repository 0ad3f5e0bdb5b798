"""Signatures agree with the reference implementation of Standard Webhooks, in both directions."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from taskdeck.domain.signature import is_signed, key_of, secret_from, sign

SECRET = secret_from("x" * 43)
OTHER = secret_from("y" * 43)
NOW = 1_795_000_000


def test_both_sign_alike() -> None:
    body = '{"ünïcode": "😀"}'
    reference = Webhook(SECRET).sign("msg_1", datetime.fromtimestamp(NOW, UTC), body)
    assert sign(SECRET, "msg_1", NOW, body.encode()) == reference


def test_a_signature_under_either_secret_holds() -> None:
    header = f"v1a,xx {sign(OTHER, 'm', NOW, b'{}')} {sign(SECRET, 'm', NOW, b'{}')}"
    assert is_signed(header, [SECRET], "m", NOW, b"{}")
    assert is_signed(sign(OTHER, "m", NOW, b"{}"), [SECRET, OTHER], "m", NOW, b"{}")


@pytest.mark.parametrize(
    ("message", "seconds", "body"), [("n", NOW, b"{}"), ("m", NOW + 1, b"{}"), ("m", NOW, b"{ }"), ("m.", NOW, b"{}")]
)
def test_what_was_changed_is_noticed(message: str, seconds: int, body: bytes) -> None:
    assert not is_signed(sign(SECRET, "m", NOW, b"{}"), [SECRET], message, seconds, body)


@pytest.mark.parametrize("header", ["", " ", "v1,", "v1", "v2," + "A" * 44, "v1,\udcff", "x" * 5000])
def test_what_is_no_signature_is_refused(header: str) -> None:
    assert not is_signed(header, [SECRET], "m", NOW, b"{}")


def test_a_signature_far_behind_is_not_looked_for() -> None:
    good = sign(SECRET, "m", NOW, b"{}")
    assert not is_signed(" ".join(["v1,x"] * 8 + [good]), [SECRET], "m", NOW, b"{}")


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", "whsec_####", "whsec_" + base64.b64encode(b"x" * 15).decode(), "QUJD" * 8,
     "whsec_" + base64.b64encode(b"x" * 257).decode()],
)  # fmt: skip
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        key_of(text)


def test_secrets_are_read_as_they_were_made() -> None:
    assert key_of(SECRET) == b"x" * 43
