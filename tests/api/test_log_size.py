"""What a gateway's question leaves in the log is what docs/costs.md counts with."""

import pytest

from infra.costs.usage import QUESTION_LOG_BYTES
from tests.api.client import Client
from tests.builders import save_ecosystem


def test_a_question_takes_as_much_of_the_log_as_its_price_says(
    api: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    save_ecosystem()
    assert api.get("/v1/ecosystems/eco_17/access", "gateway").status == 200
    (line,) = capsys.readouterr().out.splitlines()
    # CloudWatch adds 26 bytes to each event; milliseconds have a digit more or less.
    assert abs(len(line) + 26 - QUESTION_LOG_BYTES) <= 10
