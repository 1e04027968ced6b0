"""
R10: mail servers that are down, that refuse for now or for good, and that are lost before or after the content.

500 mails to as many members, by two senders at once that are also broken off at random points. In the end nothing waits;
whoever got a mail got it once; what is called sent arrived, what is called failed or cancelled did not, and only what is
called uncertain may have. Who withdrew while it waited gets nothing from that moment on.
"""

import random
import threading
from collections import Counter
from datetime import timedelta

import pytest

from contacts.mail_servers import ServerDown
from contacts.mailer import ATTEMPTS, LEASE, Post
from tests.contacts.mailing import House
from tests.mail_servers import Sink, listening
from tests.reliability.rotation import bound, says, seed_of_run, sizes

MAILS = 500
SENDERS = 2
WITHDRAWN = 10
MOODS = ("take", "later", "refuse", "cut", "lose", "later, all of it", "refuse, all of it")
WEIGHTS = (60, 8, 4, 8, 6, 4, 2)
BREAKS = 0.01
"""The share of looks at the clock, which precede every write, at which a sender is broken off."""
MOST_LOOKS = 10
"""Looks at the clock for each try of a mail: a sender that spins on what is not due looks without an end."""


class Broken(BaseException):
    """A sender was killed here."""


class Restless:
    """Servers that change their mind about the same recipient from try to try, and senders that break."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.busy = threading.Lock()
        self.breaking = False
        self.breaks = 0
        self.looks = 0
        self.moods: Counter[str] = Counter()

    def mood(self, _recipient: str) -> str:
        with self.busy:
            (mood,) = self.chance.choices(MOODS, WEIGHTS)
            self.moods[mood] += 1
            return mood

    def clock(self):
        with self.busy:
            self.looks += 1
            if self.breaking and self.chance.random() < BREAKS:
                self.breaks += 1
                raise Broken
            return self.house.now

    def send(self, post: Post, down: list[str]) -> None:
        try:
            post.drain()
        except ServerDown as error:
            down.append(str(error))
        except Broken:
            pass

    def round(self, sink: Sink) -> list[str]:
        """Let all senders send what is due, and let time pass; return how often the server was down."""
        down: list[str] = []
        posts = [self.house.post(sink.server, now=self.clock) for _ in range(SENDERS)]
        threads = [threading.Thread(target=self.send, args=(post, down)) for post in posts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.house.now += LEASE + timedelta(seconds=1)
        return down


class TestMail:
    @pytest.mark.parametrize("rounds", sizes(1))
    def test_drains_and_reaches_nobody_twice(self, sessions, tmp_path, publish, rounds):
        seed = seed_of_run()
        publish(says("R10", rounds, 1, seed=seed))
        house = House(sessions, tmp_path)
        people = house.enrol(*(f"p{number:04}" for number in range(MAILS * len(rounds))))
        for person in people:
            house.decide(person, granted=True)
            house.queue(person, purpose="offers", source="campaign 1")
            # The same once more: a campaign that is run again.
            assert house.queue(person, purpose="offers", source="campaign 1") is None
        restless = Restless(house, seed)
        sink = Sink(mood=restless.mood)
        with listening(sink):
            pass
        assert len(restless.round(sink)) == SENDERS
        restless.breaking = True
        house.now += timedelta(minutes=1)
        for person in people[:WITHDRAWN]:
            house.decide(person, granted=False)
        with listening(sink):
            for _ in range(60 * ATTEMPTS):
                if not house.count("outgoing_mail where state in ('queued', 'sending')"):
                    break
                restless.round(sink)
        tries = restless.moods.total()
        ends = Counter(house.states())
        assert not {"queued", "sending"} & set(ends), ends
        assert set(sink.taken.values()) <= {1}
        for mail in house.mails():
            arrived = sink.taken[mail.recipient]
            assert {"sent": arrived == 1, "uncertain": True}.get(mail.state, arrived == 0), mail
        assert ends["cancelled"] == WITHDRAWN
        told = house.count("contact where kind = 'mail'")
        # A sender that was killed after handing over tells nobody; the mail itself stays as uncertain.
        assert ends["sent"] <= told <= ends["sent"] + ends["uncertain"]
        publish(
            f"R10: {dict(ends)}; servers {dict(restless.moods)}; senders broken off {restless.breaks} times; "
            f"{restless.looks} looks at the clock in {tries} tries; {bound(len(people))}"
        )
        assert tries <= len(people) * ATTEMPTS
        assert restless.looks <= tries * MOST_LOOKS
