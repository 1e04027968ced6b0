"""Settings of these tests: the first call of compiled code compiles it, so no example has a deadline."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
