"""What columns of product lists are called, in several languages and by several programs, and which field that is."""

from functools import cache
from typing import Final, get_args

from accounts.fields import Language
from engagement.offers.catalogue import Product
from infra.csv_columns import Fields, plain

# By language: ``name`` alone is in the table's own.
BY_LANGUAGE: Final = ("name", "warranty", "care")
# A price for a while: where a row has one, its other price is the one before.
SALE_PRICE: Final = "sale_price"
_NAMES: Final = {
    "sku": "sku|variant sku|item number|item no|article number|article|product id|product code|id|artikelnummer|"
    "artikel nr|artikelnr|bestellnummer|référence|reference|code article|referencia|código|codice|رمز المنتج|كود",
    "gtin": "gtin|ean|ean13|upc|barcode|variant barcode|isbn|gtin upc ean or isbn|strichcode|code barres|"
    "código de barras|codice a barre|الباركود|बारकोड",
    "name": "name|title|product|product name|item|item name|bezeichnung|artikel|artikelbezeichnung|produkt|"
    "produktname|nom|désignation|libellé|produit|nombre|producto|artículo|nome|prodotto|اسم المنتج|الاسم|नाम|उत्पाद",
    "price": "price|variant price|regular price|unit price|retail price|preis|verkaufspreis|vk|prix|prix de vente|"
    "precio|prezzo|السعر|मूल्य|क़ीमत",
    "list_price": "list price|compare at price|variant compare at price|msrp|rrp|uvp|listenpreis|prix conseillé|"
    "precio de lista|prezzo di listino",
    "sale_price": "sale price|special price|angebotspreis|aktionspreis|prix promo|prix soldé|precio rebajado|"
    "prezzo scontato",
    "currency": "currency|währung|devise|moneda|valuta|العملة|मुद्रा",
    "image": "image|image url|image link|image src|picture|bild|bild url|photo|imagen|immagine|الصورة",
    "category": "category|categories|product category|product type|type|kategorie|warengruppe|catégorie|rayon|"
    "categoría|categoria|الفئة|श्रेणी",
    "brand": "brand|brands|vendor|manufacturer|maker|marke|hersteller|marque|fabricant|marca|fabricante|produttore|"
    "العلامة التجارية|ब्रांड",
    "stock": "stock|quantity|qty|inventory|inventory quantity|variant inventory qty|on hand|available|bestand|"
    "lagerbestand|menge|quantité|en stock|existencias|cantidad|giacenza|المخزون|स्टॉक",
    "link": "link|url|product url|product link|permalink|web page|webseite|produktlink|lien|enlace|الرابط",
    "warranty_months": "warranty months|warranty in months|garantie monate|garantiemonate|mois de garantie|"
    "meses de garantía|mesi di garanzia|أشهر الضمان",
    "warranty": "warranty|guarantee|garantie|gewährleistung|garantía|garanzia|الضمان|वारंटी",
    "care": "care|care guide|care instructions|pflege|pflegehinweise|pflegeanleitung|entretien|conseils d’entretien|"
    "cuidado|cuidados|manutenzione|العناية|देखभाल",
    "complements": "complements|goes with|cross sells|upsells|accessories|passt zu|zubehör|accessoires|accesorios|"
    "accessori",
    "again": "again|consumable|used up|verbrauchsartikel|consommable|consumible",
    "shared": "shared|geteilt|partagé|compartido",
    "active": "active|published|status|aktiv|veröffentlicht|actif|publié|activo|publicado|attivo|نشط|सक्रिय",
}


def field_of(column: str) -> str | None:
    """The field that a column of this name is for: one of those that :func:`is_field` knows."""
    told = column.strip()
    return told if is_field(told) else _known().get(plain(told))


def is_field(path: str) -> bool:
    """``price``, ``name``, ``name.de``, ``care.en``, …"""
    first, dot, language = path.partition(".")
    if dot:
        return first in BY_LANGUAGE and language in get_args(Language)
    return first in Product.model_fields or first == SALE_PRICE


FIELDS: Final = Fields(
    field_of, is_field, "names a field that products do not have; sku, name.de, price, stock or care.en would be some"
)


@cache
def _known() -> dict[str, str]:
    return {plain(name): field for field, names in _NAMES.items() for name in names.split("|")}
