"""A message on the wire: what was given comes back out of it, nothing else gets in, and every server can take it."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.mail_address import routable
from notify.mime import Attachment, build

GIVEN: dict[str, Any] = {
    "sender_name": "Linden & Rye",
    "sender": "receipts@linden-rye.example",
    "recipient": "ada@shopper.example",
    "reply_to": "hallo@linden-rye.example",
    "subject": "Your receipt from Linden & Rye, €30.62",
    "html": "<p>Thank you</p>\n",
    "text": "Thank you\n",
    "language": "en",
    "message_id": "<msg_01.0@linden-rye.example>",
    "date": datetime(2026, 11, 21, 16, 42, 10, tzinfo=UTC),
    "stop_url": "https://receipts.example/u/abc",
}
PDF = Attachment("receipt-000417.pdf", "application/pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40)
HEADS = [
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("Content-Language", "MIME-Version", "Content-Type"),
]
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def wire(**other: Any) -> bytes:
    return build(**(GIVEN | other))


def read(**other: Any) -> EmailMessage:
    return message_from_bytes(wire(**other), policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found
    return str(found.get_content()).replace("\r\n", "\n")


def test_all_that_was_given_comes_back() -> None:
    message = read()
    assert message.keys() == HEADS
    [sender] = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Linden & Rye", "receipts@linden-rye.example")
    assert message["To"].addresses[0].addr_spec == "ada@shopper.example"
    assert message["Reply-To"].addresses[0].addr_spec == "hallo@linden-rye.example"
    assert message["Subject"] == GIVEN["subject"]
    assert message["Message-ID"] == GIVEN["message_id"]
    assert message["Date"].datetime == GIVEN["date"]
    assert message["Content-Language"] == "en"
    assert part(message, "html") == GIVEN["html"]
    assert part(message, "plain") == GIVEN["text"]
    assert not message.defects


def test_nobody_answers_a_machine_and_one_click_stops_it() -> None:
    message = read()
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://receipts.example/u/abc>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("url", [None, "", "http://receipts.example/u/abc", "https://x.example/\r\nBcc: b@x.example"])
def test_only_an_https_link_stands_in_the_head(url: str | None) -> None:
    assert not [name for name in read(stop_url=url).keys() if name.startswith("List-") or name == "Bcc"]  # noqa: SIM118


@given(name=text, subject=text)
@example(name='Ada "the shop" <x@y.example>, \\', subject="=?utf-8?q?no?=")
@example(name="Rye\r\nBcc: all@x.example", subject="Hello\r\n\r\n<script>")
@example(name="Bäckerei\u202e 🥖 " * 30, subject="लिंडन " * 50)
@example(name="", subject="")
def test_no_name_and_no_subject_breaks_the_head(name: str, subject: str) -> None:
    message = read(sender_name=name, subject=subject)
    assert message.keys() == [head for head in HEADS if head != "Subject" or message["Subject"]]
    [sender] = message["From"].addresses
    assert sender.addr_spec == "receipts@linden-rye.example"
    assert letters(str(message["Subject"] or "")) == letters(subject)


def letters(text: str) -> str:
    """Without spaces and controls, which a head has no room for."""
    return "".join(char for char in text if not char.isspace() and not "\x7f" <= char <= "\x9f" and char >= " ")


@given(plain=text, html=text)
@example(plain=".\n..\nFrom x\n", html="--=_alternative_\r\r\n\n" + "x" * 3000)
@example(plain="نص عربي " * 100, html="é" * 2000)
def test_the_text_comes_back_whatever_it_is(plain: str, html: str) -> None:
    message = read(text=plain, html=html)
    assert unbroken(part(message, "plain")) == unbroken(plain)
    assert unbroken(part(message, "html")) == unbroken(html)


def unbroken(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


@given(plain=text, name=text)
def test_it_is_seven_bits_wide_and_its_lines_end_and_are_short(plain: str, name: str) -> None:
    data = wire(text=plain, sender_name=name, subject=name, attachments=[PDF])
    lines = data.split(b"\r\n")
    assert data.isascii()
    assert max(map(len, lines)) <= 200
    assert not [line for line in lines if b"\r" in line or b"\n" in line]


def test_an_attachment_comes_back_byte_for_byte_under_its_name() -> None:
    message = read(attachments=[PDF, Attachment("रसीद/../417\r\n.pdf", "application/pdf", b"x")])
    first, second = message.iter_attachments()
    assert message.get_content_type() == "multipart/mixed"
    assert (first.get_filename(), first.get_content_type(), first.get_content()) == (PDF.name, PDF.mime, PDF.data)
    assert second.get_filename() == "रसीद-..-417 .pdf"
    assert part(message, "plain") == GIVEN["text"]


def test_the_same_makes_the_same_bytes() -> None:
    assert wire(attachments=[PDF]) == wire(attachments=[PDF])


def test_text_of_few_foreign_letters_is_quoted_and_of_many_is_base64() -> None:
    message = read(text="Zwölf Brötchen zum Frühstück, dazu ein Glas Honig\n", html="<p>قهوة عربية بالهيل</p>")
    ways = [str(each["Content-Transfer-Encoding"]) for each in message.iter_parts()]
    assert ways == ["quoted-printable", "base64"]


def test_an_address_with_foreign_letters_is_kept_and_its_domain_is_put_in_ascii() -> None:
    assert routable("müller@bücher.example") == "müller@xn--bcher-kva.example"
    assert "To: müller@xn--bcher-kva.example\r\n".encode() in wire(recipient="müller@bücher.example")


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": "a@x.example\r\nBcc: b@x.example"},
        {"recipient": "a@x.example, b@x.example"},
        {"sender": "Name <a@x.example>"},
        {"reply_to": "a"},
        {"recipient": f"a@{'ü' * 80}.example"},
        {"message_id": "<a@b>\r\nX: y"},
        {"message_id": "a@b"},
        {"attachments": [Attachment("x", "text/html; charset=x", b"")]},
    ],
)
def test_what_is_no_address_or_id_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a "):
        wire(**wrong)
