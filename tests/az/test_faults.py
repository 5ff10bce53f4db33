"""Faults on request reach the real Azure CLI, which retries what Azure asks to retry and reports the rest."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.az.cloud_under_test import CloudUnderTest

CREATE = ("group", "create", "-n", "rg-x", "-l", "uksouth")
ON_GROUP: dict[str, Any] = {"method": "PUT", "host": "management.azure.com", "path": "/resourcegroups/rg-x$"}


def test_a_throttled_request_is_repeated_after_the_time_that_azure_names(cloud: CloudUnderTest) -> None:
    cloud.control("POST", "/faults", [{**ON_GROUP, "status": 429, "retry_after": 2}])
    started = time.monotonic()

    cloud.az(*CREATE).json()

    assert time.monotonic() - started >= 2
    assert [r["status"] for r in cloud.requests() if r["method"] == "PUT"] == [429, 201]


@pytest.mark.parametrize(("status", "code"), [(403, "AuthorizationFailed"), (409, "AnotherOperationInProgress")])
def test_a_refusal_is_reported_with_its_code_and_not_repeated(cloud: CloudUnderTest, status: int, code: str) -> None:
    cloud.control("POST", "/faults", [{**ON_GROUP, "status": status}])

    refused = cloud.az(*CREATE)

    assert refused.status != 0
    assert code in refused.err
    assert [r["status"] for r in cloud.requests() if r["method"] == "PUT"] == [status]


def test_a_server_error_is_repeated(cloud: CloudUnderTest) -> None:
    cloud.control("POST", "/faults", [{**ON_GROUP, "status": 500}])

    cloud.az(*CREATE).json()

    assert [r["status"] for r in cloud.requests() if r["method"] == "PUT"] == [500, 201]


def test_an_answer_that_is_lost_on_the_way_leaves_the_group_made(cloud: CloudUnderTest) -> None:
    cloud.control("POST", "/faults", [{**ON_GROUP, "status": 504, "after": True, "seconds": 1}])

    cloud.az(*CREATE).json()

    assert [r["status"] for r in cloud.requests() if r["method"] == "PUT"] == [504, 200]
