"""The web app's types of what the gateway takes and answers are those of the routes and sockets."""

from contracts.tools.typescript import shapes
from gateway.app import create_app
from gateway.describe.typescript import gateway_module
from gateway.settings import GatewaySettings


def test_types_taken_from_events_have_the_fields_that_the_gateway_answers() -> None:
    schemas = create_app(GatewaySettings()).openapi()["components"]["schemas"]
    shared = {name: shape for name, shape in shapes().items() if name in schemas}
    assert {"ForecastIssued", "ModelPromoted", "Lineage", "SettlingBar"} <= set(shared)
    for name, shape in shared.items():
        assert set(schemas[name]["properties"]) == {field["name"] for field in shape["fields"]}, name


def test_module_of_every_kind_of_field_says_what_may_be_there() -> None:
    fields = {
        "at": {"type": "string", "format": "date-time"},
        "near": {"anyOf": [{"$ref": "#/components/schemas/Page_Bar_"}, {"type": "null"}]},
        "kinds": {"type": "array", "items": {"enum": ["A", "B"]}},
        "by_step": {"type": "object", "additionalProperties": {"type": "number"}},
        "free": {"type": "object", "additionalProperties": True},
        "model": {"$ref": "#/components/schemas/ModelRef"},
    }
    schema = {"description": "One\n of all.", "properties": fields, "required": ["at", "near"]}
    assert (
        gateway_module("// Head.\n", {"One": schema}, elsewhere={"Page_Bar_": {}, "Bar": {}})
        == """// Head.
import type { Instant, ModelRef } from './events';
import type { Bar, Page } from './rest-types';

/** One of all. */
export interface One {
  readonly at: Instant;
  readonly near: Page<Bar> | null;
  readonly kinds?: readonly ('A' | 'B')[];
  readonly by_step?: Readonly<Record<string, number>>;
  readonly free?: Readonly<Record<string, unknown>>;
  readonly model?: ModelRef;
}
"""
    )


def test_module_writes_pages_of_anything_once() -> None:
    items = {"type": "array", "items": {"$ref": "#/components/schemas/Bar"}}
    made = gateway_module("// Head.\n", {"Page_Bar_": {"properties": {"items": items}, "required": ["items"]}})
    assert (
        made
        == """// Head.

export interface Page<T> {
  readonly items: readonly T[];
}
"""
    )
