"""Fill the database of the settings with one merchant, and print a key of it."""

from accounts import keys, manage
from cli.opened import transaction
from infra.schema import bring_up_to_date
from infra.settings import Settings
from kernel.clock import utc_now


def main() -> None:
    bring_up_to_date(Settings().data.where_database())
    now = utc_now()
    with transaction() as conn:
        merchant_id = manage.create_merchant(conn, "bench", manage.MerchantProfile(name="Bench"), now=now)
        manage.put_brand(conn, merchant_id, "bench", manage.BrandProfile(name="Bench", languages=["de"]), now=now)
        store = manage.StoreProfile(name="Bench Mitte", brand="bench", timezone="Europe/Berlin")
        manage.put_store(conn, merchant_id, "mitte", store, now=now)
        manage.put_till(conn, merchant_id, "mitte", "till-3", manage.TillProfile(name="Till 3"), now=now)
        manage.put_staff_member(conn, merchant_id, "emma", manage.StaffProfile(name="Emma"), now=now)
        key, _ = keys.create(conn, merchant_id, name="bench", scopes=list(keys.SCOPES), now=now)
    print(key)


if __name__ == "__main__":
    main()
