"""Whether the topics reach someone: subscriptions that were confirmed, and are still there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from infra.doctor.finding import Finding
from infra.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_ADDRESSES = {"AlarmTopic": "AlarmEmail", "MarketingTopic": "MarketingEmail"}
"""The parameter with the address that the template subscribes to each topic."""


def subscriptions(stage: Stage) -> Iterator[Finding]:
    """The subscriptions of each topic.

    SNS removes one that is not confirmed within two days, and receivers can
    remove theirs by a link in each mail. CloudFormation notices neither.
    """
    client: SNSClient = stage.target.client("sns")
    for topic, parameter in _ADDRESSES.items():
        arn = stage.resources[topic]
        pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        listed = [one for page in pages for one in page["Subscriptions"]]
        address = stage.parameters.get(parameter, "")
        fault = _fault(listed, parameter, address, is_needed=_is_needed(stage, topic))
        remedy = f"aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint "
        yield Finding(
            f"subscriptions of {topic}",
            is_well=not fault,
            seen=fault or (f"{len(listed)} confirmed" if listed else "none"),
            remedy=f"{remedy}{address or 'ADDRESS'}, then open the link in the mail",
        )


def _is_needed(stage: Stage, topic: str) -> bool:
    """Return True if someone has to hear of the topic: not of a stage that is only tried."""
    if topic == "MarketingTopic" and stage.parameters.get("ScheduledExport") == "DISABLED":
        return False
    return stage.target.endpoint is None and stage.parameters.get("DeletionProtection") != "false"


def _fault(
    listed: Sequence[Mapping[str, Any]], parameter: str, address: str, *, is_needed: bool
) -> str:
    """What is wrong with the subscriptions of a topic; empty where nothing is."""
    # https://docs.aws.amazon.com/sns/latest/api/API_Subscription.html: else it is no ARN.
    confirmed = [one for one in listed if one["SubscriptionArn"].startswith("arn:")]
    if waiting := len(listed) - len(confirmed):
        return f"{waiting} of {len(listed)} not confirmed"
    if address and address not in {one["Endpoint"] for one in confirmed}:
        return f"the address in {parameter} was removed"
    return "no one is subscribed" if is_needed and not confirmed else ""
