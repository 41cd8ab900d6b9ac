"""Proofs of campaigns, as they are made up for tests, and what the house finds in them."""

import json
from typing import Any, Final

from engagement import scratch
from engagement.rewards.proof import FORMAT, Judgement, Proof, judge
from tests.support.sales import Body

SEED: Final = bytes(range(32))


def table(*prizes: tuple[int, int], nothing: int = 0, mode: str = "draw") -> Body:
    """Of weights and stocks."""
    rows = [{"slug": f"p{at}", "weight": weight, "stock": stock} for at, (weight, stock) in enumerate(prizes)]
    return {"campaign": "cmp_1", "mode": mode, "nothing": nothing, "prizes": rows}


def draws_of(told: Body, count: int) -> list[Body]:
    """So many draws, each prize as often as there are of it: as the house draws, but written by itself."""
    weights = [*(prize["weight"] for prize in told["prizes"]), told["nothing"]]
    left = [prize["stock"] for prize in told["prizes"]]
    made = []
    for number in range(count):
        entry, open_ = f"rct_{number:05d}/0", list(weights)
        gone: list[int] = []
        while True:
            index = scratch.drawn(SEED, campaign="cmp_1", receipt=entry, nonce=len(gone), weights=open_)
            if index == len(left) or left[index]:
                break
            gone.append(index)
            open_[index] = 0
        if index < len(left):
            left[index] -= 1
        made.append({"reward": f"rwd_{number:05d}", "entry": entry, "nonce": len(gone), "gone": gone, "outcome": index})
    return made


def proof_of(told: Body, draws: list[Body], **changes: Any) -> Body:
    head = {"format": FORMAT, "campaign": "cmp_1", "seed": SEED.hex(), "cards": len(draws), "draws": draws}
    hashes = {"seed_sha256": scratch.seed_digest(SEED), "table_sha256": scratch.table_digest(told), "table": told}
    return head | hashes | changes


def judged(proof: Body) -> Judgement:
    read = Proof.read(json.dumps(proof).encode())
    return judge(read, read.draws)
