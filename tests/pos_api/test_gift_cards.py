import pytest


@pytest.fixture
def card(chain) -> str:
    """The number of a gift card with 500.00 on it."""
    issued = chain.till.post("/gift-cards", {"amount": 50000})
    assert issued.status_code == 201, issued.get_data(as_text=True)
    return issued.get_json()["gift_card_number"]


def told(answer) -> tuple[int, object]:
    """Return the status and the balance, or the code of the problem."""
    document = answer.get_json()
    return answer.status_code, document.get("balance", str(document.get("type", "")).rpartition("/")[2])


class TestAGiftCard:
    def test_is_issued_shown_loaded_spent_and_given_back(self, chain, card):
        till = chain.till
        place = f"/gift-cards/{card}"
        assert told(till.get(place)) == (200, 50000)
        assert told(till.post(f"{place}/load", {"amount": 10000})) == (201, 60000)
        spent = till.post(f"{place}/spend", {"amount": 59999, "receipt_number": "000123"})
        assert told(spent) == (201, 1)
        assert told(till.post(f"{place}/spend", {"amount": 2})) == (409, "not_enough_money")
        back = {"amount": 59999, "entry_id": spent.get_json()["entry_id"]}
        assert told(till.post(f"{place}/give-back", back)) == (201, 60000)
        assert told(till.post(f"{place}/give-back", back)) == (409, "not_enough_money")
        assert told(chain.elsewhere.get(place)) == (200, 60000)

    def test_moves_its_money_once_for_a_key(self, chain, card):
        headers = {"Idempotency-Key": "pay-17"}
        answers = [
            chain.till.post(f"/gift-cards/{card}/spend", {"amount": 20000}, headers=headers) for _ in range(2)
        ]
        assert [told(answer) for answer in answers] == [(201, 30000)] * 2
        assert answers[0].get_json() == answers[1].get_json()
        other = chain.till.post(f"/gift-cards/{card}/spend", {"amount": 1}, headers=headers)
        assert told(other) == (422, "idempotency_conflict")
        assert told(chain.till.get(f"/gift-cards/{card}")) == (200, 30000)

    @pytest.mark.parametrize("act", ["load", "spend"])
    def test_that_nobody_issued_is_not_found(self, chain, act):
        assert told(chain.till.post(f"/gift-cards/G000/{act}", {"amount": 1})) == (404, "not_found")
        assert told(chain.till.get("/gift-cards/G000")) == (404, "not_found")

    @pytest.mark.parametrize("entry_id", ["nothing", "01a2033d-d422-7c57-b794-05fd07774300"])
    def test_gets_nothing_back_that_was_not_spent(self, chain, card, entry_id):
        wish = {"amount": 1, "entry_id": entry_id}
        assert told(chain.till.post(f"/gift-cards/{card}/give-back", wish)) == (404, "not_found")

    @pytest.mark.parametrize("wish", [{}, {"amount": 0}, {"amount": "5"}, {"amount": 5, "currency": "CZK"}])
    def test_knows_what_is_no_wish(self, chain, card, wish):
        assert told(chain.till.post(f"/gift-cards/{card}/load", wish)) == (422, "invalid_content")
