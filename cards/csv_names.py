"""What columns of staff lists are called, in several languages and by several programs, and which field that is."""

from functools import cache
from typing import Final, get_args

from accounts.fields import Language
from cards.networks import MESSENGERS, NETWORKS
from cards.profile import Kind, Place, Words
from infra.csv_columns import plain

PLACES: Final = ("staff", "store", "brand")
TEXTS: Final = (
    "name", "prefix", "given", "additional", "family", "suffix", "nickname", "pronouns", "title", "department",
    "organisation", "description", "booking_url", "language",
)  # fmt: skip
# Several in one cell.
LISTS: Final = ("hobbies", "languages", "links")
PARTS_OF_ADDRESS: Final = ("lines", "postal_code", "city", "region", "country")
_NAMES: Final = {
    "staff": "staff|staff id|employee|employee id|employee number|personnel number|mitarbeiter|mitarbeiternummer|"
    "personalnummer|matricule|empleado|número de empleado|matricola|رقم الموظف|कर्मचारी",
    "store": "store|shop|branch|location|filiale|laden|standort|magasin|boutique|tienda|sucursal|negozio|الفرع|दुकान",
    "brand": "brand|marke|marque|marca|العلامة التجارية|ब्रांड",
    "name": "name|full name|display name|vollständiger name|anzeigename|nom complet|nombre completo|nome completo|"
    "file as|formatted name|الاسم|الاسم الكامل|नाम|पूरा नाम",
    "prefix": "prefix|name prefix|honorific|salutation|academic title|titel|akademischer titel|anrede|civilité|"
    "tratamiento|اللقب|उपाधि",
    "given": "given|given name|first name|firstname|forename|vorname|prénom|nombre|nome|voornaam|الاسم الأول|पहला नाम",
    "additional": "additional|additional name|middle name|middle names|zweiter vorname|deuxième prénom|segundo nombre",
    "family": "family|family name|last name|lastname|surname|nachname|familienname|nom|nom de famille|apellido|"
    "apellidos|cognome|achternaam|اسم العائلة|उपनाम",
    "suffix": "suffix|name suffix|namenszusatz|suffixe|sufijo",
    "nickname": "nickname|spitzname|surnom|apodo",
    "pronouns": "pronouns|pronomen|pronoms|pronombres",
    "title": "title|job title|position|role|function|organization title|organization 1 title|berufsbezeichnung|stelle|"
    "funktion|jobtitel|poste|fonction|intitulé du poste|cargo|puesto|ruolo|المسمى الوظيفي|पद",
    "department": "department|team|organization department|organization 1 department|abteilung|service|département|"
    "departamento|reparto|القسم|विभाग",
    "organisation": "organisation|organization|company|organization name|organization 1 name|firma|unternehmen|"
    "société|entreprise|empresa|azienda|الشركة|कंपनी",
    "description": "description|about|bio|notes|beschreibung|über mich|à propos|descripción|acerca de|نبذة|विवरण",
    "hobbies": "hobbies|hobby|interests|interessen|loisirs|centres d’intérêt|aficiones|hobbys|الهوايات|शौक",
    "languages": "languages|spoken languages|languages spoken|sprachen|langues|idiomas|lingue|اللغات|भाषाएँ",
    "language": "language|card language|sprache|langue|idioma|lingua|اللغة|भाषा",
    "links": "link|links|website|web page|webpage|url|homepage|website 1 value|internetseite|webseite|site web|"
    "sitio web|página web|sito web|الموقع|वेबसाइट",
    "booking_url": "booking|booking url|booking link|appointments|termin|terminbuchung|rendez vous|reservas|cita",
    "phones.work": "phone|telephone|tel|phone number|work phone|business phone|office phone|phone 1 value|telefon|"
    "telefonnummer|telefon geschäftlich|téléphone|téléphone professionnel|teléfono|teléfono de trabajo|telefono|"
    "telefoon|الهاتف|फ़ोन",
    "phones.mobile": "mobile|mobile phone|mobile number|cell|cell phone|cellphone|handy|handynummer|mobil|mobiltelefon|"
    "mobilnummer|portable|téléphone portable|móvil|celular|cellulare|mobiel|الجوال|मोबाइल",
    "phones.home": "home phone|private phone|telefon privat|téléphone personnel|teléfono particular",
    "phones.fax": "fax|business fax|fax number|faxnummer|télécopie|الفاكس",
    "emails.work": "email|e mail|mail|email address|e mail address|work email|business email|e mail 1 value|"
    "email 1 value|mailadresse|e mail adresse|courriel|adresse e mail|correo|correo electrónico|البريد الإلكتروني|ईमेल",
    "emails.home": "private email|personal email|e mail 2 address|e mail privat|courriel personnel|correo personal",
    "addresses.work.lines": "street|address|street address|address line 1|address line 2|street 2|business street|"
    "business street 2|address 1 street|straße|strasse|anschrift|rue|adresse|calle|dirección|via|indirizzo|العنوان|पता",
    "addresses.work.postal_code": "postal code|postcode|zip|zip code|business postal code|address 1 postal code|plz|"
    "postleitzahl|code postal|código postal|cap|الرمز البريدي|पिन कोड",
    "addresses.work.city": "city|town|business city|address 1 city|ort|stadt|ville|ciudad|città|المدينة|शहर",
    "addresses.work.region": "region|state|province|county|business state|address 1 region|bundesland|région|"
    "provincia|estado|المنطقة|राज्य",
    "addresses.work.country": "country|business country|business country region|address 1 country|land|pays|país|"
    "paese|البلد|देश",
}
# What networks were called, and how they are spelled.
_ACCOUNTS: Final = {"twitter": "socials.x", "we chat": "messengers.wechat"}


def field_of(column: str) -> str | None:
    """The field that a column of this name is for: one of those that :func:`is_field` knows."""
    told = column.strip()
    return told if is_field(told) else _known().get(plain(told))


def is_field(path: str) -> bool:
    """``title``, ``phones.mobile``, ``socials.linkedin``, ``addresses.work.city``, ``translations.de.title``, …"""
    first, *rest = path.split(".")
    match rest:
        case []:
            return first in (*PLACES, *TEXTS, *LISTS)
        case [kind]:
            return kind in _KINDS.get(first, ())
        case [kind, part] if first == "addresses":
            return kind in get_args(Place) and part in PARTS_OF_ADDRESS
        case [language, part] if first == "translations":
            return language in get_args(Language) and part in Words.model_fields
    return False


_KINDS: Final = {
    "phones": get_args(Kind),
    "emails": get_args(Place),
    "socials": tuple(NETWORKS),
    "messengers": tuple(MESSENGERS),
}


@cache
def _known() -> dict[str, str]:
    networks = {plain(service.name): f"socials.{key}" for key, service in NETWORKS.items()}
    messengers = {plain(service.name): f"messengers.{key}" for key, service in MESSENGERS.items()}
    told = {plain(name): field for field, names in _NAMES.items() for name in names.split("|")}
    return networks | messengers | _ACCOUNTS | told
