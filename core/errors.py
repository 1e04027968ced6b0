"""The three families of "no"; concrete errors live beside the function that raises them."""


class RegularsError(Exception):
    """Base of everything that Regulars itself refuses; its text is one sentence for a person."""


class NotFound(RegularsError):  # noqa: N818 - a family name, read as "raise CardNotFound"
    """What was asked for does not exist."""


class Conflict(RegularsError):  # noqa: N818
    """The request was fine, but the state of things does not allow it."""


class Refused(RegularsError):  # noqa: N818
    """The request itself breaks a rule."""
