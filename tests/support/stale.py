"""What a worker forgets of cards, without waiting for it."""

from cards.stale import FORGET
from worker.pictures import forget_pictures
from worker.workshop import Workshop


def forget_stale(shop: Workshop) -> int:
    """Do the jobs that wait, also those that are to wait for a while; how many there were."""
    client = shop.jobs._client
    found = client.list_workflows(name=FORGET, status=["ENQUEUED", "DELAYED"])
    for each in found:
        assert each.input is not None
        forget_pictures(shop, each.workflow_id, each.input["args"][0])
        client.delete_workflow(each.workflow_id)
    return len(found)
