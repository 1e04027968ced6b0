"""The screens of offers: built by one person, tried on a basket, approved by another, stopped, moved as a file."""

import io
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from core import clock
from core.ids import uuid7
from core.models import AuditEvent
from loyalty.rehearsals.plans import ask_for_rehearsal, newest_open
from loyalty.rehearsals.rehearsing import run_rehearsal
from rewards.codec import read_offer
from rewards.models import OfferUse, OfferVersion
from rewards.offer_decisions import stop_offer
from rewards.offer_operations import import_document
from rewards.offer_uses import Place, Use, Using, use_offers
from rewards.offers import Limits
from sales.models import Store
from tests.web.conftest import Visitor

TEA = {"kind": "items", "select": {"categories": ["Tea"]}, "quantity": "1"}


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def form(code="TEA10", **changes):
    entered = {
        "do": "save",
        "code": code,
        "name.en": "Ten off tea",
        "name.cs": "Sleva na \N{LATIN SMALL LETTER C WITH CARON}aj",
        "condition.kind": "items",
        "condition.quantity": "1",
        "condition.select.categories": "Tea",
        "benefit.kind": "percent",
        "benefit.off": "10",
        "audience.who": "everyone",
        "stage": "article",
        "priority": "100",
        "stackable": "yes",
        "basket.0.sku": "10452",
        "basket.0.quantity": "2",
        "basket.1.sku": "20311",
        "basket.1.quantity": "1",
    }
    return {name: value for name, value in {**entered, **changes}.items() if value is not None}


def live(sessions, *offers):
    with sessions.begin() as session:
        document = {"format": 1, "offers": list(offers)}
        import_document(session, document=document, actor="test", now=clock.now(), live=True)


def offer(code, benefit=None, condition=None, **more):
    return {
        "code": code,
        "name": {"en": f"Offer {code}"},
        "condition": condition or TEA,
        "benefit": benefit or {"kind": "percent", "off": "10"},
        "audience": {"who": "everyone"},
        **more,
    }


def version_of(sessions, code):
    with sessions() as session:
        return session.scalars(
            select(OfferVersion).where(OfferVersion.offer_code == code).order_by(OfferVersion.version.desc())
        ).first()


def rehearse(sessions, code, data):
    """Rehearse the newest draft as the job does."""
    now = clock.now()
    with sessions.begin() as session:
        rehearsal_id = ask_for_rehearsal(
            session,
            offers=[newest_open(session, code)],
            first_day=now.date() - timedelta(days=1),
            following_day=now.date() + timedelta(days=1),
            store_ids=(1, 2),
            actor="test",
            now=now,
        )
    run_rehearsal(sessions, data=data, rehearsal_id=rehearsal_id, business_day=now.date())


def decide(visitor, address, decision, **more):
    page = visitor.get(address).get_data(as_text=True)
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    return visitor.post(
        f"{address}/decision", {"seen": seen.group(1) if seen else "", "decision": decision, **more}
    )


@pytest.fixture(scope="module")
def drafted(house, app, web_sessions):
    """A draft by marketing, entered as a person does."""
    visitor = Visitor(app.test_client())
    visitor.sign_in(house.people["marketing"])
    answer = visitor.post("/offers/new", form())
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["Location"]


@pytest.fixture(scope="module", autouse=True)
def leave_nothing_live(web_sessions):
    """Stop the offers of these tests: other tests look at the same house."""
    yield
    with web_sessions.begin() as session:
        for code in session.scalars(
            select(OfferVersion.offer_code).where(OfferVersion.state == "live")
        ).all():
            stop_offer(session, offer_code=code, actor="test", now=clock.now(), reason="the tests are over")


class TestPatterns:
    def test_lead_to_a_form_whose_sentence_is_ready(self, visit):
        visitor = visit("marketing")
        assert "Buy three, pay two" in text_of(visitor.get("/offers/new"))
        page = visitor.get("/offers/new?pattern=nth_free").get_data(as_text=True)
        assert (
            'name="condition.quantity" type="text" inputmode="decimal" autocomplete="off" class="in-line in-line-short" value="3"'
            in page
        )
        assert '<option value="nth" selected>' in page


class TestBuilder:
    def test_stores_exactly_what_was_entered(self, drafted, web_sessions):
        document = version_of(web_sessions, "TEA10").document
        assert document["condition"] == {**TEA, "select": {"categories": ["Tea"]}}
        assert document["benefit"] == {"kind": "percent", "off": "10"}
        assert document["audience"]["who"] == "everyone"
        assert read_offer(document).names["cs"].startswith("Sleva")

    def test_shows_each_line_to_the_cent_and_why_others_gave_nothing(self, visit, web_sessions):
        live(
            web_sessions,
            offer("HONEY3", condition={**TEA, "select": {"categories": ["Honey"]}, "quantity": "3"}),
        )
        page = text_of(visit("marketing").post("/offers/preview", form("NEW")))
        assert "A shopper who buys something from the category Tea gets a discount of 10%" in page
        assert "11.98" in page  # 10 % of twice 59.90
        assert "107.82" in page
        assert "HONEY3" in page
        assert "Worked out by the engine that the tills use" in page
        assert "Meets no other offer" in page

    def test_counts_what_is_used_of_budgets(self, visit, web_sessions):
        """The offer itself has used its budget up as its live version did; so have the others."""
        limited = form("TEAONCE") | {"limits.uses": "1"}
        assert "11.98" in text_of(visit("marketing").post("/offers/preview", limited))
        live(web_sessions, offer("TEAONCE", {"kind": "percent", "off": "10"}, limits={"uses": 1}))
        with web_sessions.begin() as session:
            use = Use("TEAONCE", 1, 1, 100, Limits(uses=1))
            store_id = session.scalars(select(Store.store_id).where(Store.store_code == "S1")).one()
            today = clock.now().date()
            using = Using(today, uuid7(), Place(store_id, 0, today), None, None, clock.now())
            use_offers(session, using=using, uses=[use], now=clock.now())
        page = text_of(visit("marketing").post("/offers/preview", limited))
        with web_sessions.begin() as session:
            stop_offer(session, offer_code="TEAONCE", actor="test", now=clock.now(), reason="over")
        assert "Used up" in page
        assert "11.98" not in page

    def test_says_pieces_in_the_reader_s_language(self, visit):
        marketing = visit("marketing")
        assert "pcs" in text_of(marketing.post("/offers/preview", form("NEW")))
        marketing.post("/account/preferences", {"language": "cs"})
        page = text_of(marketing.post("/offers/preview", form("NEW")))
        marketing.post("/account/preferences", {"language": "en"})
        assert "pcs" not in page
        assert re.search(r"\bks\b", page)

    def test_shows_the_till_s_words_in_every_language(self, visit):
        page = text_of(visit("marketing").post("/offers/preview", form("NEW")))
        assert "Ten off tea" in page
        assert "Sleva na" in page

    def test_tells_what_else_is_live_on_the_same_goods(self, visit, web_sessions):
        live(web_sessions, offer("TEA20", {"kind": "percent", "off": "20"}, exclusive_group="TEAS"))
        visitor = visit("marketing")
        assert "Both are given" in text_of(visitor.post("/offers/preview", form("NEW")))
        page = text_of(visitor.post("/offers/preview", form("NEW", exclusive_group="TEAS")))
        assert "a piece gets only one of the two" in page
        live(web_sessions, offer("TEA20", {"kind": "percent", "off": "20"}, stores=["S2"]))
        assert "Meets no other" in text_of(visitor.post("/offers/preview", form("NEW", stores="S1")))

    def test_keeps_what_was_entered_and_names_each_field(self, visit):
        answer = visit("marketing").post(
            "/offers/new",
            form("\N{LATIN SMALL LETTER A WITH ACUTE}", **{"benefit.off": "120", "condition.quantity": "0"}),
        )
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        for field in ("code", "benefit.off", "condition.quantity"):
            assert f'href="#{field}"' in page
            assert f'id="{field}-error"' in page
        assert 'value="120"' in page
        assert "Tea</label>" in page

    def test_maps_the_codec_s_pointer_to_its_field(self, visit):
        answer = visit("marketing").post("/offers/new", form("VOUCH", stage="voucher"))
        assert answer.status_code == 422
        assert 'id="stage-error"' in answer.get_data(as_text=True)

    def test_refuses_a_code_that_another_offer_has(self, visit, drafted):
        answer = visit("marketing").post("/offers/new", form("TEA10", **{"benefit.off": "30"}))
        assert answer.status_code == 422
        assert "There is an offer with this code" in text_of(answer)

    def test_grows_and_shrinks_without_javascript(self, visit):
        visitor = visit("marketing")
        page = visitor.post("/offers/new", form("SET", **{"do": "shape", "condition.kind": "all"})).get_data(
            as_text=True
        )
        assert 'name="condition.of.1.kind"' in page
        grown = form(
            "SET", **{"do": "add:condition.of", "condition.kind": "any", "condition.of.0.kind": "always"}
        )
        page = visitor.post("/offers/new", grown).get_data(as_text=True)
        assert 'name="condition.of.1.kind"' in page
        page = visitor.post("/offers/new", {**grown, "do": "remove:condition.of.0"}).get_data(as_text=True)
        assert 'name="condition.of.0.kind"' not in page
        page = text_of(visitor.post("/offers/new", form("SET", do="put:30777")))
        assert "Su\N{LATIN SMALL LETTER S WITH CARON}enky" in page
        page = text_of(visitor.post("/offers/new", form("SET", **{"do": "recent", "basket.0.sku": None})))
        assert "On this basket" in page

    def test_tries_it_on_a_basket_that_fits_as_long_as_nobody_changes_that(self, visit):
        def entered(page):
            fields = re.findall(r'name="(basket[.-][^"]*)"[^>]*? value="([^"]*)"', page)
            return {name: value for name, value in fields if name != "basket-q"}

        visitor = visit("marketing")
        plain = form("NEW", do="shape", **{"basket.0.sku": None, "basket.1.sku": None})
        page = visitor.post("/offers/preview", plain).get_data(as_text=True)
        basket = entered(page)
        assert basket["basket.0.sku"] == "10452"
        honey = form(
            "NEW", do="shape", **{"condition.select.categories": "Honey", "basket.1.sku": None} | basket
        )
        page = visitor.post("/offers/preview", honey).get_data(as_text=True)
        assert "20311" in entered(page).values(), "a basket with what it asks for now"
        changed = honey | {"basket.0.quantity": "7"}
        page = visitor.post("/offers/preview", changed).get_data(as_text=True)
        assert not entered(page), "what somebody put together stays as it is"

    def test_finds_goods_by_any_of_their_names(self, visit):
        visitor = visit("marketing")
        page = text_of(visitor.get("/offers/pick?path=condition.select&condition.select.q=hon"))
        assert "Category Honey" in page
        assert "1 article" in page
        page = text_of(visitor.get("/offers/pick?path=condition.select&condition.select.q=susen"))
        assert "Nothing is called that." in page or "Su" in page

    @pytest.mark.parametrize(
        ("searched", "said"),
        [
            ({"condition.select.q": "tea"}, "Tick what is meant by"),
            ({"condition.select.q": "no such goods"}, "Nothing is called"),
            ({"condition.select.categories": "Honey", "condition.select.q": "tea"}, "Tick what is meant by"),
            ({"benefit.on": "other", "benefit.select.q": "tea"}, "Tick what is meant by"),
            ({"condition.select.except.q": "tea"}, "Tick what is meant by"),
            ({"stores.q": "S1"}, "Tick what is meant by"),
        ],
    )
    def test_saves_nothing_while_a_search_has_words_that_nothing_is_ticked_for(
        self, visit, web_sessions, searched, said
    ):
        """What is typed would otherwise be forgotten, and the offer be for all goods or in all stores."""
        entered = form("TYPED") | {"condition.select.categories": ""} | searched
        field = next(name for name in searched if name.endswith(".q"))
        answer = visit("marketing").post("/offers/new", entered)
        assert answer.status_code == 422
        assert said in text_of(answer)
        assert f'id="{field}-error"' in answer.get_data(as_text=True)
        assert version_of(web_sessions, "TYPED") is None

    def test_says_at_the_search_itself_that_nothing_is_ticked(self, visit):
        entered = form("TYPED", **{"condition.select.categories": None, "condition.select.q": "tea"})
        page = visit("marketing").post("/offers/new", entered).get_data(as_text=True)
        assert page.index('id="condition.select.q-error"') < page.index('class="find-one"')

    def test_shows_no_effect_of_goods_that_nobody_ticked(self, visit):
        entered = form("TYPED", **{"condition.select.categories": None, "condition.select.q": "tea"})
        page = text_of(visit("marketing").post("/offers/preview", entered))
        assert "Not a whole offer yet" in page

    def test_shows_the_effect_of_an_offer_that_has_no_name_yet(self, visit, web_sessions):
        """The name comes last in the form: what an offer does can be seen before."""
        nameless = form("", **{"name.en": None, "name.cs": None})
        page = text_of(visit("marketing").post("/offers/preview", nameless))
        assert "from the category Tea gets a discount of 10%" in page
        assert "Name the offer in at least one language" in page
        assert "This offer: \N{MINUS SIGN}CZK" in page
        assert "UNNAMED" not in page
        assert "What the customer reads" not in page

    def test_drafts_nothing_that_has_no_name(self, visit, web_sessions):
        answer = visit("marketing").post("/offers/new", form("", **{"name.en": None, "name.cs": None}))
        assert answer.status_code == 422
        assert "Name the offer in at least one language" in text_of(answer)
        assert version_of(web_sessions, "UNNAMED") is None

    def test_says_which_amount_is_to_be_entered(self, visit):
        entered = form("WHICH", **{"condition.kind": "value", "benefit.kind": "amount", "benefit.off": ""})
        page = text_of(visit("marketing").post("/offers/preview", entered))
        assert "Enter the amount from which on it holds" in page
        assert "Enter how much is taken off" in page

    def test_keeps_the_words_of_a_search_that_something_was_ticked_for(self, visit):
        entered = form("TYPED", **{"condition.select.q": "tea"})
        assert "discount of 10%" in text_of(visit("marketing").post("/offers/preview", entered))

    def test_gives_a_sign_of_life_while_it_searches(self, visit):
        page = visit("marketing").get("/offers/new?pattern=nth_free").get_data(as_text=True)
        searches = re.findall(r"<input[^>]*hx-get[^>]*/offers/pick[^>]*>", page)
        assert searches
        assert all('hx-indicator="closest .find"' in one for one in searches)

    def test_begins_a_new_version_from_what_is_live(self, visit, web_sessions):
        live(web_sessions, offer("AGAIN"))
        visitor = visit("marketing")
        assert 'value="10"' in visitor.get("/offers/AGAIN/edit").get_data(as_text=True)
        same = visitor.post(
            "/offers/AGAIN/edit", form("AGAIN", **{"name.en": "Offer AGAIN", "name.cs": None})
        )
        assert same.status_code == 422
        assert "This is what the offer says already" in text_of(same)
        answer = visitor.post("/offers/AGAIN/edit", form("AGAIN", **{"benefit.off": "15"}))
        page = text_of(visitor.get(answer.headers["Location"]))
        assert "What changes" in page
        assert "a discount of 10% on these goods a discount of 15% on these goods" in page


class TestDeciding:
    def test_asks_for_a_rehearsal_and_a_second_person(self, visit, drafted, web_sessions, app, house):
        author, second = visit("marketing"), visit("administrator")
        assert decide(author, drafted, "approve").status_code == 422
        answer = decide(second, drafted, "approve")
        assert answer.status_code == 422
        assert "Rehearse it first" in text_of(answer)
        assert decide(second, drafted, "reject").status_code == 422
        rehearse(web_sessions, "TEA10", app.extensions["web"].data)
        assert "a second person approves it" in text_of(decide(author, drafted, "approve"))
        assert decide(second, drafted, "approve", reason="as agreed").status_code == 303
        page = text_of(second.get("/offers/TEA10"))
        assert "Runs" in page
        assert "as agreed" in page
        assert version_of(web_sessions, "TEA10").state == "live"
        quote = self.quote(app, house)
        assert "TEA10" in [one["offer_code"] for one in quote["lines"][0]["discounts"]]
        stopped = second.post("/offers/TEA10/stop", {"stop_reason": ""})
        assert stopped.status_code == 422
        assert second.post("/offers/TEA10/stop", {"stop_reason": "too dear"}).status_code == 303
        assert "too dear" in text_of(second.get("/offers/TEA10"))
        with web_sessions() as session:
            actions = session.scalars(
                select(AuditEvent.action)
                .where(AuditEvent.subject_kind == "offer", AuditEvent.subject_id == "TEA10")
                .order_by(AuditEvent.event_id)
            ).all()
        assert [action for action in actions if "rehears" not in action] == [
            "offer.draft",
            "offer.approve",
            "offer.stop",
        ]

    def quote(self, app, house):
        answer = app.test_client().post(
            "/pos/v1/quotes",
            json={
                "currency": "CZK",
                "lines": [
                    {"line_number": 1, "sku": "10452", "quantity": "2", "unit": "pcs", "unit_price": 5990}
                ],
            },
            headers={"Authorization": f"Bearer {house.keys['S1']}"},
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def test_is_only_for_those_who_may(self, visit, drafted):
        for role in ("store_manager", "desk", "analyst", "auditor"):
            visitor = visit(role)
            assert (
                visitor.post(f"{drafted}/decision", {"decision": "reject", "reason": "no"}).status_code == 403
            )
            assert visitor.post("/offers/TEA10/stop", {"stop_reason": "no"}).status_code == 403
        assert (
            visit("marketing").client.post("/offers/TEA10/stop", data={"stop_reason": "no"}).status_code
            == 403
        )


class TestList:
    def test_says_each_offer_in_a_sentence_with_what_is_left(self, visit, web_sessions):
        live(web_sessions, offer("BUDGET", limits={"uses": 5, "amount": 10000}))
        page = text_of(visit("store_manager").get("/offers/?q=budget"))
        assert "CZK 100.00 left" in page
        assert "5 left" in page
        assert "A shopper who buys something from the category Tea" in page
        assert "TEA20" not in page

    def test_can_be_taken_away_as_a_file(self, visit, web_sessions):
        live(web_sessions, offer("FILED"))
        answer = visit("analyst").get("/offers/?format=csv&q=FILED&columns=code&columns=words&columns=budget")
        assert "FILED,,A shopper who buys" in answer.get_data(as_text=True)
        assert visit("analyst").get("/offers/?format=xlsx").data[:2] == b"PK"

    def test_sorts_filters_and_pages(self, visit, web_sessions):
        live(web_sessions, *(offer(f"P{number:03}", priority=number) for number in range(60)))
        visitor = visit("auditor")
        page = visitor.get("/offers/?q=P0&sort=-code").get_data(as_text=True)
        assert page.index("P059") < page.index("P011")
        following = re.search(r'href="(/offers/[^"]*after=[^"]+)"', page).group(1).replace("&amp;", "&")
        assert "P000" in visitor.get(following).get_data(as_text=True)
        assert visitor.get("/offers/?state=stopped&q=P0").get_data(as_text=True).count("data-row") == 0


class TestResults:
    def test_are_those_of_their_own_store_for_a_store_manager(self, visit, web_sessions, house):
        live(web_sessions, offer("USED"))
        with web_sessions.begin() as session:
            for store_id, amount in ((house.stores["S1"], 1111), (house.stores["S2"], 2222)):
                session.add(
                    OfferUse(
                        offer_code="USED",
                        offer_version=1,
                        business_date=clock.now().date(),
                        receipt_id=uuid7(),
                        store_id=store_id,
                        day=clock.now().date(),
                        uses=1,
                        amount=amount,
                        covered="within",
                        booked_at=clock.now(),
                    )
                )
        page = text_of(visit("marketing").get("/offers/USED"))
        assert "CZK 33.33 in 2 uses" in page
        assert "Ostrava" in page
        page = text_of(visit("store_manager").get("/offers/USED"))
        assert "CZK 11.11 in 1 use" in page
        assert "Ostrava" not in page
        assert "22.22" not in page


class TestCalendar:
    def test_draws_what_runs_when(self, visit, web_sessions):
        start = clock.now() - timedelta(days=3)
        live(
            web_sessions,
            offer("DRAWN", valid={"from": start.isoformat(), "to": (start + timedelta(days=9)).isoformat()}),
        )
        page = visit("store_manager").get("/calendar/").get_data(as_text=True)
        assert re.search(r'aria-label="Offer DRAWN: [^"]+"', page)
        whole = text_of(visit("marketing").get("/calendar/?show=all&weeks=26&from=2026-11-16"))
        assert "Catalogs" in whole
        assert re.search(r"\d+ editions?\b", whole)
        assert visit("marketing").get("/calendar/?from=9999-99-99&weeks=x").status_code == 200


class TestToday:
    def test_tells_a_store_what_runs_there(self, visit, web_sessions):
        live(
            web_sessions,
            offer("HERE", stores=["S1"], limits={"per_store_day_uses": 7}),
            offer("THERE", stores=["S2"]),
            offer("GONE", valid={"to": "2026-01-01T00:00:00+01:00"}),
        )
        page = text_of(visit("store_manager").get("/today/"))
        assert "HERE" in page
        assert "7 uses here today" in page
        assert "THERE" not in page.replace("OTHERE", "")
        assert "GONE" not in page
        assert visit("cashier").get("/today/").status_code == 200

    def test_asks_who_belongs_to_no_store_for_one_and_remembers_it(self, visit, web_sessions):
        live(web_sessions, offer("HERE", stores=["S1"]))
        reader = visit("marketing")
        asked = reader.get("/today/")
        assert 'value="S1"' in asked.text
        assert "HERE" not in text_of(asked)
        reader.post("/account/scope", {"store": "S1", "weeks": "13", "back": "/today/"})
        assert "HERE" in text_of(reader.get("/today/"))


class TestFiles:
    def upload(self, visitor, content, **more):
        data = {"csrf_token": visitor.token(), "file": (io.BytesIO(content), "offers.json"), **more}
        return visitor.client.post("/offers/file/", data=data, content_type="multipart/form-data")

    def test_make_drafts_and_come_back_the_same(self, visit, web_sessions):
        visitor = visit("marketing")
        content = json.dumps({"format": 1, "offers": [offer("MOVED")]}).encode()
        assert self.upload(visitor, content).status_code == 303
        assert version_of(web_sessions, "MOVED").state == "draft"
        exported = json.loads(visitor.get("/offers/file/offers.json").data)
        assert next(one for one in exported["offers"] if one["code"] == "MOVED")["benefit"]["off"] == "10"
        assert self.upload(visitor, content, live="1").status_code == 303
        assert version_of(web_sessions, "MOVED").state == "draft", (
            "only administrators make offers live at once"
        )
        assert self.upload(visit("administrator"), content, live="1").status_code == 303
        assert version_of(web_sessions, "MOVED").state == "live"

    def test_hold_codes_only_for_those_who_may_give_them(self, visit, web_sessions):
        content = json.dumps(
            {"format": 1, "offers": [], "vouchers": [{"batch": "LEAVING", "codes": ["LEAVES1", "LEAVES2"]}]}
        )
        assert self.upload(visit("marketing"), content.encode()).status_code == 303
        audited = (
            "select detail from audit_event where action = 'offer.export' order by event_id desc limit 1"
        )
        told = {}
        for role in ("marketing", "administrator", "auditor"):
            exported = visit(role).get("/offers/file/offers.json").get_data(as_text=True)
            with web_sessions() as session:
                told[role] = ("LEAVES1" in exported, session.scalar(text(audited))["codes"])
            assert "LEAVING" in exported
        assert told["auditor"] == (False, 0)
        assert told["marketing"] == told["administrator"]
        assert told["marketing"][0]
        assert told["marketing"][1] >= 2
        assert "without codes" in text_of(visit("auditor").get("/offers/file/"))

    def test_say_where_the_fault_is_and_import_nothing(self, visit, web_sessions):
        visitor = visit("marketing")
        content = json.dumps(
            {"format": 1, "offers": [offer("GOOD"), offer("BAD", {"kind": "percents", "off": "10"})]}
        ).encode()
        answer = self.upload(visitor, content)
        assert answer.status_code == 422
        assert "/offers/1/benefit/kind" in text_of(answer)
        assert "percents" in text_of(answer)
        assert version_of(web_sessions, "GOOD") is None
        twice = b'{"format": 1, "offers": [{"code": "ONE"}], "offers": []}'
        for broken in (b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000, twice):
            assert self.upload(visitor, broken).status_code == 422

    def test_show_a_fault_that_cannot_be_printed(self, visit):
        content = json.dumps(
            {"format": 1, "offers": [offer("HALF") | {"name": {"en": "half \ud800"}}]}
        ).encode()
        answer = self.upload(visit("marketing"), content.replace(b'"10"', b"10.5"))
        assert answer.status_code == 422
        assert "/offers/0/name/en" in text_of(answer)
