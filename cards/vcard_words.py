"""Words of ours on a vCard, in the reader's language. They stand apart, since catalogues come from the settings."""

from typing import Final

from cards.vcard import Labels
from infra.i18n import later, voice

_BOOKING: Final = later("Book an appointment")
_HOBBIES: Final = later("Hobbies")
_LANGUAGES: Final = later("Languages")


def labels(language: str) -> Labels:
    """``language`` is one of ours."""
    say = voice(language).gettext
    return Labels(booking=say(_BOOKING), hobbies=say(_HOBBIES), languages=say(_LANGUAGES))
