"""The README says that nothing was proved on AWS until the page is there that proves it."""

from infra.package import ROOT
from infra.prove.page import PAGE

SENTENCE = "Store Users was never deployed to an AWS account"


def test_the_readme_says_that_it_was_never_deployed_until_the_page_is_there() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert (SENTENCE in readme) is not PAGE.exists()
    assert ("docs/proved-on-aws.md" in readme) is PAGE.exists()
