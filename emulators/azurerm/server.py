"""gRPC on unix sockets, one per provider, to which Terraform attaches itself (TF_REATTACH_PROVIDERS).

No TLS and no handshake: Terraform skips both for a provider that it did not start.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from emulators.azurerm.catalog import Catalog, load
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.encode import schema_source
from emulators.azurerm.faults import chosen
from emulators.azurerm.policy_text import LineBreaks
from emulators.azurerm.proto import tfplugin5_pb2 as pb
from emulators.azurerm.servicer import Servicer
from emulators.azurerm.used import Schemas
from emulators.base.store import Store

PROVIDERS = ("azurerm", "azuread")
WORKERS = 16  # Terraform applies ten resources at a time, and validates and reads more
LONGEST_SOCKET_PATH = 100  # Linux allows 107 bytes
UNLIMITED: Any = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True)
class Served:
    """`env` is what Terraform needs in its environment to use these providers."""

    env: dict[str, str]
    cloud: Cloud


def default_cache() -> Path:
    """Where encoded schemas are kept: in a checkout in its .twin/, else in the user's cache folder (XDG)."""
    package = Path(__file__).parent
    if (package / "pyproject.toml").exists():  # no wheel has it
        return package.parents[1] / ".twin" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "azurerm-emulator"


@contextmanager
def serve(
    store: Path | Store,
    *,
    cache: Path | None = None,
    types: Callable[[], Schemas] = lambda: None,
    line_breaks: LineBreaks = "kept",
    faults: Collection[str] | None = None,
) -> Iterator[Served]:
    """Serves both providers until the block ends.

    `store` is the stand-in cloud, or the file that keeps it. `cache` keeps encoded schemas, which are the same for
    every store (default_cache). `types` says which resource types Terraform is told of; see `used.types_used`.
    `line_breaks` is what API Management makes of a line break in a policy's attribute; see `policy_text`.
    `faults`: which faults happen, once each; see `faults`.
    """
    kept = store if isinstance(store, Store) else Store(store)
    cloud = Cloud(kept, line_breaks=line_breaks, faults=chosen(faults))
    folder = _socket_folder()
    servers, attach = [], {}
    try:
        for name in PROVIDERS:
            socket = folder / name
            servers.append(
                _started(load(name), cloud, socket, schema_source(load(name), cache or default_cache(), types))
            )
            attach[load(name).source] = _attachment(socket)
        yield Served({"TF_REATTACH_PROVIDERS": json.dumps(attach)}, cloud)
    finally:
        for server in servers:
            server.stop(grace=None).wait(5)
        cloud.save_claims()
        shutil.rmtree(folder, ignore_errors=True)


def _socket_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="azurerm-"))
    if len(str(folder)) <= LONGEST_SOCKET_PATH - len("/azurerm"):
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="azurerm-", dir="/tmp"))


def _attachment(socket: Path) -> dict[str, Any]:
    address = {"Network": "unix", "String": str(socket)}
    # "Test" tells Terraform that the process is not its own to stop.
    return {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": address}


def _started(catalog: Catalog, cloud: Cloud, socket: Path, schema: Callable[[], bytes]) -> grpc.Server:
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS, thread_name_prefix=catalog.name), options=UNLIMITED)
    server.add_generic_rpc_handlers((_handlers(Servicer(catalog, cloud), schema), _stdio()))
    server.add_insecure_port(f"unix://{socket}")
    server.start()
    return server


def _handlers(s: Servicer, schema: Callable[[], bytes]) -> grpc.GenericRpcHandler:
    methods = {
        "PrepareProviderConfig": (s.prepare, pb.PrepareProviderConfigRequest),
        "Configure": (s.configure, pb.ConfigureRequest),
        "ValidateResourceTypeConfig": (s.validate_resource, pb.ValidateConfigRequest),
        "ValidateDataSourceConfig": (s.validate_data, pb.ValidateConfigRequest),
        "UpgradeResourceState": (s.upgrade, pb.UpgradeResourceStateRequest),
        "ReadResource": (s.read, pb.ReadResourceRequest),
        "PlanResourceChange": (s.plan, pb.PlanResourceChangeRequest),
        "ApplyResourceChange": (s.apply, pb.ApplyResourceChangeRequest),
        "ImportResourceState": (s.import_state, pb.ImportResourceStateRequest),
        "ReadDataSource": (s.read_data, pb.ReadDataSourceRequest),
        "GetFunctions": (s.functions, pb.GetFunctionsRequest),
        "Stop": (s.stop, pb.StopRequest),
    }
    handlers = {name: _unary(method, request) for name, (method, request) in methods.items()}
    handlers["GetSchema"] = grpc.unary_unary_rpc_method_handler(lambda _, __: schema())  # encoded already
    return grpc.method_handlers_generic_handler("tfplugin5.Provider", handlers)


def _unary(method: Any, request: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        lambda message, _: method(message),
        request_deserializer=request.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


def _stdio() -> grpc.GenericRpcHandler:
    """Terraform listens for a provider's output; there is none, and saying so keeps its log free of a warning."""
    stream: Any = grpc.unary_stream_rpc_method_handler(lambda _, __: iter(()))
    return grpc.method_handlers_generic_handler("plugin.GRPCStdio", {"StreamStdio": stream})
