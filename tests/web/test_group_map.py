"""The map of the themes on the screen: labels that tell items apart, ties that lead to their rules, a table behind."""

from web.screens.group_map import labels_of


class TestLabels:
    def test_are_short_but_never_alike(self, app):
        with app.test_request_context():
            labels = labels_of(["CANDY - CHECKLANE", "CANDY - PACKAGED", "FRZN MEAT/MEAT DINNERS"])
        assert labels["FRZN MEAT/MEAT DINNERS"] == "Frozen meat"
        assert len(set(labels.values())) == 3


class TestMap:
    def test_leads_to_rules_and_groups_without_a_picture(self, visit):
        page = visit("analyst").get("/groups/map/").get_data(as_text=True)
        assert "1 theme of 3 categories" in page
        assert '<a href="/rules/1">Tea + Honey</a>' in page
        assert "/groups/map/?theme=g1" in page
        assert "echarts.min.js" in page

    def test_shows_one_theme_alone(self, visit):
        page = visit("marketing").get("/groups/map/?theme=g1").get_data(as_text=True)
        assert "is the heart of Tea and honey" in page
        assert visit("marketing").get("/groups/map/?theme=nobody").status_code == 200
