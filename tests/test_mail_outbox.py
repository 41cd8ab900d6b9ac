"""Without a mail server letters lie in a folder, to be looked at."""

import os
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from infra.mail import Deferred, Letter, Refused
from infra.outbox import Attachment, Outbox, letters, read


def letter(subject: str = "Your receipt", recipient: str = "ana@example.org") -> Letter:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "Linden & Rye <receipts@shop.test>", recipient, subject
    message.set_content("Thank you, Jürgen.\n")
    message.add_alternative("<p>Thank you, Jürgen.</p>\n", subtype="html")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="receipt.pdf")
    return Letter("receipts@shop.test", recipient, message.as_bytes())


def test_a_letter_can_be_opened_as_its_reader_would(tmp_path: Path) -> None:
    letter_id = Outbox(tmp_path).send(letter("Ihr Beleg: 3 €"))
    opened = read(tmp_path, letter_id)
    assert opened
    assert (opened.kept.recipient, opened.kept.subject) == ("ana@example.org", "Ihr Beleg: 3 €")
    assert opened.sender == "Linden & Rye <receipts@shop.test>"
    assert (opened.text, opened.html) == ("Thank you, Jürgen.\n", "<p>Thank you, Jürgen.</p>\n")
    assert opened.attachments == (Attachment("receipt.pdf", "application/pdf", b"%PDF-1.7"),)


def test_a_letter_of_text_alone_has_no_html(tmp_path: Path) -> None:
    letter_id = Outbox(tmp_path).send(Letter("a@b.test", "c@d.test", b"Subject: x\r\n\r\nHello.\r\n"))
    opened = read(tmp_path, letter_id)
    assert opened
    assert (opened.text, opened.html, opened.attachments) == ("Hello.\n", None, ())


def test_the_newest_come_first_and_the_oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.outbox.MOST_KEPT", 3)
    outbox = Outbox(tmp_path)
    ids = [f"ltr_{number:026d}" for number in range(5)]
    coming = iter(ids)
    monkeypatch.setattr("infra.outbox.new_id", lambda _prefix, _now: next(coming))
    for number in range(5):
        outbox.send(letter(f"Receipt {number}"))
    assert [kept.subject for kept in letters(tmp_path)] == ["Receipt 4", "Receipt 3", "Receipt 2"]
    assert [kept.id for kept in letters(tmp_path, most=1)] == ids[-1:]


def test_an_empty_outbox_has_no_letters(tmp_path: Path) -> None:
    assert letters(tmp_path / "none") == []


@pytest.mark.parametrize("letter_id", ["../secret", "/etc/passwd", "", "ltr_" + "0" * 26])
def test_no_id_leads_out_of_the_folder(tmp_path: Path, letter_id: str) -> None:
    (tmp_path / "secret.eml").write_bytes(b"Subject: secret\r\n\r\n")
    folder = tmp_path / "outbox"
    Outbox(folder).send(letter())
    assert read(folder, letter_id) is None


def test_an_address_cannot_write_into_the_head(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        Outbox(tmp_path).send(Letter("a@b.test", "a@b.test\r\nSubject: other", b""))


def test_what_a_killed_worker_left_half_written_is_removed(tmp_path: Path) -> None:
    Outbox(tmp_path).send(letter())
    half = tmp_path / ".parts" / "half"
    half.write_bytes(b"Subject: ")
    os.utime(half, (0, 0))
    Outbox(tmp_path).send(letter())
    assert not half.exists()
    assert len(letters(tmp_path)) == 2


def test_a_folder_that_cannot_be_written_to_is_a_reason_to_try_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Deferred, match="COUNTERFOIL_MAIL_OUTBOX"):
        Outbox(tmp_path / "file" / "outbox").send(letter())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "COUNTERFOIL_MAIL_OUTBOX" in (Outbox(tmp_path / "file").check() or "")
    assert "COUNTERFOIL_MAIL_OUTBOX" in (Outbox(tmp_path / "file" / "outbox").check() or "")
    assert Outbox(tmp_path / "outbox").check() is None
