"""Passes: short-lived tokens that stand for one of the keyring's, for clients that exchange theirs before they call.

A pass is a JSON Web Token (RFC 7519), signed with what the deck keeps of the token it stands for: nothing more is kept,
it outlasts a restart, and it falls with its token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from taskdeck.service.tokens import Keyring
from taskdeck.store.tokens import Token

DEFAULT_LIFE_S = 3_600
MAX_LIFE_S = 366 * 86_400
_ALGORITHM: Final = "HS256"
_REMEMBERED = 1_024


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass that was looked at: for which token, by which interface, until when (None: as long as the token)."""

    token: Token
    via: str
    expires_at: int | None

    def valid(self, now: int, via: str) -> bool:
        """Whether it opens the interface `via` at `now`."""
        return self.via == via and self.token.valid(now) and not self.expired(now)

    def expired(self, now: int) -> bool:
        return self.expires_at is not None and now >= self.expires_at


def issue(token: Token, via: str, now: int, life_s: float | None) -> str:
    """A pass for `token` that opens the interface `via` for so many seconds; None for as long as the token does."""
    import jwt  # it brings much, and few decks need it

    claims: dict[str, object] = {"sub": token.principal.name, "aud": via, "iat": now // 1000}
    if life_s is not None:
        claims["exp"] = int(now / 1000 + life_s)
    return jwt.encode(claims, token.hash, _ALGORITHM, {"kid": str(token.id)})


class Passes:
    """Tells which passes hold. What was found of one is remembered: its signature does not change."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._known: dict[str, Pass] = {}

    def find(self, text: str) -> Pass | None:
        """The pass of this text, expired or not; None if it is none of ours."""
        known = self._known.get(text)
        if known is None and text.count(".") == 2:
            known = self._read(text)
            if known is not None:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[text] = known
        return known

    def _read(self, text: str) -> Pass | None:
        import jwt

        try:
            kid = str(jwt.get_unverified_header(text).get("kid", ""))
            token = self._keyring.get(int(kid)) if kid.isascii() and kid.isdigit() and len(kid) < 19 else None
            if token is None:
                return None
            # times are looked at when it is used, by the deck's own clock
            claims = jwt.decode(
                text,
                token.hash,
                [_ALGORITHM],
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        expires = claims.get("exp")
        return Pass(token, str(claims.get("aud")), None if expires is None else int(expires) * 1000)
