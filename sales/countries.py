"""Countries as stores name them: by their code of ISO 3166-1 in capitals, or by any other name."""


def country_of(text: str | None) -> str | None:
    """
    Return the country that is meant, None where none is named.

    Two letters are a code, in whatever case they were typed: "cz" is "CZ", so that the stores of a country are those
    of one. Anything else is kept as it is, but for space around it.
    """
    named = (text or "").strip()
    if len(named) == 2 and named.isascii() and named.isalpha():
        return named.upper()
    return named or None
