"""What the API document says of the parameters, compared to the letter with a file in `expected/`."""

from pathlib import Path

import msgspec

from service.api import openapi

EXPECTED = Path(__file__).parent / "expected" / "parameters.json"


def test_the_parameters_of_every_endpoint_are_documented_to_the_letter() -> None:
    paths = msgspec.json.decode(openapi.document())["paths"]
    parameters = {path: methods["get"]["parameters"] for path, methods in paths.items()}
    text = msgspec.json.format(msgspec.json.encode(parameters), indent=2) + b"\n"
    assert text.decode() == EXPECTED.read_text()
