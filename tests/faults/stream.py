"""The stream of the table of users, as the engine keeps it and Lambda hands it on."""

from typing import Any

import boto3

from tests.builders import client
from tests.conftest import REGION
from tests.faults.cloud import Cloud, Running

Record = dict[str, Any]


class Stream:
    """The records of every write to the table from now on, those of the projection included."""

    def __init__(self) -> None:
        """Begin to keep records."""
        made = client().update_table(
            TableName="users",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self._arn = made["TableDescription"]["LatestStreamArn"]
        self._client = boto3.client("dynamodbstreams", region_name=REGION)
        self._iterator = self._begin()

    def take(self) -> list[Record]:
        """The records that came since the last call, in order, as JSON holds them."""
        taken: list[Record] = []
        while True:
            answer = self._client.get_records(ShardIterator=self._iterator)
            self._iterator = answer["NextShardIterator"]
            if not answer["Records"]:
                return taken
            taken += [_as_event(dict(record)) for record in answer["Records"]]

    def follow(self, cloud: Cloud) -> None:
        """Have the function take all there is, what it writes itself included."""
        while records := self.take():
            deliver(cloud, records).succeeds()

    def _begin(self) -> str:
        described = self._client.describe_stream(StreamArn=self._arn)
        (shard,) = described["StreamDescription"]["Shards"]
        answer = self._client.get_shard_iterator(
            StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        return str(answer["ShardIterator"])


def deliver(cloud: Cloud, records: list[Record], *, ahead_seconds: float = 0) -> Running:
    """Invoke the function, which may take a minute and runs on beside the test."""
    return cloud.start(
        "stream", {"Records": records}, limit_seconds=60, ahead_seconds=ahead_seconds
    )


def _as_event(record: Record) -> Record:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-example.html"""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    return {**record, "dynamodb": change}
