"""Store users whom a careless page would choke on.

All registered in 2020, so that one filter finds them.
"""

from chalicelib.users.model import Ecosystem, StoreUser
from tests.builders import customer, lead

SCRIPT = "<img src=x onerror=document.title='taken'><b>bold</b>"
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 6
RIGHT_TO_LEFT = "محمد عبد الله"
EMOJI = "👩🏽‍⚕️ Zoë 🏥"
ONLY_THEM = "registered_from=2020-01-01&registered_to=2020-12-31"


def _of_2020(day: int, name: str) -> StoreUser:
    return customer(
        f"cus_strange_{day}",
        first_name=name,
        last_name=name,
        company_email=name,
        phone_number=name,
        company_name=name,
        registered_at=f"2020-01-0{day}T10:00:00Z",
        ecosystem=Ecosystem(f"eco_strange_{day}", name, "2020-02-01T10:00:00Z"),
        version=1,
    )


STRANGERS = [
    _of_2020(1, SCRIPT),
    _of_2020(2, LONG[:200]),
    _of_2020(3, RIGHT_TO_LEFT),
    _of_2020(4, EMOJI),
    lead("led_strange_1", first_name=SCRIPT, last_name=LONG, registered_at="2020-01-01T10:00:00Z"),
]
