"""Three tables with NULLs, ties and lost partners, over which random specifications are written."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

RANDOM_TABLES: dict[str, dict[str, str]] = {
    "clients": {
        "client_id": "integer",
        "town": "text",
        "joined": "date",
        "active": "boolean",
        "credit": "numeric(8,2)",
    },
    "purchases": {
        "purchase_id": "integer",
        "client_id": "integer",
        "price": "numeric(8,2)",
        "pieces": "integer",
        "bought": "date",
        "status": "text",
    },
    "parcels": {
        "parcel_id": "integer",
        "purchase_id": "integer",
        "grams": "bigint",
        "carrier": "text",
        "sent": "date",
    },
}


def _day(number: int) -> dt.date:
    return dt.date(2024, 1, 1) + dt.timedelta(days=number)


RANDOM_ROWS: dict[str, list[tuple[Any, ...]]] = {
    "clients": [
        (1, "Bern", _day(0), True, Decimal("10.00")),
        (2, "Oslo", _day(31), False, Decimal("0.50")),
        (3, "Bern", None, None, None),
        (4, None, _day(31), True, Decimal("-3.25")),
        (5, "Rome", _day(400), False, Decimal("10.00")),
        (6, "", _day(59), True, Decimal("99.99")),
    ],
    "purchases": [
        (10, 1, Decimal("5.00"), 1, _day(1), "paid"),
        (11, 1, Decimal("7.50"), 2, _day(2), "paid"),
        (12, 1, Decimal("7.50"), None, _day(40), "open"),
        (13, 2, Decimal("1.00"), 7, _day(40), "open"),
        (14, 2, None, 3, None, "late"),
        (15, 3, Decimal("20.05"), 2, _day(75), None),
        (16, 3, Decimal("0.00"), 0, _day(75), "paid"),
        (17, 4, Decimal("-4.10"), -2, _day(380), "late"),
        (18, 9, Decimal("3.33"), 5, _day(2), "paid"),
        (19, None, Decimal("3.33"), 5, _day(2), "paid"),
        (20, None, None, None, None, None),
        (21, 4, Decimal("12.00"), 4, _day(90), "open"),
    ],
    "parcels": [
        (100, 10, 250, "post", _day(3)),
        (101, 10, 1000, "rail", _day(4)),
        (102, 11, None, "post", None),
        (103, 13, 40, None, _day(41)),
        (104, 15, 5000, "Post", _day(80)),
        (105, 18, 250, "rail", _day(3)),
        (106, 77, 9, "post", _day(9)),
        (107, None, 12, "rail", _day(10)),
        (108, 21, 250, "post", _day(95)),
    ],
}
