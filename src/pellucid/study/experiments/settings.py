"""What the makers of an experiment tell people, and when they leave an answer out: `settings.toml`, to be edited."""

import tomllib
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import write_bytes


@dataclass(frozen=True)
class Consent:
    """The text that people agree to, paragraph by paragraph, and its version, which is kept with their consent."""

    version: str = "1"
    paragraphs: tuple[str, ...] = (
        "You will see pictures and say which of two a machine favors. This takes about 10 minutes.",
        "We keep your answers, how long they took, and whether you left the page, under a random name. If a platform "
        "sent you, we keep its name for you only as a fingerprint that cannot be read back.",
        "Taking part is voluntary: you may close the page at any moment. With the withdrawal code shown at the end you "
        "can have your answers deleted.",
    )


@dataclass(frozen=True)
class Completion:
    """The code and the link that end a visit, each for those who finished, did not fit, or did not consent."""

    done: str = ""
    screened_out: str = ""
    declined: str = ""
    done_link: str = ""
    screened_out_link: str = ""
    declined_link: str = ""


@dataclass(frozen=True)
class Exclusion:
    """Which people are left out: below or above any of these. None asks nothing.

    The defaults are those of Zimmermann et al. 2021. `side_variability` is how often each side must have been chosen at
    least in main trials.
    """

    catch_ratio: float | None = 0.6
    least_total_s: float | None = 90.0
    most_total_s: float | None = 900.0
    least_instruction_s: float | None = 15.0
    most_practice_rounds: int | None = 5
    side_variability: int | None = 1
    most_focus_losses: int | None = None
    duplicates: bool = True  # of one platform's person, all but the first are left out


@dataclass(frozen=True)
class Settings:
    """All of it. `minimum_window` is width and height in CSS pixels.

    After `most_practice_rounds` that were not all right a visit ends, with None never.
    """

    title: str = "Which picture does the machine favor?"
    contact: str = ""
    minimum_window: tuple[int, int] = (940, 600)
    most_practice_rounds: int | None = None
    minutes_until_free: float = 60.0  # a schedule whose person has been silent for so long may be given to another
    consent: Consent = field(default_factory=Consent)
    completion: Completion = field(default_factory=Completion)
    exclusion: Exclusion = field(default_factory=Exclusion)

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Read `settings.toml` of an experiment; without one all is as by default.

        Raises `StudyError` for what is no TOML, has an unknown key, or a value of another type.
        """
        path = folder / "settings.toml"
        if not path.is_file():
            return cls()
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise StudyError(f"{path} cannot be read: {error}") from error
        parts = {"consent": Consent, "completion": Completion, "exclusion": Exclusion}
        made = {name: _made(kind, content.pop(name, {}), path, name) for name, kind in parts.items()}
        return _made(cls, {**content, **made}, path, "")


def write_settings(folder: Path) -> None:
    """Write `settings.toml` with the defaults, each explained, unless there is one: what a person edited stays."""
    if not (folder / "settings.toml").exists():
        write_bytes(
            folder / "settings.toml", files("pellucid.study.experiments").joinpath("settings.toml").read_bytes()
        )


def _made(kind: Any, content: Any, path: Path, table: str) -> Any:
    where = f"[{table}] of {path}" if table else str(path)
    if not isinstance(content, dict):
        raise StudyError(f"{where} is not a table")
    defaults = kind()
    known = {one.name for one in fields(kind)}
    made = {}
    for name, value in content.items():
        if name not in known:
            raise StudyError(f"{where} has no setting {name!r}; it has {', '.join(sorted(known))}")
        off = value is False and "None" in str(kind.__annotations__[name])
        made[name] = None if off else _checked(value, getattr(defaults, name), f"{name} in {where}")
    return kind(**made)


def _checked(value: Any, default: Any, what: str) -> Any:
    if isinstance(default, tuple):
        if not isinstance(value, list) or (default and not all(_alike(one, default[0]) for one in value)):
            raise StudyError(f"{what} must be a list as {list(default)!r}, not {value!r}")
        return tuple(value)
    if not _alike(value, default):
        raise StudyError(f"{what} must be as {default!r}, not {value!r}")
    return value


def _alike(value: Any, default: Any) -> bool:
    if hasattr(default, "__dataclass_fields__"):
        return isinstance(value, type(default))
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if default is None or isinstance(default, int | float):
        return isinstance(value, int | float) and value >= 0
    return isinstance(value, type(default))
