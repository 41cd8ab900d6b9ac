"""A mail that says a letter did not arrive is read, whoever wrote it; all other mail is none, whatever it holds."""

import json
import time
from email.message import Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bounces import LONGEST_BOUNCE, Bounce, read_bounce
from infra.ses_feedback import LONGEST, SesEvent, read_ses_events

BOUNCES = "bounces@shop.test"
ORIGINAL = "Message-ID: <msg_1@shop.test>\r\nFrom: receipts@shop.test\r\nTo: ana@example.org\r\n\r\nThank you.\r\n"

POSTFIX = f"""\
Return-Path: <>
Delivered-To: bounces+msg_01hx@shop.test
Date: Sun, 22 Nov 2026 10:00:00 +0000 (UTC)
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces+msg_01hx@shop.test
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"
Message-Id: <20261122100000.1@mx.example.org>

This is a MIME-encapsulated message.

--cut
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<ana@example.org>: host mx.example.org[192.0.2.1] said: 550 5.1.1 no such user

--cut
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; forwarded@example.net
Original-Recipient: rfc822;ana@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <ana@example.org>:
    no such user

--cut
Content-Description: Undelivered Message
Content-Type: message/rfc822

{ORIGINAL}
--cut--
"""

QMAIL = """\
Return-Path: <>
To: bounces+msg_01hx@shop.test
From: MAILER-DAEMON@mx.example.org
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ana@example.org>:
192.0.2.1 does not like recipient.
Remote host said: 550 no mailbox here by that name

--- Below this line is a copy of the message.

Return-Path: <bounces+msg_01hx@shop.test>
Message-ID: <msg_1@shop.test>
Subject: Your receipt

Thank you.
"""

EXIM = """\
X-Failed-Recipients: ana@example.org
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: bounces+MSG_01HX@SHOP.TEST
Subject: Mail delivery failed: returning message to sender
In-Reply-To: <msg_1@shop.test>

A message that you sent could not be delivered.

  ana@example.org
    SMTP error from remote mail server after RCPT TO: 552 5.2.2 mailbox full
"""

OUT_OF_OFFICE = """\
Return-Path: <>
From: Ana <ana@example.org>
To: bounces+msg_01hx@shop.test
Subject: Out of office: Your receipt
Auto-Submitted: auto-replied
In-Reply-To: <msg_1@shop.test>

I am away until 5.1.2027, in room 550 of the hotel.
"""


def read(text: str) -> Bounce | None:
    return read_bounce(text.encode(), bounces=BOUNCES)


def found(text: str) -> Bounce:
    bounce = read(text)
    assert bounce
    return bounce


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_report_says_whose_letter_it_was_and_why_it_did_not_arrive(line_end: str) -> None:
    said = "550 5.1.1 <ana@example.org>: no such user"
    assert found(line_end.join(POSTFIX.splitlines())) == Bounce(
        "<msg_1@shop.test>", "msg_01hx", "ana@example.org", is_permanent=True, status="5.1.1", detail=said
    )


def test_a_status_of_class_4_may_be_another_next_time() -> None:
    bounce = found(POSTFIX.replace("Status: 5.1.1", "Status: 4.4.1"))
    assert (bounce.is_permanent, bounce.status) == (False, "4.4.1")


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_of_anything_but_failure_is_no_bounce(action: str) -> None:
    assert read(POSTFIX.replace("Action: failed", f"Action: {action}")) is None


def test_a_report_may_return_no_more_than_the_head_of_the_letter() -> None:
    assert found(POSTFIX.replace("message/rfc822", "text/rfc822-headers")).message_id == "<msg_1@shop.test>"


def test_a_report_without_a_status_is_known_by_its_diagnosis() -> None:
    bounce = found(POSTFIX.replace("Status: 5.1.1\n", "").replace("550 5.1.1", "550"))
    assert (bounce.is_permanent, bounce.status) == (True, "5.0.0")


def test_a_bounce_in_plain_words_is_read_too() -> None:
    said = "Remote host said: 550 no mailbox here by that name"
    assert found(QMAIL) == Bounce(
        "<msg_1@shop.test>", "msg_01hx", "ana@example.org", is_permanent=True, status="5.0.0", detail=said
    )


def test_a_bounce_that_returns_nothing_is_known_by_what_it_answers() -> None:
    bounce = found(EXIM)
    assert (bounce.message_id, bounce.verp, bounce.recipient) == ("<msg_1@shop.test>", "msg_01hx", "ana@example.org")
    assert bounce.status == "5.2.2"


def test_the_token_may_stand_in_the_returned_letter_only() -> None:
    assert found(QMAIL.replace("To: bounces+msg_01hx@", "To: postmaster@")).verp == "msg_01hx"


def test_a_token_is_only_read_where_bounces_go() -> None:
    assert found(QMAIL.replace("shop.test", "shop.test.evil.example")).verp is None
    assert (bounce := read_bounce(QMAIL.encode())) is not None
    assert bounce.verp is None


@pytest.mark.parametrize(
    "text",
    [
        OUT_OF_OFFICE,
        QMAIL.replace("failure notice", "Warning: message delayed").replace("550", "450"),
        "From: MAILER-DAEMON@mx.example.org\nSubject: Welcome\n\nHello.\n",
        "From: ana@example.org\nSubject: Thanks\n\nRemote host said: 550\n",
        ORIGINAL,
        "",
    ],
    ids=["out of office", "delay", "daemon without a reason", "a person quoting", "a letter", "nothing"],
)
def test_other_mail_is_no_bounce(text: str) -> None:
    assert read(text) is None


def test_what_lies_beyond_a_sensible_size_is_not_looked_at() -> None:
    assert read("From: mailer-daemon@a.test\n\n" + " " * LONGEST_BOUNCE + "\n550 5.1.1 no\n") is None


def test_a_mail_of_ten_thousand_layers_is_none() -> None:
    layer = "".join(f"Content-Type: multipart/report; boundary=b{n}\n\n--b{n}\n" for n in range(5000))
    assert read(layer) is None
    assert read("Content-Type: message/rfc822\n\n" * 8000) is None


_DAEMON = "From: MAILER-DAEMON@mx.test\nSubject: failure\n"
_LAYERS = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(220))
_REPORT = "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"


@pytest.mark.parametrize(
    "start, filling",
    [
        (f"{_DAEMON}\n550 no\nMessage-ID:", " "),
        (f"{_DAEMON}\n550 no\n", "Message-ID:\n "),
        (f"{_DAEMON}\n550 no\n", "> "),
        (f"{_DAEMON}\n550 no\n", "<"),
        (f"{_DAEMON}\n550 no\n", "5.1."),
        (f"{_DAEMON}\n550 no\n", "bounces+"),
        (f"{_DAEMON}{_LAYERS}", "\n"),
        (f'{_DAEMON}Content-Type: multipart/mixed; "', ";"),
        (f"{_DAEMON}Content-Type: multipart/mixed; boundary*0=x", "; boundary*1=x"),
        (_REPORT, "A:\n\n"),
    ],
    ids=["spaces", "ids", "quotes", "brackets", "digits", "tokens", "layers", "marks", "parameters", "blocks"],
)
def test_the_longest_mail_is_read_within_seconds_whatever_it_is_filled_with(start: str, filling: str) -> None:
    raw = (start + filling * (LONGEST_BOUNCE // len(filling)))[:LONGEST_BOUNCE].encode()
    began = time.process_time()
    read_bounce(raw, bounces=BOUNCES)
    assert time.process_time() - began < 3


def test_the_folded_id_of_a_quoted_letter_is_found() -> None:
    assert found(QMAIL.replace("Message-ID: ", "Message-ID:\n   ")).message_id == "<msg_1@shop.test>"


def reports() -> st.SearchStrategy[bytes]:
    """Reports whose every field is anything, with what a parser may stumble over among it."""
    odd = ["5.1.1", "failed", "rfc822;", "smtp; 550 5", "<>", "=?utf-8?q?=ff?=", "\r\n\r\n--cut"]
    text = st.text(max_size=40) | st.sampled_from(odd)
    names = st.sampled_from(["Action", "Status", "Diagnostic-Code", "Final-Recipient", "Content-Type", "Message-ID"])
    fields = st.lists(st.tuples(names, text), max_size=8)
    kinds = st.sampled_from(["message/delivery-status", "text/plain; charset=x", "message/rfc822", "text/plain"])
    encodings = st.sampled_from(["7bit", "base64", "quoted-printable", "x-uuencode", "\u00fc"])

    def build(outer: Any, kind: str, encoding: str, inner: Any) -> bytes:
        head = "".join(f"{name}: {value}\n" for name, value in outer)
        body = "".join(f"{name}: {value}\n" for name, value in inner)
        part = f"--cut\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{body}\n"
        whole = f"From: mailer-daemon\nContent-Type: multipart/report; boundary=cut\n{head}\n{part * 2}--cut--"
        return whole.encode("utf-8", errors="surrogatepass")

    return st.builds(build, fields, kinds, encodings, fields)


@given(st.binary(max_size=2000) | reports())
def test_reading_a_mail_never_raises_and_what_it_finds_is_clean(raw: bytes) -> None:
    bounce = read_bounce(raw, bounces=BOUNCES)
    if bounce:
        assert bounce.status[0] in "45"
        assert len(bounce.detail) <= 300
        assert bounce.detail.isprintable()


def test_a_report_built_by_a_library_is_read() -> None:
    report = MIMEMultipart("report", report_type="delivery-status")
    report.attach(MIMEText("It failed."))
    status = MIMEMessage(Message(), "delivery-status")
    block = Message()
    block["Final-Recipient"], block["Action"], block["Status"] = "rfc822; ana@example.org", "Failed", "5.7.1 (policy)"
    status.set_payload([Message(), block])
    report.attach(status)
    bounce = found(report.as_string())
    assert (bounce.recipient, bounce.status, bounce.detail) == ("ana@example.org", "5.7.1", "status 5.7.1")


# --- Amazon SES

MAIL = {
    "messageId": "0100018c-ses",
    "destination": ["ana@example.org"],
    "headers": [{"name": "Message-ID", "value": "<msg_1@shop.test>"}, {"name": "Subject", "value": "Your receipt"}],
    "commonHeaders": {"messageId": "<msg_1@shop.test>"},
}
BOUNCE = {
    "eventType": "Bounce",
    "mail": MAIL,
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [
            {"emailAddress": "ana@example.org", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
        ],
    },
}


def read_event(**event: Any) -> SesEvent:
    events = read_ses_events(json.dumps(event))
    assert events
    return events[0]


def test_a_bounce_of_ses_names_the_letter_as_we_did() -> None:
    assert read_event(**BOUNCE) == SesEvent(
        "bounce", "<msg_1@shop.test>", "ana@example.org", True, "5.1.1", "550 5.1.1 user unknown"
    )


def test_sns_may_wrap_it_and_older_notifications_name_it_otherwise() -> None:
    older = {**BOUNCE, "notificationType": "Bounce"}
    del older["eventType"]
    assert read_event(Type="Notification", Message=json.dumps(older)) == read_event(**BOUNCE)


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_another_bounce_of_ses_may_pass(kind: str) -> None:
    recipients = [{"emailAddress": "ana@example.org"}]
    bounce = {"bounceType": kind, "bounceSubType": "MailboxFull", "bouncedRecipients": recipients}
    event = read_event(eventType="Bounce", mail=MAIL, bounce=bounce)
    assert (event.is_permanent, event.status, event.detail) == (False, "", f"{kind} MailboxFull")


def test_complaints_deliveries_and_rejects_are_told_apart() -> None:
    complaint = {"complainedRecipients": [{"emailAddress": "ana@example.org"}], "complaintFeedbackType": "abuse"}
    delivery = {"recipients": ["ana@example.org"], "smtpResponse": "250 ok"}
    events = [
        read_event(eventType="Complaint", mail=MAIL, complaint=complaint),
        read_event(eventType="Delivery", mail=MAIL, delivery=delivery),
        read_event(eventType="Reject", mail=MAIL, reject={"reason": "Bad content"}),
    ]
    assert [(event.kind, event.recipient, event.detail.strip()) for event in events] == [
        ("complaint", "ana@example.org", "abuse"),
        ("delivery", "ana@example.org", "250 ok"),
        ("reject", "ana@example.org", "Bad content"),
    ]


def test_kinds_that_do_not_matter_hold_no_event_and_other_messages_are_none() -> None:
    assert read_ses_events(json.dumps({"eventType": "Send", "mail": MAIL, "send": {}})) == []
    assert read_ses_events('{"Type": "SubscriptionConfirmation", "Message": "You have chosen"}') is None
    assert read_ses_events(json.dumps(BOUNCE) + " " * LONGEST) is None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MAIL, *BOUNCE, "name"]), inner),
    max_leaves=10,
)


@given(
    kind=st.sampled_from(["Bounce", "Complaint", "Delivery", "Reject"]),
    mail=st.dictionaries(st.sampled_from(list(MAIL)), JSON),
    told=st.dictionaries(st.sampled_from(["bouncedRecipients", "complainedRecipients", "recipients", "reason"]), JSON),
)
def test_reading_an_event_never_raises(kind: str, mail: dict[str, Any], told: dict[str, Any]) -> None:
    events = read_ses_events(json.dumps({"eventType": kind, "mail": mail, kind.lower(): told}))
    assert events is not None
    assert all(event.detail.isprintable() for event in events)


@given(st.text(max_size=200) | JSON.map(json.dumps))
def test_any_text_is_read_as_events_or_as_nothing_of_ses(text: str) -> None:
    events = read_ses_events(text)
    assert events is None or all(event.detail.isprintable() for event in events)
