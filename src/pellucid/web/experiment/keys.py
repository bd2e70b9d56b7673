"""The secret of an experiment, and what is derived from it: tokens, withdrawal codes, and names of platforms' people.

It lies beside the experiment and not in the database: who has only the one cannot tell people from the other. Without
it, what is kept of a platform's name for a person cannot be found again.
"""

import base64
import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from pellucid.errors import StudyError

FILE = ".secret"
_BYTES = 32


class Keys:
    """What a secret makes of names; the same every time."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def of(cls, folder: Path) -> "Keys":
        """Those of the experiment in a folder, whose secret is made when there is none."""
        path = folder / FILE
        try:
            if not path.exists():
                _make(path)
            secret = path.read_bytes()
        except OSError as error:
            raise StudyError(f"cannot keep a secret in {path}: {error.strerror or error}") from error
        if len(secret) != _BYTES:
            raise StudyError(f"{path} is damaged: it has {len(secret)} bytes, not {_BYTES}")
        return cls(secret)

    def token(self, participant: str) -> str:
        """What a page proves with that it belongs to a participant."""
        return base64.urlsafe_b64encode(self._derived("token", participant)).decode().rstrip("=")

    def withdrawal(self, participant: str) -> str:
        """The code with which a participant can have the answers deleted: 100 bits, in groups of four."""
        letters = base64.b32encode(self._derived("withdrawal", participant)).decode()[:20]
        return "-".join(letters[at : at + 4] for at in range(0, 20, 4))

    def platform(self, person: str) -> str:
        """What is kept of a platform's name for a person."""
        return self._derived("platform", person).hex()

    def _derived(self, purpose: str, name: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}\0{name}".encode(), "sha256")


def hashed(text: str) -> str:
    """The sha256 of a token, key or code: of random ones it tells nothing."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain_code(code: str) -> str:
    """A withdrawal code as people may type it, as it was made."""
    letters = "".join(one for one in code.upper() if one.isascii() and one.isalnum())
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def _make(path: Path) -> None:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, secrets.token_bytes(_BYTES))
        os.fsync(file)
        with suppress(FileExistsError):  # another server was first: theirs holds
            os.link(temporary, path)
    finally:
        os.close(file)
        temporary.unlink(missing_ok=True)
