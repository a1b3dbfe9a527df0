"""The emulator's process: MiniStack, with gateway, policies, streams and sessions as on AWS.

MiniStack 1.5 saves its state when it is ended, and with it how far each function has read a
stream, but not the stream's records. After a restart the positions lie beyond all new records, so
no function sees one, and records that were not read yet are lost. DynamoDB keeps them for 24 hours.

With `AUTH=true` it evaluates policies. Three things are missing there:

- `Ref` of a secret is its name, and not its ARN, which the policies of the functions name.
- The stack listens on this machine alone, without TLS, which the policy of the bucket demands.
- `dynamodb:LeadingKeys` is never set, and `dynamodb:Attributes` for projections alone. A condition
  of `ForAllValues` holds where its key is not set: the bounds of the audit would not be tried.

Where a sign-in of the hosted page is renewed at `/oauth2/token`, MiniStack leaves the groups out of
the new tokens. Cognito does not.

What API Gateway does to requests and answers is in infra/gateway_shim.py.

`emulator.start` runs this file as a program, with MiniStack's settings in the environment.
"""

# ruff: noqa: SLF001 - MiniStack has no public way to any of it

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from hypercorn.config import Config
from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import cognito, dynamodb
from ministack.services.cloudformation import engine

_SAVE_SECONDS = 600
"""Time to save the state in; after hypercorn's minute the process would end amid saving."""

_EQUALITY = re.compile(r"(#?\w+)\s*=\s*(:\w+)")

_request: ContextVar[Mapping[str, Any]] = ContextVar("_request")
"""The body of the request to DynamoDB that is being authorized."""


_BEYOND = 10**9
"""A stream's trim horizon beyond the positions in a state that was saved without records."""


def keep_streams() -> None:
    """Make MiniStack save the records of streams with the tables, and restore them."""
    tables_only, restore_tables = dynamodb.get_state, dynamodb.load_persisted_state

    def get_state() -> dict[str, Any]:
        streams = {"records": dynamodb._stream_records, "trimmed": dynamodb._stream_trimmed}
        return {**tables_only(), "streams": streams}

    def load_persisted_state(data: dict[str, Any]) -> None:
        restore_tables(data)
        if streams := data.get("streams"):
            dynamodb._stream_records.update(streams["records"])
            dynamodb._stream_trimmed.update(streams["trimmed"])
            return
        for (account, region, table), _ in dynamodb._tables.all_items():
            dynamodb._stream_trimmed.set_scoped(account, region, table, _BEYOND)

    dynamodb.get_state, dynamodb.load_persisted_state = get_state, load_persisted_state


def refer_to_secrets_by_arn() -> None:
    """Make `Ref` of a secret its ARN: the resource that policies and requests are matched by."""
    resolve = engine._resolve_refs

    def resolve_refs(value: Any, resources: dict[str, Any], *others: Any) -> Any:
        resource = resources.get(value.get("Ref", ""), {}) if isinstance(value, dict) else {}
        if resource.get("ResourceType") == "AWS::SecretsManager::Secret":
            return resource["Attributes"]["Arn"]
        return resolve(value, resources, *others)

    # Its own calls of itself go through the name in the module, too.
    engine._resolve_refs = resolve_refs


def take_loopback_for_tls() -> None:
    """Make policies that demand TLS take plain HTTP for it, as nothing leaves the machine."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda address, _: pin(address, secure_transport=True)


def supply_condition_keys() -> None:
    """Set `dynamodb:LeadingKeys` and, for items that are put, `dynamodb:Attributes`."""
    context_of, enforce = iam_actions.dynamodb_service_context, iam_evaluator.enforce

    def dynamodb_service_context(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = context_of(body)
        # MiniStack answers a body that is no object with no key at all.
        _request.set(json.loads(body or b"{}") if context else {})
        return context

    def enforce_items(
        *asked: str, resource_arn: str = "*", service_context: dict[str, Any] | None = None
    ) -> Any:
        _, _, service, *_ = asked
        keys = _condition_keys(_request.get({}), resource_arn) if service == "dynamodb" else {}
        context = {**(service_context or {}), **keys}
        return enforce(*asked, resource_arn=resource_arn, service_context=context)

    iam_actions.dynamodb_service_context = dynamodb_service_context
    iam_evaluator.enforce = enforce_items


def _condition_keys(request: Mapping[str, Any], arn: str) -> dict[str, list[str]]:
    """Return the partition keys that the request names in the table, and the attributes it puts.

    MiniStack authorizes a transaction item by item. Several of one table are taken together here,
    which refuses no less. The keys of an index are left out, as no policy bounds them.
    """
    name = arn.rpartition(":table/")[2]
    table = dynamodb._tables.get(name)
    if table is None:
        return {}
    partition_key = table["KeySchema"][0]["AttributeName"]
    parts = list(_parts(request, name))
    items = [part.get("Item") or part.get("Key") or _equalities(part) for part in parts]
    keys = [value for item in items for value in item.get(partition_key, {}).values()]
    attributes = {attribute for part in parts for attribute in part.get("Item", ())}
    found = {"dynamodb:LeadingKeys": keys, "dynamodb:Attributes": sorted(attributes)}
    return {key: values for key, values in found.items() if values}


def _parts(request: Mapping[str, Any], table: str) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of a request of any operation that are about items of the table."""
    transacted = (part for one in request.get("TransactItems", ()) for part in one.values())
    yield from (part for part in (request, *transacted) if part.get("TableName") == table)
    batch = request.get("RequestItems", {}).get(table, [])
    if isinstance(batch, dict):
        yield from ({"Key": key} for key in batch["Keys"])
    else:
        yield from (write for one in batch for write in one.values())


def _equalities(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that a query asks to be equal to a value."""
    names = query.get("ExpressionAttributeNames", {})
    values = query.get("ExpressionAttributeValues", {})
    found = _EQUALITY.findall(query.get("KeyConditionExpression", ""))
    return {names.get(name, name): values[value] for name, value in found}


class _NoSessions(dict[str, dict[str, Any]]):
    """A register of sign-ins that stays empty."""

    def __setitem__(self, token: str, session: dict[str, Any]) -> None:
        pass


def keep_groups() -> None:
    """Make MiniStack renew the hosted page's sign-ins as it renews all others, with the groups.

    It takes the other way for refresh tokens in this register alone.
    """
    cognito._refresh_tokens = _NoSessions()


if __name__ == "__main__":
    Config.shutdown_timeout = _SAVE_SECONDS
    keep_streams()
    refer_to_secrets_by_arn()
    take_loopback_for_tls()
    supply_condition_keys()
    keep_groups()
    # For this import alone: the functions would inherit the search path.
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from infra import gateway_shim

    sys.path.pop(0)
    gateway_shim.install()
    sys.exit(app.main())
