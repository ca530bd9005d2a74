"""The dashboard: one definition of tiles, read on this machine and drawn in Azure."""

from mlops_platform.dashboard.read import read
from mlops_platform.dashboard.states import State, Word
from mlops_platform.dashboard.tiles import TILES, Tile

__all__ = ["TILES", "State", "Tile", "Word", "read"]
