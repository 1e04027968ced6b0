"""The customers' own pages: what they show to whom, what they change, and what of others stays closed."""

import hashlib
import json
import re
from io import BytesIO
from ipaddress import ip_network
from uuid import uuid4

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import func, insert, select, update

from basket_analysis.models import MemberOffers
from campaigns import decisions
from catalogs.models import CatalogCopy
from contacts.models import OutgoingMail, Reaction
from core import clock
from core.database import make_engine, make_sessions
from core.i18n import LANGUAGES
from core.ids import uuid7
from core.models import AuditEvent
from customers.models import Consent, Member, MemberStanding
from rewards.vouchers.batches import Batch, put_batch
from rewards.vouchers.issue import issue_vouchers
from sales.models import ArticleStock
from tests.reliability.rotation import SOAK_TIMEOUT, TIMES, turn
from tests.web.conftest import Visitor, settings_for
from tests.web.customers.test_sign_in import codes_in
from tests.web.house import ARTICLES, CARDS, furnish
from tests.web.mutated_forms import FormMutator
from tests.web.test_guard import routes
from tests.web.test_member_standing import STANDING
from web.codes_shown import square_of, voucher_code
from web.customers.consent_words import TEXT_VERSION
from web.guard import CUSTOMER_COOKIE
from web.roles import ANYBODY, CUSTOMER, ROUTES, may
from wsgi import create_app

HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"
OFTEN = [0]


def a_pdf(words: str) -> bytes:
    """Return a document of one page."""
    pdf, buffer = pikepdf.new(), BytesIO()
    pdf.add_blank_page(page_size=(200, 300))
    pdf.docinfo["/Title"] = words
    pdf.save(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def engine(make_database):
    engine = make_engine(make_database())
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def my_app(engine, tmp_path_factory):
    return create_app(make_sessions(engine), settings_for(tmp_path_factory.mktemp("my")))


@pytest.fixture(scope="module")
def sessions(my_app):
    return my_app.extensions["web"].sessions


@pytest.fixture(scope="module")
def my_house(my_app, sessions):
    """A house whose night ranked offers, with catalogs in the archive and vouchers on an account."""
    house, now = furnish(my_app, sessions), clock.now()
    data = my_app.extensions["web"].data
    with sessions.begin() as session:
        for article_id in house.articles.values():
            session.execute(
                insert(ArticleStock).values(store_id=1, article_id=article_id, quantity=100, counted_at=now)
            )
        for member_id in house.members[:2]:
            session.execute(
                insert(MemberOffers).values(
                    run_id=house.run_id,
                    member_id=member_id,
                    kind="all",
                    article_ids=[house.articles[sku] for sku, *_rest in ARTICLES],
                    scores=[0.9, 0.8, 0.7],
                    reasons=[OFTEN] * 3,
                )
            )
        for number, member_id in enumerate(house.members[1:], 2):
            session.execute(
                insert(CatalogCopy).values(
                    copy_id=uuid7(),
                    copy_code=f"C-00000{number}",
                    edition_id=house.edition_id,
                    member_id=member_id,
                    store_id=1,
                    language="cs",
                    path=f"catalogs/C-00000{number}.pdf",
                    sha256=b"0" * 32,
                    size=1,
                    pages=1,
                    picks=[],
                    made_at=now,
                )
            )
        (data / "catalogs").mkdir(exist_ok=True)
        for row in session.scalars(select(CatalogCopy)):
            document = a_pdf(row.copy_code)
            (data / row.path).write_bytes(document)
            session.execute(
                update(CatalogCopy)
                .where(CatalogCopy.copy_id == row.copy_id)
                .values(
                    sha256=hashlib.sha256(document).digest(),
                    size=len(document),
                    pages=1,
                    channel="email",
                    version=CatalogCopy.version + 1,
                )
            )
        for code, symbology in (("BARS50", "code128"), ("SQUARE", "qr")):
            batch = Batch(
                code,
                {"en": f"Voucher {code}", "cs": f"Poukaz {code}"},
                value_amount=5000,
                currency="CZK",
                minimum_amount=20000,
                valid_days=30,
                symbology=symbology,
            )
            put_batch(session, batch, actor="test", now=now)
        account = session.scalar(select(Member.account_id).where(Member.member_id == house.members[0]))
        for code in ("BARS50", "SQUARE"):
            issue_vouchers(
                session, batch_code=code, today=now.date(), now=now, actor="test", account_id=account
            )
        session.execute(update(Member).where(Member.member_id == house.members[1]).values(given_name=HOSTILE))
        # The tests read English pages, whichever of them runs first.
        session.execute(update(Member).values(language="en"))
    return house


_houses = ip_network("10.0.0.0/8").hosts()


@pytest.fixture
def customer(my_app, my_house, sessions):
    """Return a function that opens the browser of a customer who has signed in."""

    def open_browser(number: int = 0) -> Visitor:
        visitor = Visitor(my_app.test_client())
        # Every browser stands in a house of its own, so that nobody waits for another test.
        place = {"REMOTE_ADDR": str(next(_houses))}
        visitor.client.environ_base |= place
        visitor.post("/my/sign-in", {"card_number": CARDS[number]}, page="/my/sign-in")
        with sessions() as session:
            mail = session.scalars(
                select(OutgoingMail)
                .where(
                    OutgoingMail.kind == "sign_in_code", OutgoingMail.member_id == my_house.members[number]
                )
                .order_by(OutgoingMail.queued_at.desc())
                .limit(1)
            ).one()
        answer = visitor.post("/my/code", {"code": codes_in(mail)[0]}, page="/my/code")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return visitor

    return open_browser


def text_of(visitor: Visitor, address: str) -> str:
    answer = visitor.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.get_data(as_text=True)


def offers_on(page: str) -> list[str]:
    return re.findall(r'<h3 id="offer-\d+">(.*?)</h3>', page)


def answer_offer(visitor: Visitor, name: str, reaction: str, scope: str = "item", **options):
    page = text_of(visitor, "/my/")
    place = page.index(f">{name}</h3>")
    address = re.search(r'action="(/my/offers/[^"]+)"', page[place:]).group(1)
    form = {"reaction": reaction, "scope": scope}
    return visitor.post(address, form, page="/my/choices", **options)


HX = {"HX-Request": "true", "HX-Target": "offers"}


class TestEveryRoute:
    def test_of_their_own_lets_customers_in(self, my_app, customer):
        visitor = customer()
        for endpoint, address in routes(my_app, "GET", customers=True):
            assert visitor.get(address).status_code in {200, 404}, endpoint

    def test_of_the_people_lets_in_no_customer(self, my_app, customer):
        """Even with the customer's token under the people's name."""
        visitor = customer()
        token = visitor.client.get_cookie(CUSTOMER_COOKIE, path="/my").value
        visitor.client.set_cookie("regulars_session", token)
        form = {"csrf_token": visitor.token("/my/choices")}
        for endpoint, address in routes(my_app, "GET"):
            if ROUTES[endpoint] != ANYBODY:
                answer = visitor.get(address)
                assert answer.headers.get("Location", "").startswith("/sign-in"), endpoint
                assert not may(CUSTOMER, endpoint)
        for endpoint, address in routes(my_app, "POST"):
            if ROUTES[endpoint] != ANYBODY:
                answer = visitor.client.post(address, data=form)
                assert answer.headers.get("Location", "").startswith("/sign-in"), endpoint

    def test_that_changes_something_wants_the_page_s_token(self, my_app, customer):
        visitor = customer()
        token = visitor.token("/my/choices")
        for endpoint, address in routes(my_app, "POST", customers=True):
            assert visitor.client.post(address).status_code == 403, endpoint
            assert visitor.client.post(address, data={"csrf_token": "x" * 43}).status_code == 403, endpoint
            foreign = visitor.client.post(
                address, data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"}
            )
            assert foreign.status_code == 403, endpoint

    def test_carries_the_headers_that_keep_browsers_strict(self, my_app, customer):
        visitor = customer()
        for method in ("GET", "POST"):
            for endpoint, address in routes(my_app, method, customers=True):
                headers = visitor.client.open(address, method=method, buffered=True).headers
                assert "default-src 'none'" in headers["Content-Security-Policy"], endpoint
                assert "unsafe" not in headers["Content-Security-Policy"], endpoint
                assert headers["X-Content-Type-Options"] == "nosniff", endpoint
                assert headers["X-Frame-Options"] == "DENY", endpoint
                if not endpoint.endswith("cover"):
                    assert headers["Cache-Control"] == "no-store", endpoint

    def test_reads_in_four_languages(self, my_app, customer, sessions, my_house):
        visitor = customer()
        titles = set()
        for language in LANGUAGES:
            visitor.post("/my/choices/preferences", {"language": language}, page="/my/choices")
            for endpoint, address in routes(my_app, "GET", customers=True):
                assert f'lang="{language}"' in visitor.get(address).get_data(as_text=True) or (
                    endpoint.endswith(("export", "cover", "download"))
                ), endpoint
            titles.add(re.search(r"<h1>(.*?)</h1>", text_of(visitor, "/my/vouchers/")).group(1))
        assert len(titles) >= 3
        with sessions.begin() as session:
            session.execute(update(Member).values(language="en"))


class TestSomebodyElses:
    def test_things_are_not_there(self, customer, my_house, sessions):
        visitor = customer(0)
        with sessions() as session:
            foreign = session.scalar(
                select(CatalogCopy.copy_id).where(CatalogCopy.member_id == my_house.members[1])
            )
        day, receipt_id = my_house.receipts["S2"]
        for address in (
            f"/my/catalogs/{foreign}.pdf",
            f"/my/catalogs/{foreign}.png",
            f"/my/history/{day}/{receipt_id}",
            f"/my/history/nonsense/{receipt_id}",
        ):
            answer = visitor.get(address)
            assert answer.status_code == 404, address
            assert "This page is not here" in answer.get_data(as_text=True)
        assert customer(1).get(f"/my/history/{day}/{receipt_id}").status_code == 200

    def test_offers_and_answers_cannot_be_touched(self, customer, my_house, sessions):
        answer_offer(customer(1), "Med 500 g", "never")
        with sessions() as session:
            theirs = session.scalars(
                select(Reaction).where(Reaction.member_id == my_house.members[1])
            ).first()
        visitor = customer(0)
        form = {"reaction": "never", "scope": "item"}
        for address, sent in (
            (f"/my/offers/{theirs.decision_id}", form),
            (f"/my/offers/{uuid4()}", form),
            (f"/my/told/{theirs.reaction_id}", {}),
            ("/my/told/999999", {}),
        ):
            assert visitor.post(address, sent, page="/my/choices").status_code == 404, address
        assert customer(1).post(f"/my/told/{theirs.reaction_id}", page="/my/choices").status_code == 303

    def test_names_and_purchases_in_a_household_stay_theirs(self, customer, my_house, sessions):
        """Points are shared, and who shares them is said; what another bought is not."""
        with sessions.begin() as session:
            own, other = my_house.members[0], my_house.members[2]
            before = session.scalar(select(Member.account_id).where(Member.member_id == other))
            shared = select(Member.account_id).where(Member.member_id == own).scalar_subquery()
            session.execute(update(Member).where(Member.member_id == other).values(account_id=shared))
        visitor = customer(2)
        day, receipt_id = my_house.receipts["S1"]
        assert visitor.get(f"/my/history/{day}/{receipt_id}").status_code == 404
        assert "Žofie" in text_of(visitor, "/my/choices")
        assert f"/my/history/{day}/{receipt_id}" not in text_of(visitor, "/my/history/points")
        assert str(receipt_id) not in text_of(visitor, "/my/history/")
        with sessions.begin() as session:
            session.execute(update(Member).where(Member.member_id == other).values(account_id=before))


class TestHome:
    def test_tells_points_tier_card_offers_vouchers_and_catalog(self, customer):
        page = text_of(customer(), "/my/")
        assert "Hello Žofie" in page
        assert "2 990000 000019" in page
        assert len(offers_on(page)) >= 2
        assert "Voucher BARS50" in page
        assert re.search(r'src="/my/catalogs/[0-9a-f-]+\.png"', page)

    def test_shows_a_hostile_name_as_text(self, customer):
        visitor = customer(1)
        for address in ("/my/", "/my/choices", "/my/card"):
            page = text_of(visitor, address)
            assert "<script>alert" not in page
            assert "&lt;script&gt;alert(1)" in page
            assert "{{7*7}}" in page

    def test_records_what_was_offered(self, customer, sessions, my_house):
        text_of(customer(), "/my/")
        with sessions() as session:
            found = session.connection().exec_driver_sql(
                "select count(*) from decision where channel = 'account'"
            )
            assert found.scalar() >= 2


class TestAnswers:
    def test_of_never_take_the_offer_away_at_once_and_back_again(self, customer):
        visitor = customer()
        assert "Čaj 40 g" in offers_on(text_of(visitor, "/my/"))
        part = answer_offer(visitor, "Čaj 40 g", "never", headers=HX).get_data(as_text=True)
        assert "<html" not in part
        assert "Čaj 40 g: not offered to you any more, in no channel." in part
        assert "Čaj 40 g" not in offers_on(part)
        assert "Čaj 40 g" not in offers_on(text_of(visitor, "/my/"))
        address = re.search(r'action="(/my/told/\d+)"', part).group(1)
        back = visitor.post(address, {"back": "offers"}, page="/my/choices", headers=HX)
        assert "Čaj 40 g" in offers_on(back.get_data(as_text=True))
        assert "Čaj 40 g" in offers_on(text_of(visitor, "/my/"))

    def test_work_without_scripts(self, customer):
        visitor = customer()
        answer = answer_offer(visitor, "Čaj 40 g", "not_now")
        assert answer.status_code == 303
        page = text_of(visitor, answer.headers["Location"])
        assert "Čaj 40 g: not offered to you until" in page
        address = re.search(r'action="(/my/told/\d+)"', page).group(1)
        assert visitor.post(address, {"back": "offers"}, page="/my/choices").status_code == 303
        assert "Čaj 40 g" in offers_on(text_of(visitor, "/my/"))

    def test_about_a_kind_and_about_everything_reach_as_far_as_they_say(self, customer):
        visitor = customer()
        answer_offer(visitor, "Med 500 g", "never", "category")
        assert "Med 500 g" not in offers_on(text_of(visitor, "/my/"))
        answer_offer(visitor, "Čaj 40 g", "never", "all")
        page = text_of(visitor, "/my/")
        assert offers_on(page) == []
        assert "You get no offers from us any more, in no channel." in page
        told = text_of(visitor, "/my/told")
        assert "Everything of the kind Honey: not offered to you any more" in told
        for address in re.findall(r'action="(/my/told/\d+)"', told):
            visitor.post(address, page="/my/choices")
        assert len(offers_on(text_of(visitor, "/my/"))) >= 2
        assert "Nothing refused" in text_of(visitor, "/my/told")

    def test_that_nobody_can_give_are_refused(self, customer):
        visitor = customer()
        for form in ({"reaction": "taken_back"}, {"reaction": "never", "scope": "galaxy"}, {}):
            assert visitor.post(f"/my/offers/{uuid4()}", form, page="/my/choices").status_code == 422

    @pytest.mark.parametrize("odd", ["a\0b", "x" * 5_000, "9" * 5_000], ids=["nul", "long", "number"])
    def test_and_everything_else_that_no_page_sends_breaks_nothing(self, my_app, customer, odd):
        visitor = customer(2)
        names = (
            "reaction",
            "scope",
            "back",
            "next",
            "purpose",
            "channel",
            "theme",
            "language",
            "card_number",
            "code",
        )
        form = dict.fromkeys(names, odd)
        for number in (2**63, 10**40):
            assert visitor.post(f"/my/told/{number}", form, page="/my/choices").status_code == 404
        assert visitor.get("/my/", query_string={"answered": odd}).status_code == 200
        for endpoint, address in routes(my_app, "GET", customers=True):
            assert visitor.get(address, query_string=form).status_code < 500, endpoint
        for endpoint, address in routes(my_app, "POST", customers=True):
            if endpoint not in {"my_door.sign_out", "my_choices.profiling"}:
                assert visitor.post(address, form, page="/my/choices").status_code < 500, endpoint

    def test_are_taken_back_once(self, customer):
        visitor = customer()
        part = answer_offer(visitor, "Čaj 40 g", "never", headers=HX).get_data(as_text=True)
        address = re.search(r'action="(/my/told/\d+)"', part).group(1)
        assert visitor.post(address, page="/my/choices").status_code == 303
        assert visitor.post(address, page="/my/choices").status_code == 409


class TestCatalogs:
    @pytest.fixture(autouse=True)
    def in_english(self, sessions, my_house):
        with sessions.begin() as session:
            session.execute(update(Member).values(language="en"))

    def test_are_sent_as_they_lie_in_the_archive(self, customer, my_house, sessions):
        visitor = customer()
        answer = visitor.get(f"/my/catalogs/{my_house.copy_id}.pdf")
        with sessions() as session:
            copy = session.get(CatalogCopy, my_house.copy_id)
        assert hashlib.sha256(answer.data).digest() == copy.sha256
        assert answer.headers["Content-Type"] == "application/pdf"
        assert copy.copy_code in answer.headers["Content-Disposition"]
        cover = visitor.get(f"/my/catalogs/{my_house.copy_id}.png")
        assert Image.open(BytesIO(cover.data)).width == 420
        assert len(pypdfium2.PdfDocument(answer.data)) == 1

    def test_that_were_changed_are_not_sent(self, customer, my_house, my_app, sessions):
        with sessions() as session:
            path = my_app.extensions["web"].data / session.get(CatalogCopy, my_house.copy_id).path
        kept = path.read_bytes()
        path.write_bytes(kept + b" ")
        assert customer().get(f"/my/catalogs/{my_house.copy_id}.pdf").status_code == 404
        path.write_bytes(kept)

    def test_that_wait_are_not_shown_once_something_is_refused(self, customer, my_house, sessions):
        """Until they are made again without it; what was sent before stays as it was."""
        visitor, address = customer(1), "/my/catalogs/"
        assert text_of(visitor, address).count(".pdf") >= 1
        part = answer_offer(visitor, "Čaj 40 g", "never", headers=HX).get_data(as_text=True)
        for page in (address, "/my/"):
            assert ".pdf" not in text_of(visitor, page)
            assert "It is being made again, without what you do not want." in text_of(visitor, page)
        withdraw = re.search(r'action="(/my/told/\d+)"', part).group(1)
        with sessions.begin() as session:
            session.execute(
                update(CatalogCopy)
                .where(CatalogCopy.member_id == my_house.members[1])
                .values(state="sent", sent_at=clock.now())
            )
        assert ".pdf" in text_of(visitor, address)
        visitor.post(withdraw, page="/my/choices")

    def test_that_were_only_tried_are_nobody_s(self, customer, my_house, sessions):
        with sessions.begin() as session:
            session.execute(
                update(CatalogCopy).where(CatalogCopy.member_id == my_house.members[2]).values(channel=None)
            )
        assert "No catalog yet" in text_of(customer(2), "/my/catalogs/")

    def test_that_were_opened_are_recorded(self, customer, my_house, sessions):
        customer().get(f"/my/catalogs/{my_house.copy_id}.pdf")
        with sessions() as session:
            events = session.scalars(select(AuditEvent).where(AuditEvent.actor == "member M0")).all()
        assert "catalog.download" in {event.action for event in events}


class TestVouchers:
    def test_show_codes_that_a_scanner_reads(self, customer, sessions):
        """The bars and squares are drawn from the very paths that the page holds."""
        page = text_of(customer(), "/my/vouchers/")
        drawn = re.findall(r'<svg(?: class="is-square")? viewBox="([^"]+)".*?<path d="([^"]+)"/>', page)
        assert len(drawn) == 2
        read = set()
        for box, path in drawn:
            left, top, width, height = map(int, box.split())
            across, down = 4, 4 if height > 1 else 80
            image = Image.new("L", (width * across, height * down), 255)
            for x, y, wide in re.findall(r"M(-?\d+) (-?\d+)h(\d+)v1", path):
                spot = ((int(x) - left) * across, (int(y) - top) * down)
                image.paste(0, (*spot, spot[0] + int(wide) * across, spot[1] + down))
            read |= {found.text for found in zxingcpp.read_barcodes(image, try_downscale=False)}
        with sessions() as session:
            issued = set(session.connection().exec_driver_sql("select voucher_code from voucher").scalars())
        assert read == issued

    def test_are_drawn_as_a_square_where_bars_cannot_be(self):
        assert voucher_code("žluťoučký", "code128").square
        assert not voucher_code("ABCD1234", "code128").square
        assert square_of("ABCD1234").spaced == "ABCD 1234"


class TestChoices:
    def decide(self, visitor: Visitor, granted: str, channel: str = "email"):
        form = {"purpose": "offers", "channel": channel, "granted": granted}
        return visitor.post("/my/choices/consent", form, page="/my/choices")

    def test_are_kept_with_the_words_the_place_and_the_moment(self, customer, my_house, sessions):
        visitor = customer()
        for granted in ("no", "yes"):
            assert self.decide(visitor, granted).status_code == 303
        with sessions() as session:
            rows = session.scalars(
                select(Consent).where(Consent.member_id == my_house.members[0]).order_by(Consent.consent_id)
            ).all()
        assert [(row.granted, row.source, row.text_version) for row in rows[-2:]] == [
            (False, "account", TEXT_VERSION),
            (True, "account", TEXT_VERSION),
        ]

    def test_that_nobody_asked_for_are_refused(self, customer):
        visitor = customer()
        for form in (
            {"purpose": "catalog", "channel": "sms", "granted": "yes"},
            {"purpose": "everything", "channel": "email"},
        ):
            assert visitor.post("/my/choices/consent", form, page="/my/choices").status_code == 422

    def test_of_e_mail_need_the_address_that_the_code_went_to(self, customer, my_house, sessions):
        visitor = customer(2)
        with sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_id == my_house.members[2]).values(email="new@example.org")
            )
        before = self.count(sessions, my_house)
        self.decide(visitor, "yes")
        assert self.count(sessions, my_house) == before
        self.decide(visitor, "no")
        assert self.count(sessions, my_house) == before + 1

    @staticmethod
    def count(sessions, house) -> int:
        with sessions() as session:
            return session.scalar(select(func.count()).where(Consent.member_id == house.members[2])) or 0

    def test_may_be_an_objection_and_its_end(self, customer, my_house, sessions):
        visitor = customer()

        def objected() -> bool:
            with sessions() as session:
                return session.get(Member, my_house.members[0]).profiling_objected_at is not None

        visitor.post("/my/choices/profiling", {"decision": "object"}, page="/my/choices")
        assert objected()
        assert offers_on(text_of(visitor, "/my/")) == []
        visitor.post("/my/choices/profiling", {"decision": "withdraw"}, page="/my/choices")
        assert not objected()

    def test_hold_what_was_concluded_and_what_was_said(self, customer, my_house, sessions):
        with sessions.begin() as session:
            seen = {"run_id": my_house.run_id, "member_id": my_house.members[0]}
            session.execute(insert(MemberStanding).values(**seen, **STANDING))
        visitor = customer()
        text_of(visitor, "/my/")
        answer = visitor.get("/my/everything.json")
        found = json.loads(answer.data)
        assert found["group"]["name"] == "Tea and honey"
        assert [offer["sku"] for offer in found["ranked"]["all"]] == [sku for sku, *_rest in ARTICLES]
        assert found["ranked"]["all"][0]["reason"]["kind"] == "often"
        offered = next(one for one in found["offered"] if one["channel"] == "account")
        assert offered["score"] is not None
        assert offered["reason"]
        assert found["phase_and_value"]["phase"] == "growing"
        assert found["phase_and_value"]["value_class"] == "potential"
        codes = [mail for mail in found["mails"] if mail["kind"] == "sign_in_code"]
        assert codes
        assert {mail["text"] for mail in codes} == {None}

    def test_hold_everything_about_oneself_and_nothing_of_others(self, customer, my_house):
        answer = customer().get("/my/everything.json")
        found = json.loads(answer.data)
        assert answer.headers["Content-Disposition"] == 'attachment; filename="M0.json"'
        assert found["member"]["email"] == "member0@example.org"
        assert found["receipts"][0]["lines"][0]["name"]
        assert found["points"]
        assert found["consents"]
        assert {voucher["voucher"]["batch_code"] for voucher in found["vouchers"]} == {"BARS50", "SQUARE"}
        text = answer.get_data(as_text=True)
        assert "member1@example.org" not in text
        assert str(my_house.members[1]) not in text


# The last of the file: what mutated forms happen to say of the customer, such as an objection, stands from then on.
class TestMutatedRequests:
    def breaks_nothing(self, my_app, customer, publish, count):
        visitor = customer()
        token = visitor.token("/my/choices")
        mine = [
            (endpoint, method, address)
            for method in ("GET", "POST")
            for endpoint, address in routes(my_app, method, customers=True)
            if endpoint != "my_door.sign_out"
        ]
        publish(f"S1 customers' pages: {count} requests to {len(mine)} routes, seed {turn()}")
        broken = []
        for endpoint, method, address, rest in FormMutator(turn()).requests(mine, count):
            body = dict(rest)
            if str(body.get("content_type", "")).endswith("urlencoded"):
                body["data"] = f"csrf_token={token}&{body['data']}"
            answer = visitor.client.open(address, method=method, buffered=True, **body)
            if answer.status_code >= 500:
                broken.append((endpoint, method, address[:200], str(rest)[:200]))
        assert broken == []

    def test_break_nothing(self, my_app, customer, publish):
        self.breaks_nothing(my_app, customer, publish, 150)

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_break_nothing_by_the_ten_thousand(self, my_app, customer, publish):
        self.breaks_nothing(my_app, customer, publish, max(150, round(10_000 * TIMES)))


class TestWhileNobodyCanSay:
    """The database is slow or away for a moment: what fits is not known, which is not the same as nothing."""

    @pytest.fixture(autouse=True)
    def at_rest(self, my_app, my_house, sessions, monkeypatch):
        # Longer than any page takes on a busy machine.
        monkeypatch.setattr(decisions, "FIRST_PAUSE", 600.0)
        with sessions.begin() as session:
            session.execute(update(Member).values(language="en"))
        with my_app.extensions["web"].sessions() as session:
            decisions.pause(session)
            yield
            decisions.ask_again(session)

    def test_the_home_page_says_so_and_offers_nothing(self, customer, my_house):
        page = text_of(customer(0), "/my/")
        assert "We cannot look up right now what fits you" in page
        assert "Nothing today" not in page
        assert "Your points" in page

    def test_the_answer_to_an_offer_is_kept_all_the_same(self, customer, my_house, my_app):
        with my_app.extensions["web"].sessions() as session:
            decisions.ask_again(session)
            shown = text_of(customer(1), "/my/")
            decisions.pause(session)
        address = re.search(r'action="(/my/offers/[0-9a-f-]+)"', shown).group(1)
        form = {"reaction": "not_now", "scope": "item"}
        assert customer(1).post(address, form, page="/my/choices").status_code == 303
        assert "We cannot look up right now" in text_of(customer(1), "/my/")
