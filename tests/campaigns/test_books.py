"""What a process keeps at hand: old rather than late, but never what has become private."""

from campaigns import books
from campaigns.books import book_at_hand, kept_book, share_book
from core.database import make_engine, make_sessions


def words(served):
    return tuple(served.rows("select jsonb_build_array(count(*), max(set_at)) from sensitive_word")[0][0])


class TestBookAtHand:
    def test_is_the_old_one_while_a_newer_one_is_read_even_for_a_screen(self, served, monkeypatch):
        monkeypatch.setattr(books, "STALE_AFTER", 0.0)
        with served.sessions() as session:
            old = kept_book(session)
            assert book_at_hand(session, run_id=served.run_id, words=words(served), wait=True) is old
            books._reading[books.engine_of(session)].join()

    def test_is_waited_for_where_words_have_changed(self, served, monkeypatch):
        monkeypatch.setattr(books, "LONGEST_WAIT", 60.0)
        served.do(
            "insert into sensitive_word (word, topic, sensitive, set_by, set_at) "
            "values ('tea', 'health', true, 'test', now())"
        )
        with served.sessions() as session:
            book = book_at_hand(session, run_id=served.run_id, words=words(served), wait=True)
        assert book is not None
        assert book.private == {"Tea", "Beer"}

    def test_is_there_at_once_for_screens_where_tills_have_it(self, served, monkeypatch):
        monkeypatch.setattr(books, "LONGEST_WAIT", 0.0)
        tills = served.sessions.kw["bind"]
        screens = make_engine(tills.url.render_as_string(hide_password=False))
        try:
            with make_sessions(screens)() as session, served.sessions() as of_tills:
                assert kept_book(session) is None
                share_book(tills, other=screens)
                found = book_at_hand(session, run_id=served.run_id, words=words(served), wait=True)
                assert found is not None
                assert found is kept_book(of_tills)
        finally:
            screens.dispose()
