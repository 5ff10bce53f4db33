"""Log Analytics and Application Insights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.registry import derives, identifies


@derives("azurerm_log_analytics_workspace")
def workspace(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "workspace_id": guid("workspace", values["id"]),
        "primary_shared_key": cloud.secret(values["id"], "primary", size=64),
        "secondary_shared_key": cloud.secret(values["id"], "secondary", size=64),
        "retention_in_days": 30,
        "sku": "PerGB2018",
    }


@derives("azurerm_application_insights")
def component(_: Cloud, values: Values) -> Mapping[str, Any]:
    key, app, region = guid("instrumentation", values["id"]), guid("app", values["id"]), values["location"]
    return {
        "app_id": app,
        "instrumentation_key": key,
        "connection_string": f"InstrumentationKey={key};"
        f"IngestionEndpoint=https://{region}-0.in.applicationinsights.azure.com/;"
        f"LiveEndpoint=https://{region}.livediagnostics.monitor.azure.com/;ApplicationId={app}",
    }


@derives("azurerm_monitor_diagnostic_setting")
def diagnostic_setting(_: Cloud, __: Values) -> Mapping[str, Any]:
    return {"log_analytics_destination_type": None}


@derives("azurerm_monitor_metric_alert")
def metric_alert(_: Cloud, values: Values) -> Mapping[str, Any]:
    pairs = [part for part in str(next(iter(values.get("scopes") or []), "")).split("/") if part]
    kind = f"{pairs[5]}/{pairs[6]}" if len(pairs) > 6 else ""
    return {"target_resource_type": kind, "target_resource_location": ""}


@identifies("azurerm_monitor_diagnostic_setting")
def diagnostic_setting_id(_: Cloud, values: Values, __: int) -> str:
    return f"{values['target_resource_id']}|{values['name']}"
