"""A customer signs in with the code from a real mail, refuses an offer, sees it gone, and takes that back."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from basket_analysis.models import MemberOffers
from contacts.mail_servers import MailServer
from contacts.mailbox import HOST, open_mailbox
from contacts.mailer import Post
from contacts.messages import Sender, sender_address
from contacts.unsubscribing import signing_key
from core import clock
from sales.models import ArticleStock
from tests.web.house import ARTICLES, CARDS, House

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def ranked(journey_app: Flask, journey_house: House) -> None:
    """What the night ranked for the customer, and that it lies in their store."""
    with journey_app.extensions["web"].sessions.begin() as session:
        articles = [journey_house.articles[sku] for sku, *_rest in ARTICLES]
        for article_id in articles:
            session.execute(
                insert(ArticleStock).values(
                    store_id=1, article_id=article_id, quantity=50, counted_at=clock.now()
                )
            )
        session.execute(
            insert(MemberOffers).values(
                run_id=journey_house.run_id,
                member_id=journey_house.members[2],
                kind="all",
                article_ids=articles,
                scores=[0.9, 0.8, 0.7],
                reasons=[[0]] * len(articles),
            )
        )


def mailed_code(app: Flask, folder: Path) -> str:
    """Send what waits in the outbox to a mailbox of this machine, and return the code that came."""
    web = app.extensions["web"]
    with open_mailbox(folder, port=0) as port, web.sessions() as session:
        sender = Sender(sender_address("Club <club@example.com>"), "", signing_key(session), web.data)
        Post(web.sessions, MailServer.at(f"smtp://{HOST}:{port}"), sender).drain()
    (newest,) = folder.glob("*member2@example.org.eml")
    mail = message_from_bytes(newest.read_bytes(), policy=policy.default)
    text = mail.get_body(("plain",)).get_content()
    return re.findall(r"^ *([0-9A-Z]{4}-[0-9A-Z]{4})\s*$", text, re.MULTILINE)[0]


class TestCustomer:
    def test_refuses_an_offer_and_takes_it_back_on_a_phone(
        self, page: Page, journey_app: Flask, journey_house: House, ranked: None, tmp_path: Path
    ):
        page.set_viewport_size(PHONE)
        page.goto("/my/")
        page.get_by_label("Number of your card").fill(CARDS[2])
        page.get_by_role("button", name="Send me a code").click()
        expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
        page.get_by_label("Code from the mail").fill(mailed_code(journey_app, tmp_path))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Dobrý den, Čeněk")
        page.get_by_role("link", name="Moje volby").click()
        page.get_by_role("button", name="English").click()
        page.get_by_role("link", name="Home").click()

        offers = page.locator("#offers")
        tea = offers.get_by_role("article", name="Čaj 40 g")
        expect(tea).to_be_visible()
        # By keyboard alone: the menu opens, and its first entry is chosen.
        tea.get_by_text("Never", exact=True).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(offers).to_contain_text("Čaj 40 g: not offered to you any more, in no channel.")
        expect(tea).to_have_count(0)
        page.reload()
        expect(offers.get_by_role("article", name="Čaj 40 g")).to_have_count(0)

        offers.get_by_role("link", name="What you told us").click()
        expect(page.get_by_role("main")).to_contain_text("Čaj 40 g: not offered to you any more")
        page.get_by_role("button", name="Take back: Čaj 40 g").click()
        expect(page.get_by_text("Taken back. It may be offered to you again.")).to_be_visible()
        page.get_by_role("link", name="Home").click()
        expect(offers.get_by_role("article", name="Čaj 40 g")).to_be_visible()

        # Right where it was given, too.
        offers.get_by_role("article", name="Čaj 40 g").get_by_role("button", name="Not now").click()
        expect(offers).to_contain_text("Čaj 40 g: not offered to you until")
        offers.get_by_role("button", name="Take back").click()
        expect(offers.get_by_role("article", name="Čaj 40 g")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Number of your card")).to_be_visible()
        page.goto("/my/told")
        expect(page).to_have_url(re.compile("/my/sign-in"))
