"""Ids of items in published checklists, for the field `maps_to` of a check.

- `A.1` ... `E.4`: deon, the checklist of DrivenData, version 0.4
- `MEASURE 2.11`: NIST AI 100-1, AI Risk Management Framework 1.0, table 3
- `Annex IV 2(g)`: Regulation (EU) 2024/1689, technical documentation
"""

from __future__ import annotations

DEON = {"A": 4, "B": 3, "C": 5, "D": 5, "E": 4}
MEASURE = {1: 3, 2: 13, 3: 3, 4: 3}
ANNEX_IV = {1: "abcdefgh", 2: "abcdefgh", **dict.fromkeys(range(3, 10), "")}

ITEMS = frozenset(
    [f"{part}.{item}" for part, count in DEON.items() for item in range(1, count + 1)]
    + [f"MEASURE {part}.{item}" for part, n in MEASURE.items() for item in range(1, n + 1)]
    + [f"Annex IV {point}" for point in ANNEX_IV]
    + [f"Annex IV {point}({letter})" for point, letters in ANNEX_IV.items() for letter in letters]
)
