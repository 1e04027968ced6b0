"""The OpenAPI 3.1 document: what the schemas and routes say, told to till makers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import Schema

from pos_api.answers import Answer, ProblemAnswer
from pos_api.problems import PROBLEMS, answer_errors
from pos_api.schemas import Body

VERSION = "1.0.0"
KEY = "till_key"

ALWAYS = ("unauthenticated", "revoked_key", "unavailable")
"""What every call with a key may answer."""

WITH_BODY = ("malformed", "too_large", "unsupported_media_type", "invalid_content")
"""What every call with a body may answer besides."""

DESCRIPTION = """\
What a till says to Regulars and what it hears. Amounts are integers in the currency's minor unit, never written with a
fraction (5990, not 5990.0); quantities and rates are decimal strings; moments are RFC 3339 with an offset. Null and
absent mean the same; unknown fields are an error. Errors are problem documents (RFC 9457) whose `type` ends in a code
that never changes.

A client in one file of Python, without dependencies, that keeps receipts until they are taken and works while
nobody answers, is served here as [regulars_till.py](docs/regulars_till.py).
"""

_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    409: {"Retry-After": "Seconds to wait, when the same request is still being worked on."},
    503: {"Retry-After": "Seconds to wait."},
}

View = TypeVar("View", bound=Callable[..., Any])


class Contract(Api):  # type: ignore[misc] # flask-smorest has no types
    """The document and nothing else: errors are answered by `pos_api.problems`, pages by `pos_api.documents`."""

    def _register_error_handlers(self) -> None:
        pass

    def _register_doc_blueprint(self) -> None:
        pass


class Calls(Blueprint):  # type: ignore[misc] # flask-smorest has no types
    """Calls of the contract that belong together; all their errors are problems."""

    def __init__(self, name: str, description: str) -> None:
        # The screens may have a blueprint of the same name in the same application.
        super().__init__(f"pos_{name}", __name__, description=description)
        self.tag = name
        answer_errors(self)

    def call(
        self,
        method: str,
        rule: str,
        *,
        answers: Mapping[int, tuple[type[Answer] | None, str, Mapping[str, Any]]],
        problems: Iterable[str],
        body: type[Body] | None = None,
        examples: Mapping[str, Mapping[str, Any]] | None = None,
        parameters: Iterable[Mapping[str, Any]] = (),
    ) -> Callable[[View], View]:
        """
        Return the decorator that routes a view and tells the document about it.

        `answers` are schema (None for an answer without a body), description and example by status, `problems` codes of the
        contract besides those that every call may answer.
        """
        codes = (*ALWAYS, *(WITH_BODY if body else ()), *problems)
        known: dict[str, Any] = {
            "responses": {
                **{str(status): _answer(*answer) for status, answer in answers.items()},
                **_problem_answers(codes),
            },
        }
        if parameters:
            known["parameters"] = [dict(parameter) for parameter in parameters]
        if body:
            content = {"schema": body, "examples": {name: dict(e) for name, e in (examples or {}).items()}}
            known["requestBody"] = {"required": True, "content": {"application/json": content}}

        def put(view: View) -> View:
            view._apidoc = {"manual_doc": known}  # type: ignore[attr-defined] # noqa: SLF001 - what flask-smorest reads
            self.add_url_rule(rule, view.__name__, view, methods=[method], tags=[self.tag])
            return view

        return put


def make_contract(app: Flask, blueprints: Sequence[Calls], prefix: str) -> dict[str, Any]:
    """Register `blueprints` under `prefix` in `app` and return the OpenAPI document of what they answer."""
    contract = Contract(
        app,
        spec_kwargs={
            "title": "Regulars: the till contract",
            "version": VERSION,
            "openapi_version": "3.1.0",
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_name),
            "info": {
                "description": DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": [{KEY: []}],
        },
    )
    contract.spec.components.security_scheme(
        KEY, {"type": "http", "scheme": "bearer", "description": "The till's own key."}
    )
    for blueprint in blueprints:
        contract.register_blueprint(blueprint, url_prefix=prefix)
    document: dict[str, Any] = contract.spec.to_dict()
    document["tags"] = [{"name": calls.tag, "description": calls.description} for calls in blueprints]
    for schema in _bodies(Body):
        document["components"]["schemas"].get(_name(schema), {}).update(schema.KEYWORDS)
    for item in document["paths"].values():
        _tell_parameters_once(item)
    return document


def _tell_parameters_once(item: dict[str, Any]) -> None:
    """Take away what the rule alone says of a path's parameters where every call tells more of them."""
    calls = [call for name, call in item.items() if name != "parameters"]
    told = [{(one["in"], one["name"]) for one in call.get("parameters", ())} for call in calls]
    bare = {(one["in"], one["name"]) for one in item.get("parameters", ())}
    if all(bare <= of_call for of_call in told):
        item.pop("parameters", None)


def _answer(schema: type[Answer] | None, description: str, example: Mapping[str, Any]) -> dict[str, Any]:
    if schema is None:
        return {"description": description}
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": dict(example)}},
    }


def _problem_answers(codes: Iterable[str]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code][0], []).append(code)
    return {
        str(status): {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in known)}",
            "content": {"application/problem+json": {"schema": ProblemAnswer}},
            "headers": {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in _HEADERS.get(status, {}).items()
            },
        }
        for status, known in sorted(by_status.items())
    }


def _name(schema: Schema | type[Schema]) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Body") if issubclass(kind, Body) else kind.__name__


def _bodies(kind: type[Body]) -> Iterable[type[Body]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from _bodies(inner)
