variable "mcp_servers" {
  description = <<-EOT
    The MCP servers, by the name in their address (<gateway>/<name>/mcp). A tier is one deployment of the server for the
    callers of one role; `connection` says what it may do in its `database`, "cosmosdb-mongodb" (keys) or "documentdb" (none). A slot is one replica of a tier.

    image.digest is exact; with image.tag the digest that `invoke push` recorded applies, where there is one.
    secrets: environment name => name of a Key Vault secret, which must exist before stage 2 is planned.
    tools: which tools callers of a tier see and may call; patterns are names with * for any part of one. allow = null
    allows all, deny wins over allow. Where there is a list, resources and prompts are closed, as they could give what it
    forbids; resources and prompts open them to a server that keeps to MCP_TOOLS_ALLOW and MCP_TOOLS_DENY, which it then
    gets. A tool in repeatable is called again on another slot where it is unknown whether the first call arrived; null
    means all tools of a read-only tier and none of another (docs/adr/0006).
    rate_limit: calls per caller in `period` seconds; a tier's own limit replaces the server's.
    timeout: seconds that the gateway waits until an answer begins. first_byte: seconds after which a call that may be
    repeated goes to another slot instead: messages of the protocol, and calls of repeatable tools (docs/adr/0020).
    front: the image holds a server that knows nothing of the gateway, behind the front of servers/gateway-auth, which checks
    the gateway's token and gives that server `environment` and `secrets` and nothing else. sessions: "shared" is one process
    for all callers of a tier, "caller" one for each, at most `processes`, ended after `idle` seconds without a call; it needs
    one slot, and a deployment or restart of that slot ends every session (docs/adr/0026). answer_bytes: the largest answer.
    upstream: an image that somebody else publishes, `registry/repository@sha256:…`, which speaks MCP over HTTP at `port` and
    `path`: it runs as a second container beside the front, and `environment` and `secrets` go to it alone (docs/adr/0032).
    egress: hosts that a server which the front starts, or a REST API behind it, may call: "api.example.com", "*.example.com", "*"
    for any, each with :PORT where it is neither 443 nor 80. The front refuses others, here and on Azure, where
    network.containers_egress must let the call pass as well; a program that ignores HTTPS_PROXY is stopped by that alone.
    Callers whose role only reads (roles.<name>.reads) see those tools that say that they only read, or those that tools.allow names.
    remote: an MCP server of another team or vendor at `url`, instead of an image: no container and no slots, the gateway
    forwards to it (docs/adr/0030). Nothing of the caller goes there, who they are neither. credential: the gateway sends the
    Key Vault secret of that name in `header`, after `scheme` and a space where there is one; without it the gateway sends none.
    A tier whose role only reads names in tools.allow what it may call: there is no front that goes by hints.
    identity: "gateway" calls as the gateway, and says who asks; with "caller" the gateway exchanges the person's token for one of
    downstream.scope, a delegated permission such as api://<application id>/Files.Read, on their behalf (docs/adr/0031). A remote server
    gets it as Authorization, as does a REST API or an image behind a front; an image of ours gets X-Mcp-Downstream-Token, and a
    package behind a front cannot be told (docs/adr/0035). Only people can call such a server.
    health_path: where Azure asks each container whether it lives, and restarts it after half a minute of silence; "" for
    an image that answers nowhere without a token.
    compute: "container-instances" (a slot is one container group) or "container-apps" (a tier is one app, docs/adr/0034):
    Azure keeps scale.minimum to scale.maximum replicas, one for each scale.concurrent_requests (it counts calls a second, over
    15 of them), and asks ready_path before a replica gets calls; such a server has one slot.
    objectives: what the server promises over 30 days, which alerts and workbook count against: the percentage of calls that do
    not fail, and that latency_percentile of them are answered within latency_ms (docs/monitoring.md).
    listing: what the MCP registry says of the server, where mcp_registry serves one (docs/registry.md); version is the
    image's tag, if left out.
  EOT
  type = map(object({
    compute = optional(string, "container-instances")
    image = optional(object({
      repository = string
      tag        = optional(string)
      digest     = optional(string)
    }))
    remote = optional(object({
      url = string
      credential = optional(object({
        header = optional(string, "Authorization")
        scheme = optional(string)
        secret = string
      }))
    }))
    identity = optional(string, "gateway")
    downstream = optional(object({
      scope = string
    }))
    port        = optional(number, 8000)
    cpu         = optional(number, 0.5)
    memory      = optional(number, 1)
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    egress      = optional(set(string), [])
    front = optional(object({
      sessions     = optional(string, "shared")
      processes    = optional(number, 16)
      idle         = optional(number, 600)
      answer_bytes = optional(number, 4194304)
      upstream = optional(object({
        image  = string
        port   = number
        path   = optional(string, "/mcp")
        cpu    = optional(number, 0.5)
        memory = optional(number, 1)
      }))
    }))
    database = optional(string)
    tiers = map(object({
      role       = string
      connection = optional(string)
      tools = optional(object({
        allow      = optional(list(string))
        deny       = optional(list(string), [])
        repeatable = optional(list(string))
        resources  = optional(bool, false)
        prompts    = optional(bool, false)
      }), {})
      rate_limit = optional(object({
        calls  = number
        period = number
      }))
    }))
    slots       = optional(set(string), ["a"])
    health_path = optional(string, "/healthz")
    ready_path  = optional(string, "/readyz")
    scale = optional(object({
      minimum             = optional(number, 1)
      maximum             = optional(number, 4)
      concurrent_requests = optional(number, 10)
    }), {})
    timeout = optional(number, 120)
    first_byte = optional(object({
      protocol   = optional(number, 5)
      repeatable = optional(number, 10)
    }), {})
    rate_limit = optional(object({
      calls  = optional(number, 300)
      period = optional(number, 60)
    }), {})
    objectives = optional(object({
      availability_percent = optional(number, 99.5)
      latency_ms           = optional(number, 5000)
      latency_percentile   = optional(number, 95)
    }), {})
    listing = optional(object({
      title       = optional(string)
      description = optional(string)
      version     = optional(string)
    }), {})
  }))
  nullable = false

  validation {
    condition     = length(var.mcp_servers) > 0
    error_message = "mcp_servers must hold at least one server."
  }

  validation {
    condition     = alltrue([for name in keys(var.mcp_servers) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name)) && length(name) <= 30])
    error_message = "A server's name in mcp_servers must be 1-30 lower-case letters, digits and single hyphens, and start with a letter (${join(", ", [for name in keys(var.mcp_servers) : "mcp_servers.${name}" if !(can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name)) && length(name) <= 30)])})."
  }

  validation {
    condition     = !contains(keys(var.mcp_servers), "oauth")
    error_message = "A server must not be called oauth: the sign-in façade answers at that path."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : contains(["container-instances", "container-apps"], server.compute)])
    error_message = "compute in mcp_servers must be container-instances or container-apps (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(contains(["container-instances", "container-apps"], server.compute))])})."
  }

  validation {
    # azurerm 5.2.0, containerapps/validate, ContainerAppName: the app is called <server>-<tier>.
    condition = alltrue(flatten([
      for name, server in var.mcp_servers : [for tier in keys(server.tiers) : server.compute != "container-apps" || length("${name}-${tier}") <= 32]
    ]))
    error_message = "A server's name in mcp_servers and each of its tiers' must have 31 characters together with compute = \"container-apps\": the app is called <server>-<tier>, and Azure takes 32 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for tier in keys(server.tiers) : server.compute != "container-apps" || length("${entry}-${tier}") <= 32])])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.compute != "container-apps" || length(server.slots) == 1 && contains(server.slots, "a")])
    error_message = "A server with compute = \"container-apps\" in mcp_servers takes no slots: scale.minimum and scale.maximum say how many replicas it has (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.compute != "container-apps" || length(server.slots) == 1 && contains(server.slots, "a"))])})."
  }

  validation {
    # "Containers in Azure Container Apps", vCPU and memory allocation requirements, read 2026-11: the Consumption profile takes these pairs.
    condition     = alltrue([for server in var.mcp_servers : server.compute != "container-apps" || server.cpu >= 0.25 && server.cpu <= 4 && floor(server.cpu * 4) == server.cpu * 4 && server.memory == server.cpu * 2])
    error_message = "A server with compute = \"container-apps\" in mcp_servers must have cpu from 0.25 to 4 in steps of 0.25, and memory twice that number (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.compute != "container-apps" || server.cpu >= 0.25 && server.cpu <= 4 && floor(server.cpu * 4) == server.cpu * 4 && server.memory == server.cpu * 2)])})."
  }

  validation {
    # "Set scaling rules in Azure Container Apps", read 2026-11; azurerm 5.2 takes 300 replicas at most.
    condition     = alltrue([for server in var.mcp_servers : server.scale.minimum >= 0 && server.scale.maximum >= 1 && server.scale.maximum <= 300 && server.scale.minimum <= server.scale.maximum && server.scale.concurrent_requests >= 1 && alltrue([for number in values(server.scale) : floor(number) == number])])
    error_message = "scale in mcp_servers takes whole numbers: minimum from 0, maximum from 1 to 300 and not below minimum, concurrent_requests from 1 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.scale.minimum >= 0 && server.scale.maximum >= 1 && server.scale.maximum <= 300 && server.scale.minimum <= server.scale.maximum && server.scale.concurrent_requests >= 1 && alltrue([for number in values(server.scale) : floor(number) == number]))])})."
  }

  validation {
    # A group's second container has no place in the one container of a replica.
    condition     = alltrue([for server in var.mcp_servers : server.compute != "container-apps" || try(server.front.upstream, null) == null && server.remote == null])
    error_message = "A server with compute = \"container-apps\" in mcp_servers takes neither front.upstream nor remote: it runs one container of this platform's registry (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.compute != "container-apps" || try(server.front.upstream, null) == null && server.remote == null)])})."
  }

  validation {
    # Azure pins a caller to a replica in single revision mode only, and azurerm 5.2 has no argument for it.
    condition     = alltrue([for server in var.mcp_servers : server.compute != "container-apps" || try(server.front.sessions, "shared") == "shared" || server.scale.maximum == 1])
    error_message = "A server with compute = \"container-apps\" and front.sessions = \"caller\" in mcp_servers must have scale.maximum = 1: its sessions live in one replica, which another one does not have (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.compute != "container-apps" || try(server.front.sessions, "shared") == "shared" || server.scale.maximum == 1)])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.compute != "container-apps" || alltrue([for secret in values(server.secrets) : can(regex("^[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?$", secret))])])
    error_message = "A Key Vault secret in secrets of mcp_servers must begin and end with a letter or digit with compute = \"container-apps\", whose secrets are called after it (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.compute != "container-apps" || alltrue([for secret in values(server.secrets) : can(regex("^[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?$", secret))]))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : can(regex("^(|/[A-Za-z0-9._~/-]*)$", server.ready_path))])
    error_message = "ready_path in mcp_servers must be a path that starts with a slash, such as /readyz, or \"\" for no probe (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(can(regex("^(|/[A-Za-z0-9._~/-]*)$", server.ready_path)))])})."
  }

  validation {
    # With a hyphen, server "a-b" tier "c" and server "a" tier "b-c" would be the same container group.
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for tier in keys(server.tiers) : can(regex("^[a-z][a-z0-9]{0,14}$", tier))]
    ]))
    error_message = "A tier's name in mcp_servers must be 1-15 lower-case letters and digits, and start with a letter (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for tier in keys(server.tiers) : can(regex("^[a-z][a-z0-9]{0,14}$", tier))])])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : length(server.tiers) > 0])
    error_message = "Each server in mcp_servers needs at least one tier (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(length(server.tiers) > 0)])})."
  }

  validation {
    condition     = alltrue(flatten([for server in var.mcp_servers : [for tier in server.tiers : contains(keys(var.roles), tier.role)]]))
    error_message = "A tier's role in mcp_servers must be an entry of roles, letter by letter: correct the name, or add the role there (${join(", ", flatten([for entry, server in var.mcp_servers : [for name, tier in server.tiers : "mcp_servers.${entry}.tiers.${name} has ${jsonencode(tier.role)}" if !contains(keys(var.roles), tier.role)]]))}; roles has ${join(", ", keys(var.roles))})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : length(server.tiers) == length(distinct([for tier in server.tiers : tier.role]))])
    error_message = "Two tiers of one server must not have the same role: the gateway could not choose (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(length(server.tiers) == length(distinct([for tier in server.tiers : tier.role])))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.database == null ? true : contains(["cosmosdb-mongodb", "documentdb"], server.database)])
    error_message = "A server's database in mcp_servers must be \"cosmosdb-mongodb\" or \"documentdb\", or be left out (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.database == null ? true : contains(["cosmosdb-mongodb", "documentdb"], server.database))])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [
        for tier in server.tiers :
        server.database == null ? tier.connection == null : contains(["read-write", "read-only"], coalesce(tier.connection, "missing"))
      ]
    ]))
    error_message = "A tier's connection in mcp_servers must be read-write or read-only where its server has a database, and be left out where it has none (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for tier in server.tiers : server.database == null ? tier.connection == null : contains(["read-write", "read-only"], coalesce(tier.connection, "missing"))])])})."
  }

  validation {
    condition = alltrue([
      for name, role in var.roles : length(role.groups) + length(role.members) > 0
      if contains(flatten([for server in var.mcp_servers : [for tier in server.tiers : tier.role]]), name)
    ])
    error_message = "A role that a tier in mcp_servers names must have somebody who holds it: name a group in its groups, or object ids in its members (${join(", ", [for name, role in var.roles : "roles.${name}" if length(role.groups) + length(role.members) == 0 && contains(flatten([for server in var.mcp_servers : [for tier in server.tiers : tier.role]]), name)])})."
  }

  validation {
    # A bug in the server must not be able to write for people who may only read.
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for tier in server.tiers : !(try(var.roles[tier.role].reads, false) && tier.connection == "read-write")]
    ]))
    error_message = "A tier whose role only reads must have the read-only connection: change it, or take a role without reads = true (${join(", ", flatten([for entry, server in var.mcp_servers : [for name, tier in server.tiers : "mcp_servers.${entry}.tiers.${name} for ${tier.role}" if try(var.roles[tier.role].reads, false) && tier.connection == "read-write"]]))})."
  }

  validation {
    # Cosmos DB's slots share the key that their confirmations are made with; here there is none to share.
    condition = alltrue([
      for server in var.mcp_servers :
      coalesce(server.database, "none") != "documentdb" || length(server.slots) == 1 && (server.compute != "container-apps" || server.scale.maximum == 1) || contains(keys(server.secrets), "MCP_CONFIRMATION_KEY")
    ])
    error_message = "A server in mcp_servers with the database \"documentdb\" and more than one slot or replica needs secrets = { MCP_CONFIRMATION_KEY = \"<a secret of the vault>\" }: without a key that they share, one refuses what was confirmed at the other (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(coalesce(server.database, "none") != "documentdb" || length(server.slots) == 1 && (server.compute != "container-apps" || server.scale.maximum == 1) || contains(keys(server.secrets), "MCP_CONFIRMATION_KEY"))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : length(server.slots) > 0])
    error_message = "Each server in mcp_servers needs at least one slot (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(length(server.slots) > 0)])})."
  }

  validation {
    condition     = alltrue(flatten([for server in var.mcp_servers : [for slot in server.slots : can(regex("^[a-z]$", slot))]]))
    error_message = "A slot in mcp_servers must be a single lower-case letter, such as a (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for slot in server.slots : can(regex("^[a-z]$", slot))])])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.port >= 1024 && server.port <= 65535])
    error_message = "A server's port in mcp_servers must be from 1024 to 65535 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.port >= 1024 && server.port <= 65535)])})."
  }

  validation {
    # A burn-rate alert of 14.4 needs a budget of less than 1 / 14.4; see modules/monitoring.
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for share in [server.objectives.availability_percent, server.objectives.latency_percentile] : share >= 95 && share <= 99.99]
    ]))
    error_message = "objectives.availability_percent and objectives.latency_percentile in mcp_servers must be from 95 to 99.99: a larger budget never burns fast enough to alert, and without one every failure would (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for share in [server.objectives.availability_percent, server.objectives.latency_percentile] : share >= 95 && share <= 99.99])])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.objectives.latency_ms >= 1 && server.objectives.latency_ms <= 240000])
    error_message = "objectives.latency_ms in mcp_servers must be from 1 to 240000 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.objectives.latency_ms >= 1 && server.objectives.latency_ms <= 240000)])})."
  }

  # Container Instances, "Resource availability and quota limits": what any region gives one group without a GPU.
  validation {
    condition     = alltrue([for server in var.mcp_servers : server.cpu >= 0.1 && server.cpu <= 4])
    error_message = "cpu in mcp_servers must be from 0.1 to 4 cores (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.cpu >= 0.1 && server.cpu <= 4)])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.memory >= 0.5 && server.memory <= 16])
    error_message = "memory in mcp_servers must be from 0.5 to 16 GiB (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.memory >= 0.5 && server.memory <= 16)])})."
  }

  validation {
    condition     = alltrue(flatten([for server in var.mcp_servers : [for amount in [server.cpu, server.memory] : server.compute == "container-apps" || can(regex("^[0-9]+([.][0-9])?$", tostring(amount)))]]))
    error_message = "cpu and memory in mcp_servers take one decimal place, such as 0.5: Container Instances refuses more (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for amount in [server.cpu, server.memory] : server.compute == "container-apps" || can(regex("^[0-9]+([.][0-9])?$", tostring(amount)))])])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.image == null ? true : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", server.image.repository))])
    error_message = "image.repository in mcp_servers must be a repository of the registry, such as mongodb-mcp, without host and tag (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.image == null ? true : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", server.image.repository)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.image == null ? true : (server.image.tag == null) != (server.image.digest == null)])
    error_message = "image in mcp_servers takes either a tag or a digest (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.image == null ? true : (server.image.tag == null) != (server.image.digest == null))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.image == null ? true : server.image.tag == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", server.image.tag))])
    error_message = "image.tag in mcp_servers must be 1-128 letters, digits, underscores, dots and hyphens, such as 0.1.0 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.image == null ? true : server.image.tag == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", server.image.tag)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.image == null ? true : server.image.tag != "latest"])
    error_message = "image.tag in mcp_servers must not be latest: it says neither what runs nor what to roll back to (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.image == null ? true : server.image.tag != "latest")])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.image == null ? true : server.image.digest == null || can(regex("^sha256:[0-9a-f]{64}$", server.image.digest))])
    error_message = "image.digest in mcp_servers must be sha256: and 64 hexadecimal digits in lower case (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.image == null ? true : server.image.digest == null || can(regex("^sha256:[0-9a-f]{64}$", server.image.digest)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : (server.image == null) != (server.remote == null)])
    error_message = "An entry of mcp_servers takes either image, for a container here, or remote, for a server elsewhere (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !((server.image == null) != (server.remote == null))])})."
  }

  validation {
    # The path becomes text of a policy. An address instead of a name has no certificate that says whose it is; see the next rule too.
    condition     = alltrue([for server in var.mcp_servers : server.remote == null ? true : can(regex("^https://[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z][a-z0-9-]*[a-z0-9](:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$", server.remote.url)) || (startswith(var.entra_authority, "http://127.0.0.1:") && can(regex("^http://127\\.0\\.0\\.1:[0-9]{1,5}(/[A-Za-z0-9._~-]+)*/?$", server.remote.url)))])
    error_message = "remote.url in mcp_servers must be https://, a host name in lower case, and a path without query, such as https://mcp.example.com/mcp (http://127.0.0.1:port/path on the local platform only) (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.remote == null ? true : can(regex("^https://[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z][a-z0-9-]*[a-z0-9](:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$", server.remote.url)) || (startswith(var.entra_authority, "http://127.0.0.1:") && can(regex("^http://127\\.0\\.0\\.1:[0-9]{1,5}(/[A-Za-z0-9._~-]+)*/?$", server.remote.url))))])})."
  }

  validation {
    # RFC 6761, 6762, 8375; ICANN reserved `internal` for private use (2024-07-29). SSRF: "Security Best Practices" of MCP.
    condition     = alltrue([for server in var.mcp_servers : server.remote == null ? true : !can(regex("^https://([^/:]+[.])?(localhost|local|localdomain|internal|intranet|corp|home|lan|home[.]arpa)(:|/|$)", server.remote.url))])
    error_message = "remote.url in mcp_servers must not be a name of a private network: the rules of the gateway's subnet let it reach its servers and the internet, and nothing else of this network or those behind it (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.remote == null ? true : !can(regex("^https://([^/:]+[.])?(localhost|local|localdomain|internal|intranet|corp|home|lan|home[.]arpa)(:|/|$)", server.remote.url)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.remote == null ? true : server.front == null && server.database == null && length(setsubtract(server.slots, ["a"])) == 0 && length(server.environment) + length(server.secrets) == 0 && server.port == 8000 && server.cpu == 0.5 && server.memory == 1 && server.health_path == "/healthz"])
    error_message = "An entry of mcp_servers with remote takes no front, database, slots, environment, secrets, port, cpu, memory and health_path: they are of a container, and there is none (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.remote == null ? true : server.front == null && server.database == null && length(setsubtract(server.slots, ["a"])) == 0 && length(server.environment) + length(server.secrets) == 0 && server.port == 8000 && server.cpu == 0.5 && server.memory == 1 && server.health_path == "/healthz")])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : try(server.remote.credential, null) == null ? true : can(regex("^[A-Za-z][A-Za-z0-9-]{0,63}$", server.remote.credential.header)) && !can(regex("(?i)^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|proxy-.*|content-.*|accept|accept-.*|cookie|origin|referer|forwarded|via|x-forwarded-.*|x-correlation-id|mcp-.*|x-mcp-.*|last-event-id)$", server.remote.credential.header))])
    error_message = "remote.credential.header in mcp_servers must be a header that carries a credential, such as Authorization or X-Api-Key: letters, digits and hyphens, and none of HTTP, MCP or the gateway itself (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.remote.credential, null) == null ? true : can(regex("^[A-Za-z][A-Za-z0-9-]{0,63}$", server.remote.credential.header)) && !can(regex("(?i)^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|proxy-.*|content-.*|accept|accept-.*|cookie|origin|referer|forwarded|via|x-forwarded-.*|x-correlation-id|mcp-.*|x-mcp-.*|last-event-id)$", server.remote.credential.header)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : try(server.remote.credential.scheme, null) == null ? true : can(regex("^[A-Za-z][A-Za-z0-9-]{0,31}$", server.remote.credential.scheme))])
    error_message = "remote.credential.scheme in mcp_servers must be one word, such as Bearer (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.remote.credential.scheme, null) == null ? true : can(regex("^[A-Za-z][A-Za-z0-9-]{0,31}$", server.remote.credential.scheme)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : try(server.remote.credential, null) == null ? true : can(regex("^[0-9A-Za-z-]{1,127}$", server.remote.credential.secret))])
    error_message = "remote.credential.secret in mcp_servers must name a Key Vault secret: 1-127 letters, digits and hyphens, without address and version (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.remote.credential, null) == null ? true : can(regex("^[0-9A-Za-z-]{1,127}$", server.remote.credential.secret)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : contains(["gateway", "caller"], server.identity)])
    error_message = "identity in mcp_servers must be \"gateway\" or \"caller\" (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(contains(["gateway", "caller"], server.identity))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : (server.identity == "caller") == (server.downstream != null)])
    error_message = "An entry of mcp_servers with identity = \"caller\" says in downstream.scope what the caller's token is exchanged for, and no other entry does (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !((server.identity == "caller") == (server.downstream != null))])})."
  }

  validation {
    # The scope becomes text of a policy. One permission is what the server needs; more of them are more entries.
    condition     = alltrue([for server in var.mcp_servers : server.downstream == null ? true : can(regex("^(api://[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|https://graph[.]microsoft[.]com)/[A-Za-z][A-Za-z0-9._-]{0,119}$", server.downstream.scope))])
    error_message = "downstream.scope in mcp_servers must be one delegated permission by its full name, api://<application id>/<permission> in lower case up to the slash, or https://graph.microsoft.com/<permission>; .default would be every permission that was ever granted (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.downstream == null ? true : can(regex("^(api://[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|https://graph[.]microsoft[.]com)/[A-Za-z][A-Za-z0-9._-]{0,119}$", server.downstream.scope)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.identity != "caller" || try(server.front.sessions, "shared") == "shared"])
    error_message = "A server with identity = \"caller\" in mcp_servers must have front.sessions = \"shared\": a session is a process that speaks over standard input and output, where a call carries no token (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.identity != "caller" || try(server.front.sessions, "shared") == "shared")])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.identity != "caller" || lower(try(server.remote.credential.header, "none")) != "authorization"])
    error_message = "remote.credential in mcp_servers must not be sent in Authorization beside identity = \"caller\": that header carries the token of the caller; name another header, or leave credential out (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.identity != "caller" || lower(try(server.remote.credential.header, "none")) != "authorization")])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.remote == null ? true : alltrue([for tier in server.tiers : !try(var.roles[tier.role].reads, false) || tier.tools.allow != null])])
    error_message = "A tier whose role only reads of a remote server in mcp_servers must name in tools.allow what it may call: nobody but you can say which tools of a server elsewhere only read (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.remote == null ? true : alltrue([for tier in server.tiers : !try(var.roles[tier.role].reads, false) || tier.tools.allow != null]))])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for name in concat(keys(server.environment), keys(server.secrets)) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))]
    ]))
    error_message = "A name in environment and secrets of mcp_servers must be letters, digits and underscores, and not start with a digit (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for name in concat(keys(server.environment), keys(server.secrets)) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))])])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [
        for name in keys(server.environment) : !can(regex("^(PORT|HOST|MONGODB_URI|MCP_SERVER_NAME|MCP_TIER|MCP_CONNECTION|MCP_ALLOWED_HOSTS|MCP_AUTH_.*|MCP_FRONT_.*)$", name))
      ]
    ]))
    error_message = "environment in mcp_servers must not set PORT, HOST, MONGODB_URI, MCP_SERVER_NAME, MCP_TIER, MCP_CONNECTION, MCP_ALLOWED_HOSTS, MCP_AUTH_* or MCP_FRONT_*: the platform sets them (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for name in keys(server.environment) : !can(regex("^(PORT|HOST|MONGODB_URI|MCP_SERVER_NAME|MCP_TIER|MCP_CONNECTION|MCP_ALLOWED_HOSTS|MCP_AUTH_.*|MCP_FRONT_.*)$", name))])])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [
        for name in keys(server.secrets) : !can(regex("^(PORT|HOST|MONGODB_URI|MCP_SERVER_NAME|MCP_TIER|MCP_CONNECTION|MCP_ALLOWED_HOSTS|MCP_AUTH_.*|MCP_FRONT_.*)$", name))
      ]
    ]))
    error_message = "secrets in mcp_servers must not set PORT, HOST, MONGODB_URI, MCP_SERVER_NAME, MCP_TIER, MCP_CONNECTION, MCP_ALLOWED_HOSTS, MCP_AUTH_* or MCP_FRONT_*: the platform sets them (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for name in keys(server.secrets) : !can(regex("^(PORT|HOST|MONGODB_URI|MCP_SERVER_NAME|MCP_TIER|MCP_CONNECTION|MCP_ALLOWED_HOSTS|MCP_AUTH_.*|MCP_FRONT_.*)$", name))])])})."
  }

  validation {
    # Else the gateway gives up, and the database works on for nobody.
    condition = alltrue([
      for server in var.mcp_servers : try(tonumber(server.environment.MCP_TIME_MS_CEILING) < server.timeout * 1000, !can(server.environment.MCP_TIME_MS_CEILING))
    ])
    error_message = "MCP_TIME_MS_CEILING in environment of mcp_servers must be a number of milliseconds below the server's timeout (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(tonumber(server.environment.MCP_TIME_MS_CEILING) < server.timeout * 1000, !can(server.environment.MCP_TIME_MS_CEILING)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : length(setintersection(keys(server.environment), keys(server.secrets))) == 0])
    error_message = "A name must stand in environment or in secrets of mcp_servers, not in both (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(length(setintersection(keys(server.environment), keys(server.secrets))) == 0)])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for secret in values(server.secrets) : can(regex("^[0-9A-Za-z-]{1,127}$", secret))]
    ]))
    error_message = "secrets in mcp_servers must name Key Vault secrets: 1-127 letters, digits and hyphens, without address and version (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for secret in values(server.secrets) : can(regex("^[0-9A-Za-z-]{1,127}$", secret))])])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [
        for tier in server.tiers : [
          for pattern in concat(coalesce(tier.tools.allow, []), tier.tools.deny, coalesce(tier.tools.repeatable, [])) :
          can(regex("^[A-Za-z0-9_./*-]{1,128}$", pattern))
        ]
      ]
    ]))
    error_message = "A pattern in tools of mcp_servers must be 1-128 letters, digits, underscores, dots, hyphens and slashes, with * for any part of a name (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue(flatten([for tier in server.tiers : [for pattern in concat(coalesce(tier.tools.allow, []), tier.tools.deny, coalesce(tier.tools.repeatable, [])) : can(regex("^[A-Za-z0-9_./*-]{1,128}$", pattern))]]))])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for tier in server.tiers : tier.tools.allow == null ? true : length(tier.tools.allow) > 0]
    ]))
    error_message = "tools.allow in mcp_servers must hold a pattern, or be left out to allow every tool that is not denied (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for tier in server.tiers : tier.tools.allow == null ? true : length(tier.tools.allow) > 0])])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.front == null ? true : contains(["shared", "caller"], server.front.sessions)])
    error_message = "front.sessions in mcp_servers must be shared or caller (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.front == null ? true : contains(["shared", "caller"], server.front.sessions))])})."
  }

  validation {
    # A session is a process, and a process is in one slot: the gateway would send the next call to another one.
    condition     = alltrue([for server in var.mcp_servers : try(server.front.sessions, "shared") == "shared" || length(server.slots) == 1])
    error_message = "A server with front.sessions = \"caller\" in mcp_servers must have one slot: its sessions live in one process each, which a second slot does not have (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.front.sessions, "shared") == "shared" || length(server.slots) == 1)])})."
  }

  validation {
    condition = alltrue([
      for server in var.mcp_servers : server.front == null ? true :
      server.front.processes >= 1 && server.front.processes <= 256 && floor(server.front.processes) == server.front.processes &&
      server.front.idle >= 300 && server.front.idle <= 86400 && floor(server.front.idle) == server.front.idle &&
      server.front.answer_bytes >= 1024 && server.front.answer_bytes <= 67108864 && floor(server.front.answer_bytes) == server.front.answer_bytes
    ])
    error_message = "front in mcp_servers takes whole numbers: processes from 1 to 256, idle from 300 to 86400 seconds, answer_bytes from 1024 to 67108864 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.front == null ? true : server.front.processes >= 1 && server.front.processes <= 256 && floor(server.front.processes) == server.front.processes && server.front.idle >= 300 && server.front.idle <= 86400 && floor(server.front.idle) == server.front.idle && server.front.answer_bytes >= 1024 && server.front.answer_bytes <= 67108864 && floor(server.front.answer_bytes) == server.front.answer_bytes)])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : try(server.front.upstream, null) == null ? true : can(regex("^[a-z0-9.-]+[.][a-z0-9-]+(:[0-9]+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$", server.front.upstream.image))])
    error_message = "front.upstream.image in mcp_servers must be <registry>/<repository>@sha256:<64 hexadecimal digits> (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.front.upstream, null) == null ? true : can(regex("^[a-z0-9.-]+[.][a-z0-9-]+(:[0-9]+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$", server.front.upstream.image)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : try(server.front.upstream, null) == null ? true : server.front.upstream.port >= 1 && server.front.upstream.port <= 65535 && floor(server.front.upstream.port) == server.front.upstream.port && server.front.upstream.port != server.port])
    error_message = "front.upstream.port in mcp_servers must be from 1 to 65535 and not the port of the front itself, with which it shares an address (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.front.upstream, null) == null ? true : server.front.upstream.port >= 1 && server.front.upstream.port <= 65535 && floor(server.front.upstream.port) == server.front.upstream.port && server.front.upstream.port != server.port)])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : try(server.front.upstream, null) == null ? true : can(regex("^/[A-Za-z0-9._~/-]*$", server.front.upstream.path))])
    error_message = "front.upstream.path in mcp_servers must be a path that starts with a slash, such as /mcp (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.front.upstream, null) == null ? true : can(regex("^/[A-Za-z0-9._~/-]*$", server.front.upstream.path)))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : try(server.front.upstream, null) == null ? true : server.front.sessions == "shared"])
    error_message = "A server with front.upstream in mcp_servers must have front.sessions = \"shared\": the container is one for all callers of a tier and slot (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(try(server.front.upstream, null) == null ? true : server.front.sessions == "shared")])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : alltrue([for host in server.egress : can(regex("^([*]|([*][.])?[a-z0-9-]+([.][a-z0-9-]+)*)(:[0-9]{1,5})?$", host))])])
    error_message = "egress in mcp_servers must name hosts such as api.example.com, *.example.com or *, in lower case, with :PORT where it is neither 443 nor 80 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(alltrue([for host in server.egress : can(regex("^([*]|([*][.])?[a-z0-9-]+([.][a-z0-9-]+)*)(:[0-9]{1,5})?$", host))]))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : length(server.egress) == 0 || (server.front != null && try(server.front.upstream, null) == null)])
    error_message = "egress in mcp_servers is kept to by the front that starts a server: for others, and for an image behind one, name what may be called in network.containers_egress (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(length(server.egress) == 0 || (server.front != null && try(server.front.upstream, null) == null))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : can(regex("^(|/[A-Za-z0-9._~/-]*)$", server.health_path))])
    error_message = "health_path in mcp_servers must be a path that starts with a slash, such as /healthz, or \"\" for no probe (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !can(regex("^(|/[A-Za-z0-9._~/-]*)$", server.health_path))])})."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.timeout >= 1 && server.timeout <= 240 && floor(server.timeout) == server.timeout])
    error_message = "timeout in mcp_servers must be from 1 to 240 whole seconds: Azure's network drops connections that are idle for longer (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.timeout >= 1 && server.timeout <= 240 && floor(server.timeout) == server.timeout)])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for limit in values(server.first_byte) : limit >= 1 && limit <= 25 && floor(limit) == limit]
    ]))
    error_message = "first_byte in mcp_servers must be from 1 to 25 whole seconds: nothing is repeated after 30 (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for limit in values(server.first_byte) : limit >= 1 && limit <= 25 && floor(limit) == limit])])})."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [
        for limit in concat([server.rate_limit], [for tier in server.tiers : tier.rate_limit if tier.rate_limit != null]) :
        limit.calls >= 1 && limit.period >= 1 && limit.period <= 300
      ]
    ]))
    error_message = "rate_limit in mcp_servers needs calls of 1 or more and a period from 1 to 300 seconds (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for limit in concat([server.rate_limit], [for tier in server.tiers : tier.rate_limit if tier.rate_limit != null]) : limit.calls >= 1 && limit.period >= 1 && limit.period <= 300])])})."
  }

  validation {
    # server.schema.json of the MCP registry has 1 to 100 characters. None that a reader cannot see: controls, line breaks,
    # zero-width and bidirectional controls (CVE-2021-42574), private use.
    condition = alltrue(flatten([
      for server in var.mcp_servers : [
        for text in [for text in [server.listing.title, server.listing.description] : text if text != null] :
        can(regex("^[^\\p{C}\\p{Zl}\\p{Zp}]{1,100}$", text)) && trimspace(text) == text
      ]
    ]))
    error_message = "listing.title and listing.description in mcp_servers must each be one line of 1-100 visible characters: no line break, no control character, none that changes the direction of text (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !alltrue([for text in [for text in [server.listing.title, server.listing.description] : text if text != null] : can(regex("^[^\\p{C}\\p{Zl}\\p{Zp}]{1,100}$", text)) && trimspace(text) == text])])})."
  }

  validation {
    condition = alltrue([
      for server in var.mcp_servers : server.listing.version == null ? true : (
        can(regex("^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$", server.listing.version)) &&
        server.listing.version != "latest" && !can(regex("(^|[.])[xX]([.]|$)", server.listing.version))
      )
    ])
    error_message = "listing.version in mcp_servers must be exact, such as 1.4.0: letters, digits, underscores, dots, plus signs and hyphens, not latest and not a range such as 1.x (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.listing.version == null ? true : (can(regex("^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$", server.listing.version)) && server.listing.version != "latest" && !can(regex("(^|[.])[xX]([.]|$)", server.listing.version))))])})."
  }
}

variable "mcp_registry" {
  description = <<-EOT
    The MCP registry at <gateway>/v0.1/servers, in which clients find the servers (docs/registry.md). `access`: `off`, `public`
    (whoever reaches the gateway reads names, titles, descriptions, versions and addresses) or `signed-in` (callers see the
    servers that they have a role on). `namespace` is what names in it begin with; null: the gateway's host name, reversed.
  EOT
  type = object({
    access    = optional(string, "off")
    namespace = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["off", "public", "signed-in"], var.mcp_registry.access)
    error_message = "mcp_registry.access must be off, public or signed-in."
  }

  validation {
    condition     = var.mcp_registry.namespace == null ? true : can(regex("^[a-z0-9-]+([.][a-z0-9-]+)*$", var.mcp_registry.namespace)) && length(var.mcp_registry.namespace) <= 100
    error_message = "mcp_registry.namespace must be a reversed host name such as com.example.mcp, of 100 characters at most."
  }
}
