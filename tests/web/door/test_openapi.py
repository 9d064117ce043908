"""The OpenAPI document of the door is true: schemathesis makes up requests from it, good and bad
ones, and every answer is as the document says."""

from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from eventreg.web.door import openapi
from tests.proofs.conftest import rounds
from tests.support.factories import House, local, toml
from tests.support.pages import get

CHECKS: Any = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47, and two people are expected. Errors become answers, as on a server."""
    house.apply(toml(capacity=5))
    house.hire()
    house.register("张桂芳", "王建国", phone="13800138000")
    house.now = local("2030-06-10 08:47")
    return house


def statuses(house: House, *, signed_in: bool) -> set[int]:
    """Try every address of the document with made-up requests. Returns the statuses."""
    client = house.signed_in("dora") if signed_in else house.client()
    headers = {}
    if signed_in:
        headers["X-CSRF-Token"] = get(client, "/staff/").form("/sign-out").fields["csrf_token"]
    house.app.testing = False
    seen: set[int] = set()
    schema = schemathesis.openapi.from_dict(openapi.document())
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        for mode in GenerationMode:

            @settings(
                max_examples=rounds(8, 500) if signed_in else 1,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(mode, path_parameters={"slug": "small"}))
            def answers(case: Any) -> None:
                sent = case.as_transport_kwargs(headers=headers)
                given_headers = dict(sent.pop("headers"))
                own = {"Cookie", "Accept-Encoding"}
                known = {name: given_headers[name] for name in given_headers if name not in own}
                body = {key: sent[key] for key in ("json", "data") if sent.get(key) is not None}
                answer = client.open(
                    case.formatted_path,
                    method=case.method,
                    headers=known,
                    query_string=case.query,
                    **body,
                )
                seen.add(answer.status_code)
                case.validate_response(answer, checks=CHECKS)

            answers()
    return seen


def test_every_answer_is_as_the_document_says(morning: House) -> None:
    assert statuses(morning, signed_in=True) >= {200, 422}
    assert statuses(morning, signed_in=False) == {401}


def test_a_document_that_lacks_a_result_is_found_out(
    morning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    document = deepcopy(openapi.document())
    document["components"]["schemas"]["Result"]["properties"]["result"]["enum"] = ["checked_in"]
    document["components"]["schemas"]["Done"]["properties"]["device"]["required"] = ["colour"]
    monkeypatch.setattr(openapi, "document", lambda: document)
    with pytest.raises(BaseException, match="violates schema"):
        statuses(morning, signed_in=True)


def test_everybody_may_read_the_document(morning: House) -> None:
    answer = morning.client().get("/door/openapi.json")
    assert answer.get_json()["openapi"] == "3.1.0"
