"""A slip as a shop hands it out: fourteen lines, weights, deposits, discounts, two taxes, two tenders, a QR code."""

from html import escape

LINK = "https://receipts.example.com/r/Zm9vYmFyYmF6cXV4MTIzNA"

LINES = (
    ("Sourdough loaf", "1 × 5.40", "5.40"),
    ("Evening 20 %", "", "−1.08"),
    ("Apples, loose", "0.735 kg × 2.99", "2.20"),
    ("Bread knife, walnut handle", "1 × 24.90", "24.90"),
    ("Oat drink barista 1 l", "3 × 2.29", "6.87"),
    ("Deposit", "3 × 0.25", "0.75"),
    ("Crème brûlée", "2 × 4.50", "9.00"),
    ("Żurek z jajkiem", "1 × 7.80", "7.80"),
    ("Mineral water, sparkling 0.7 l", "6 × 0.89", "5.34"),
    ("Deposit", "6 × 0.15", "0.90"),
    ("Beeswax candle", "2 × 3.95", "7.90"),
    ("Paper bag", "1 × 0.20", "0.20"),
    ("Coffee beans, dark roast 1 kg", "1 × 18.90", "18.90"),
    ("Loyalty", "", "−1.00"),
)

STYLE = """
body { margin: 0; font-size: 9pt; line-height: 1.4; font-variant-numeric: tabular-nums; color: #111 }
header { text-align: center; margin-bottom: 4mm }
h1 { font-size: 14pt; margin: 0 }
h2 { font-size: 9pt; margin: 4mm 0 1mm }
p { margin: 0 }
table { width: 100%; table-layout: fixed; border-spacing: 0 }
th, td { font-weight: normal; text-align: left; vertical-align: top; padding: 0.5mm 0 }
td { text-align: right; width: 24mm }
th p { font-size: 8pt; color: #555 }
.total th, .total td { font-weight: bold; font-size: 12pt; border-top: 0.4mm solid #111; padding-top: 1mm }
.fiscal { font-size: 7pt; color: #444; margin-top: 4mm; border-top: 0.2mm dashed #999; padding-top: 2mm;
  overflow-wrap: anywhere }
footer { text-align: center; margin-top: 4mm }
img { width: 32mm; height: 32mm; image-rendering: pixelated }
"""


def slip(*, times: int = 1, style: str = "", code: str = "qr.png") -> str:
    """The slip as well-formed HTML, its lines repeated ``times``; ``style`` goes into its head."""
    lines = "".join(_line(*line) for line in LINES * times)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><title>Receipt 000417</title><style>{style}</style></head><body>
<header><h1>Bäckerei Mitte</h1><p>Brückenstraße 4, 10179 Berlin</p><p>VAT DE 123 456 789</p>
<p>+49 30 1234567</p></header>
<table><tr><th>Receipt</th><td>000417</td></tr><tr><th>21 Nov 2026, 17:42</th><td>Emma</td></tr></table>
<h2>Items</h2><table>{lines}<tr class="total"><th>Total</th><td>€87.98</td></tr></table>
<h2>Paid</h2><table>{_line("Visa •••• 4242, contactless", "AID A0000000031010, 104522", "77.98")}
{_line("Cash", "given 20.00, change 10.00", "10.00")}</table>
<h2>Tax included</h2><table><tr><th>Rate</th><td>Net</td><td>Tax</td></tr>
<tr><th>7 %</th><td>52.33</td><td>3.66</td></tr><tr><th>19 %</th><td>26.88</td><td>5.11</td></tr></table>
<div class="fiscal"><p>TSE 18812, 17:41:32 to 17:42:10</p>
<p>Serial 9f8e7d6c5b4a39281706f5e4d3c2b1a0998877665544332211</p>
<p>Signature MEUCIQDx8cFJm5Zq1O2lSBn1kq6v7uDWrV7lZbK3y1jVn</p></div>
<footer><img src="{code}" alt="QR code of this receipt"/><p>Thank you and see you soon</p></footer></body></html>"""


def _line(name: str, how: str, amount: str) -> str:
    second = f"<p>{how}</p>" if how else ""
    return f"<tr><th>{escape(name)}{second}</th><td>{amount}</td></tr>"
