"""Prices of AWS in us-east-1, as stored copies of public pages said on 28 November 2026.

The price list itself could not be asked. A source is the page that says the price, with the date
that the page bears, if any.
"""

from typing import NamedTuple


class Price(NamedTuple):
    """Dollars for `per` of a unit. Each month an account has `free` units without charge, always.

    `what` is the line of the bill, `unit` what is counted.
    """

    what: str
    dollars: str
    per: int
    unit: str
    free: float
    source: str

    def cents(self, amount: float, *, less_free: bool = False) -> int:
        """The charge for so many units, in whole cents; `less_free` takes off what is free."""
        charged = max(0.0, amount - self.free) if less_free else amount
        return round(charged / self.per * float(self.dollars) * 100)


_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_CLOUDBURN = "https://cloudburn.io/blog/amazon"
_LAMBDA = "https://c3x.dev/blog/estimating-aws-lambda-costs-from-terraform"
_REQUEST_UNITS = "https://airbyte.com/data-engineering-resources/dynamodb-pricing (July 2025)"
_EGRESS = "https://www.usage.ai/blogs/aws/networking-cost/data-transfer-costs/ (June 2026)"
_FILES = (
    "https://devnotes.tech/understanding-aws-s3-pricing-a-complete-cost-breakdown-with-examples"
)
_MACHINES = "https://dev.classmethod.jp/articles/amazon-cognito-tiered-pricing-m2m-usage (May 2024)"
_METRICS = "https://signoz.io/guides/cloudwatch-pricing (February 2026)"
_LOGS = "https://hykell.com/kb/platform-specific-guides/aws-cloudwatch-logs-pricing"
_WATCHING = "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/ (June 2026)"  # noqa: E501 - an address
_REST = "https://docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html"
_KEYS = "https://www.wring.co/blog/aws-kms-pricing-guide (March 2026)"
_SECRETS = (
    "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms"
)
_MESSAGES = "https://www.factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols/"

PRICES = {
    "writes": Price("DynamoDB: writes", "0.625", 1_000_000, "WRU", 0, _REQUEST_UNITS),
    "reads": Price("DynamoDB: reads", "0.125", 1_000_000, "RRU", 0, _REQUEST_UNITS),
    "stored": Price(
        *("DynamoDB: storage", "0.25", 1, "GB", 25, "https://aws.amazon.com/dynamodb/pricing/")
    ),
    "recoverable": Price(
        *("DynamoDB: recovery to any second", "0.20", 1, "GB", 0),
        "not looked up: from an earlier version of this page",
    ),
    "alarms": Price(
        *("CloudWatch: alarms", "0.10", 1, "alarms", 10),
        f"https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm; free: {_CLOUDWATCH}",
    ),
    "dashboards": Price("CloudWatch: dashboards", "3.00", 1, "dashboards", 3, _WATCHING),
    "metrics": Price("CloudWatch: metrics of our own", "0.30", 1, "metrics", 10, _METRICS),
    "logged": Price("CloudWatch: logs taken in", "0.50", 1, "GB", 5, _LOGS),
    "kept_logs": Price("CloudWatch: logs kept", "0.03", 1, "GB", 0, _LOGS),
    "key_requests": Price("KMS: requests", "0.03", 10_000, "requests", 20_000, _KEYS),
    "secrets": Price("Secrets Manager: secrets", "0.40", 1, "secrets", 0, _SECRETS),
    "secret_requests": Price("Secrets Manager: requests", "0.05", 10_000, "requests", 0, _SECRETS),
    "requests": Price("API Gateway: requests", "3.50", 1_000_000, "requests", 0, _REST),
    "invocations": Price("Lambda: requests", "0.20", 1_000_000, "requests", 1_000_000, _LAMBDA),
    "gb_seconds": Price(
        "Lambda: duration on arm64", "13.3334", 1_000_000, "GB-seconds", 400_000, _LAMBDA
    ),
    "files": Price("S3: storage", "0.023", 1, "GB", 0, _FILES),
    "file_writes": Price("S3: writes", "0.005", 1_000, "requests", 0, _FILES),
    "queue_requests": Price(
        *("SQS: requests", "0.40", 1_000_000, "requests", 1_000_000),
        f"{_CLOUDBURN}-sqs-pricing (March 2026)",
    ),
    "mails": Price(
        *("SNS: mails", "2.00", 100_000, "mails", 0),
        f"{_MESSAGES}; free mails: not looked up",
    ),
    "scheduled": Price(
        *("EventBridge Scheduler: runs", "1.00", 1_000_000, "runs", 14_000_000),
        f"{_CLOUDBURN}-eventbridge-pricing (March 2026)",
    ),
    "sent": Price("data out to the internet", "0.09", 1, "GB", 100, _EGRESS),
    "machines": Price("Cognito: machine clients", "6.00", 1, "clients", 0, _MACHINES),
    "tokens": Price("Cognito: tokens of machines", "2.25", 1_000, "tokens", 0, _MACHINES),
}
"""The lines of a bill, in order."""
