"""The figures of a backtest, for a terminal and as a picture."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

_NAMES: Final = {
    "popularity": "what sells in the store",
    "receipts": "pairs on one receipt",
    "customers": "pairs of one customer",
    "ridge": "all items at once (ridge regression)",
}
_WIDTH: Final = 30  # signs of the longest bar
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def bars(report: dict[str, Any]) -> str:
    """A line a method, the best first."""
    rows = _best_first(report)
    most = max((each["hr10"] for each in rows), default=0) or 1
    cases, follows = (rows[0]["cases"], rows[0]["next"]["cases"]) if rows else (0, 0)
    shoppers = f", {report['shoppers']:,} shoppers" if report["shoppers"] else ""
    lines = [
        f"{report['baskets']:,} baskets, {report['items']:,} items{shoppers}.",
        f"Taught by the first 80%; one item hidden in each of {cases:,} of the last 20%.",
        "",
        f"{'method':<12}{'HR@10':>7}{'MRR':>8}{'fit s':>8}{'cases':>8}{'next' if follows else '':>8}".rstrip(),
    ]
    for each in rows:
        figures = f"{each['hr10']:>7.1%}{each['mrr']:>8.4f}{each['seconds']:>8.2f}{each['cases']:>8,}"
        figures += f"{each['next']['hr10']:>8.1%}" if follows else ""
        lines.append(f"{each['name']:<12}{figures}  {_bar(each['hr10'] / most)} {_mark(each, report)}".rstrip())
    lines += ["", *(f"{each['name']}: {_NAMES[each['name']]}{_params(each)}" for each in rows)]
    lines += _remarks(report, rows, follows)
    return "\n".join(lines)


def _remarks(report: dict[str, Any], rows: list[dict[str, Any]], follows: int) -> Iterator[str]:
    if follows:
        overruled = report["judged"] and rows[0]["name"] != report["chosen"]
        decided = " It says clearly otherwise, and decided." if overruled else ""
        yield f"\nnext: HR@10 of {follows:,} items that shoppers bought next and never had before.{decided}"
    if not report["judged"]:
        yield "\nThese are too few baskets to tell one method from another: pairs on receipts are taken."


def picture(report: dict[str, Any]) -> str:
    """An SVG of the same bars."""
    rows = _best_first(report)
    most = max((each["hr10"] for each in rows), default=0) or 1
    height = 40 + 28 * len(rows)
    title = f"HR@10, {report['baskets']:,} baskets of {report['items']:,} items"
    size = f'width="560" height="{height}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 560 {height}" role="img"',
        f'  font-family="sans-serif" font-size="13"><title>{escape(title)}</title>',
        f'<rect {size} fill="#fff"/><text x="12" y="22">{escape(title)}</text>',
    ]
    return "\n".join([*head, *_drawn(rows, most, report["chosen"]), "</svg>", ""])


def _drawn(rows: list[dict[str, Any]], most: float, chosen: str) -> Iterator[str]:
    for place, each in enumerate(rows):
        y, width = 36 + 28 * place, round(330 * each["hr10"] / most, 1)
        colour = "#1d6b57" if each["name"] == chosen else "#9aa7a3"
        yield f'<text x="12" y="{y + 14}">{escape(each["name"])}</text>'
        yield f'<rect x="110" y="{y}" width="{width}" height="20" fill="{colour}"/>'
        yield f'<text x="{118 + width}" y="{y + 14}">{each["hr10"]:.1%} (MRR {each["mrr"]:.3f})</text>'


def _best_first(report: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(report["methods"], key=lambda each: (each["hr10"], each["mrr"]), reverse=True)


def _mark(method: dict[str, Any], report: dict[str, Any]) -> str:
    return "← chosen" if method["name"] == report["chosen"] else ""


def _bar(part: float) -> str:
    eighths = round(part * _WIDTH * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _params(method: dict[str, Any]) -> str:
    told = (f"{name} {'for ever' if value is None else f'{value:g}'}" for name, value in method["params"].items())
    return f" ({', '.join(told)})"
