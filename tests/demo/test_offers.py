from datetime import date

from core.i18n import LANGUAGES
from demo.journey import package_source
from demo.offers import DRAFTS, LIVE, draft_document, live_document
from rewards.codec import read_document

TODAY = date(2026, 3, 2)


class TestDemonstrationOffers:
    def test_are_offers_as_the_format_has_them(self):
        live = read_document(live_document(today=TODAY, store_code="367"))
        drafts = read_document(draft_document(today=TODAY))
        assert (len(live.offers), len(drafts.offers)) == (len(LIVE), len(DRAFTS))

    def test_speak_all_languages(self):
        for offer in (*LIVE, *DRAFTS):
            assert set(offer["name"]) == set(LANGUAGES)

    def test_name_categories_that_the_data_have(self):
        known = set(package_source("products")["product_category"].dropna())
        named = set()

        def gather(part):
            if isinstance(part, dict):
                named.update(part.get("categories", ()))
                part = list(part.values())
            if isinstance(part, list):
                for each in part:
                    gather(each)

        gather([*LIVE, *DRAFTS])
        assert named
        assert named <= known
