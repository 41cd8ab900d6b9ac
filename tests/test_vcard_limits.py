"""vCards made to be slow or large: reading one takes little time and memory, whatever is in it."""

import pytest

from tests.support.bounded import bounded

READ = """
from cards.vcard_reading import read
data = b"BEGIN:VCARD\\nFN:Emma\\n" + {lines} + b"\\nEND:VCARD\\n"
(reading,) = read(data)
print(len(reading.lost), reading.reason or reading.profile.full_name())
"""


def read_within(lines: str, *, seconds: int = 10, megabytes: int = 250) -> str:
    """How much is lost, and who it is or why it is nobody. ``lines`` is an expression: its value may be long."""
    return bounded(READ.replace("{lines}", lines), seconds=seconds, megabytes=megabytes)


@pytest.mark.parametrize(
    "lines",
    [
        'b"TEL:1" + b" " * 99_000 + b"2"',
        'b"TEL:1" + b",;" * 49_000 + b"2"',
        'b"a.TEL:+49 30 5550 1\\na.X-ABLabel:" + b"_$!<" * 200_000',
        'b"a.TEL:+49 30 5550 1\\na.X-ABLabel:" + b"\\\\;" * 5_000_000',
        'b"ADR:" + b"\\\\;" * 49_000',
        'b"ORG:" + b"\\\\," * 49_000',
        'b"URL:" + b"a." * 49_000',
    ],
)
def test_no_value_takes_long_to_be_understood(lines: str) -> None:
    assert read_within(lines).endswith(" Emma")


@pytest.mark.parametrize(
    "lines, told",
    [
        ('b"X" * 19_000_000', "1 Emma"),
        ("b'\"' * 19_000_000", "1 Emma"),
        ('b"NOTE:" + b"x" * 19_000_000', "1 Emma"),
        ('b"X-A;TYPE=" + b"a," * 9_000_000 + b":1"', "1 Emma"),
        ('b"X:1\\n" * 290_000', "102 Emma"),
        ('b"NOTE:1" + b"\\n 1" * 290_000', "1 Emma"),
        ('b"X:1\\n" * 4_900_000', "0 The file has more than 300,000 lines."),
        ('b"\\n" * 19_000_000', "0 The file has more than 300,000 lines."),
        ('b"\\r" * 19_000_000', "0 The file has more than 300,000 lines."),
    ],
)
def test_no_file_takes_much_to_be_read(lines: str, told: str) -> None:
    assert read_within(lines) == told
