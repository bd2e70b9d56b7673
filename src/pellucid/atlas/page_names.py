"""Names for pages, made of whatever they are about."""

_KEPT = "._@+-"
_LONGEST = 100


def page_name(*parts: str) -> str:
    """A name that a page may have, of texts of any letters: what is no plain letter or digit becomes `_`."""
    text = "-".join(parts)
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in _KEPT) else "_" for letter in text)
    return kept.lstrip(_KEPT + "_")[:_LONGEST] or "page"
