"""What a deployment may set; read once from the environment at a composition root."""

from dataclasses import dataclass
from pathlib import Path

from environs import Env, EnvError, validate

from core.errors import Refused


class BadSetting(Refused):
    """A variable of the environment does not hold what it is for."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how the process behaves."""

    database_url: str | None
    data: Path
    secret_key: str | None
    pool_size: int
    secure_cookies: bool
    night_hour: int
    """From this hour on the clock of `night_timezone` the night of the day before may run."""
    night_timezone: str | None
    """None means the zone that most stores are in."""
    smtp_url: str | None = None
    """The mail server; without one, mail waits in the outbox."""
    mail_from: str = "Regulars <regulars@localhost>"
    public_url: str | None = None
    """Where members reach the house from outside: mails link there."""
    proxies: int = 0
    """How many proxies of ours stand before the server, each adding the address it was asked from."""

    @classmethod
    def load(cls) -> "Settings":
        """
        Return the settings of this process' environment (names begin with REGULARS_, but DATABASE_URL, SMTP_URL and MAIL_FROM).

        Raises `BadSetting`, which names the variable.
        """
        try:
            return cls._read(Env())
        except EnvError as error:
            raise BadSetting(str(error)) from error

    @classmethod
    def _read(cls, env: Env) -> "Settings":
        return cls(
            database_url=env.str("DATABASE_URL", None),
            data=env.path("REGULARS_DATA", Path("data")),
            secret_key=env.str("REGULARS_SECRET_KEY", None),
            pool_size=env.int("REGULARS_POOL_SIZE", 6),
            secure_cookies=env.bool("REGULARS_SECURE_COOKIES", default=False),
            night_hour=env.int("REGULARS_NIGHT_HOUR", 3, validate=validate.Range(0, 23)),
            night_timezone=env.str("REGULARS_NIGHT_TIMEZONE", None),
            smtp_url=env.str("SMTP_URL", None),
            mail_from=env.str("MAIL_FROM", "Regulars <regulars@localhost>"),
            public_url=env.str("REGULARS_PUBLIC_URL", None),
            proxies=env.int("REGULARS_PROXIES", 0, validate=validate.Range(0, 9)),
        )
