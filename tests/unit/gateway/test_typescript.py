"""The web app's types of REST answers are those of the routes."""

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.typescript import FILE, typescript


def test_types_in_the_web_app_are_those_of_the_routes() -> None:
    made = typescript(create_app(GatewaySettings()).openapi())
    assert FILE.read_text() == made, "run `.venv/bin/python -m gateway.typescript` and commit what it writes"


def test_typescript_of_every_kind_of_field_says_what_may_be_there() -> None:
    fields = {
        "at": {"type": "string", "format": "date-time"},
        "near": {"anyOf": [{"$ref": "#/components/schemas/Page_Bar_"}, {"type": "null"}]},
        "kinds": {"type": "array", "items": {"enum": ["A", "B"]}},
        "by_step": {"type": "object", "additionalProperties": {"type": "number"}},
        "free": {"type": "object", "additionalProperties": True},
    }
    schema = {"description": "One\n of all.", "properties": fields, "required": ["at", "near"]}
    text = typescript({"components": {"schemas": {"One": schema}}})
    assert text.endswith(
        """/** One of all. */
export interface One {
  readonly at: Instant;
  readonly near: PageBar | null;
  readonly kinds?: readonly ('A' | 'B')[];
  readonly by_step?: Readonly<Record<string, number>>;
  readonly free?: Readonly<Record<string, unknown>>;
}
"""
    )
