"""What holds a review back until somebody has read it: links, addresses, numbers to call, unwanted words. Pure."""

import re
from collections.abc import Iterable
from typing import Final, Literal

from engagement.voice import tags
from engagement.voice.tags import Tagger, TagRule

Hold = Literal["link", "email", "phone", "word"]
_EMAIL: Final = re.compile(r"[^\s@<>]{1,64}(?:@|\s?[\[(]\s?at\s?[\])]\s?)[^\s@<>]{1,190}\.[^\W\d_]{2,}", re.IGNORECASE)
# Of two letters an ending may be a word after a full stop, so it takes a path behind it.
_LINK: Final = re.compile(
    r"\b(?:https?|ftp)\s?:|\bwww\s?\.|(?<![\w.])(?:[^\W_][\w-]{0,62}\.){1,5}"
    r"(?:(?:com|net|org|info|biz|shop|store|online|site|xyz|top|app|example)\b|[a-z]{2}/)",
    re.IGNORECASE,
)
# Nine digits and more, with what stands between them: a date has eight.
_PHONE: Final = re.compile(r"(?<![\w.,])\+?(?:\d[\s()./-]{0,3}){8,}\d(?![\w])")


def holds(texts: Iterable[str], words: Iterable[str]) -> list[Hold]:
    """What is found in any of ``texts``, each once. ``words`` are the merchant's, as rules for tags write them."""
    text = "\n".join(texts)
    found: list[Hold] = []
    if _EMAIL.search(text):
        found.append("email")
    if _LINK.search(_EMAIL.sub(" ", text)):
        found.append("link")
    if _PHONE.search(text):
        found.append("phone")
    if Tagger([TagRule("word", {tags.ANY: list(words)}, denied=True)], tags.ANY).tags(text):
        found.append("word")
    return found
