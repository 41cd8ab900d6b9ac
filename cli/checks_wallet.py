"""Checks of the two wallets: files, certificates, and whom they are for."""

from cli.verdict import Verdict, doubtful, ill, well
from infra.google_wallet import GoogleWalletDown, read_account
from infra.pass_signer import PassesUnsigned, expires_soon, faults, open_signer
from infra.settings import Settings
from kernel.clock import utc_now

_RENEW = "renew it at developer.apple.com; docs/wallet.md tells how"


def apple(settings: Settings) -> Verdict:
    wallet, now = settings.wallet, utc_now()
    if wallet.lacking_for_apple:
        return well(f"no passes are made; {', '.join(wallet.lacking_for_apple)} would be needed")
    try:
        signer = open_signer(wallet)
    except PassesUnsigned as error:
        return ill(error.why, "see docs/wallet.md for the files")
    wrong = faults(signer, wallet, now=now)
    if wrong:
        return ill("; ".join(wrong), "see docs/wallet.md for the files")
    ends = min(signer.certificate.not_valid_after_utc, signer.wwdr.not_valid_after_utc)
    if expires_soon(signer, now=now):
        return doubtful(f"a certificate expires on {ends:%Y-%m-%d}", _RENEW)
    if not settings.server.address().startswith("https://"):
        return doubtful("passes never change: phones ask https addresses only", "set COUNTERFOIL_BASE_URL to one")
    return well(f"passes of {wallet.apple_pass_type}, team {wallet.apple_team_id}, until {ends:%Y-%m-%d}")


def google(settings: Settings) -> Verdict:
    wallet = settings.wallet
    if wallet.google_wallet_key is None:
        return well(f"no objects are made; {', '.join(wallet.lacking_for_google)} would be needed")
    try:
        account = read_account(wallet.google_wallet_key)
    except GoogleWalletDown as error:
        return ill(error.why, "download the key of the service account again; docs/wallet.md tells how")
    return well(f"objects of issuer {wallet.google_wallet_issuer}, by {account.email}")
