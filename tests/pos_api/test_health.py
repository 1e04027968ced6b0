"""Health says what is true, to anybody."""

from flask import Flask
from sqlalchemy import text

from core.database import make_engine, make_sessions
from pos_api.app import register


class TestAlive:
    def test_is_said_without_a_key_and_without_a_database(self):
        app = Flask("tills")
        register(app, make_sessions(make_engine("postgresql://nobody@/nothing?host=/nonexistent")))
        for path in ("/healthz", "/pos/v1/healthz"):
            assert app.test_client().get(path).status_code == 200


class TestReady:
    def test_is_said_when_the_schema_is_that_of_this_version(self, chain):
        for path in ("/readyz", "/pos/v1/readyz"):
            answer = chain.app.test_client().get(path)
            assert (answer.status_code, answer.get_json()["status"]) == (200, "ready")

    def test_is_denied_when_the_schema_is_another(self, chain, owner_engine):
        with owner_engine.begin() as connection:
            connection.execute(text("update alembic_version set version_num = '0000'"))
        answer = chain.app.test_client().get("/readyz")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0

    def test_is_denied_when_the_database_is_not_migrated(self, chain, owner_engine):
        with owner_engine.begin() as connection:
            connection.execute(text("alter table alembic_version rename to elsewhere"))
        answer = chain.app.test_client().get("/readyz")
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")

    def test_is_denied_when_the_database_is_away(self):
        app = Flask("tills")
        register(app, make_sessions(make_engine("postgresql://nobody@/nothing?host=/nonexistent")))
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) > 0
