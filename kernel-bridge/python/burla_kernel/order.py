"""How one cell is to run, as the editor says it (`ArmedRun` in `kernel-bridge/src/kernel.ts`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional


@dataclass(frozen=True)
class Order:
    cell_id: str
    #: URL, token and certificate; None for the local cluster.
    cluster: Optional[dict[str, str]]
    cluster_name: str
    only_inputs: Optional[tuple[int, ...]]
    attach_to: Optional[str]
    #: Which job of the cell that is, from 0: a cell has one for each map.
    attach_step: int

    @staticmethod
    def read(message: dict[str, Any]) -> "Order":
        only, cluster = message["onlyInputs"], message["cluster"]
        address = None if cluster is None else {name: value for name, value in cluster.items() if value is not None}
        return Order(message["cellId"], address, message["clusterName"], None if only is None else tuple(only), message["attachTo"], message.get("attachStep", 0))
