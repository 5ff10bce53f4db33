# The same file in stage1/ and stage2/: both read these and refuse the same mistakes.

variable "mcp_servers" {
  description = <<-EOT
    The MCP servers, by the name in their address (<gateway>/<name>/mcp). A tier is one deployment of the server for the
    callers of one role; `connection` says which key of the database it holds. A slot is one replica of a tier.
  EOT
  type = map(object({
    image = object({
      repository = string
      tag        = string
    })
    port        = optional(number, 8000)
    cpu         = optional(number, 0.5)
    memory      = optional(number, 1)
    environment = optional(map(string), {})
    database    = optional(string)
    tiers = map(object({
      role       = string
      connection = optional(string)
    }))
    slots       = optional(set(string), ["a"])
    health_path = optional(string)
    rate_limit = optional(object({
      calls  = optional(number, 300)
      period = optional(number, 60)
    }), {})
  }))
  nullable = false

  validation {
    condition     = length(var.mcp_servers) > 0
    error_message = "mcp_servers must hold at least one server."
  }

  validation {
    condition     = alltrue([for name in keys(var.mcp_servers) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name)) && length(name) <= 30])
    error_message = "A server's name in mcp_servers must be 1-30 lower-case letters, digits and single hyphens, and start with a letter."
  }

  validation {
    condition     = !contains(keys(var.mcp_servers), "oauth")
    error_message = "A server must not be called oauth: the sign-in façade answers at that path."
  }

  validation {
    # With a hyphen, server "a-b" tier "c" and server "a" tier "b-c" would be the same container group.
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for tier in keys(server.tiers) : can(regex("^[a-z][a-z0-9]{0,14}$", tier))]
    ]))
    error_message = "A tier's name in mcp_servers must be 1-15 lower-case letters and digits, and start with a letter."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : length(server.tiers) > 0])
    error_message = "Each server in mcp_servers needs at least one tier."
  }

  validation {
    condition     = alltrue(flatten([for server in var.mcp_servers : [for tier in server.tiers : contains(["Mcp.Admin", "Mcp.Read"], tier.role)]]))
    error_message = "A tier's role in mcp_servers must be Mcp.Admin or Mcp.Read."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : length(server.tiers) == length(distinct([for tier in server.tiers : tier.role]))])
    error_message = "Two tiers of one server must not have the same role: the gateway could not choose."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.database == null ? true : server.database == "cosmosdb-mongodb"])
    error_message = "A server's database in mcp_servers must be \"cosmosdb-mongodb\", or be left out."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [
        for tier in server.tiers :
        server.database == null ? tier.connection == null : contains(["read-write", "read-only"], coalesce(tier.connection, "missing"))
      ]
    ]))
    error_message = "A tier's connection in mcp_servers must be read-write or read-only where its server has a database, and be left out where it has none."
  }

  validation {
    # A bug in the server must not be able to write for people who may only read.
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for tier in server.tiers : !(tier.role == "Mcp.Read" && tier.connection == "read-write")]
    ]))
    error_message = "A tier for Mcp.Read must have the read-only connection."
  }

  validation {
    # The gateway's policy sends every call to slot a: another one would be paid for and never called.
    condition     = alltrue([for server in var.mcp_servers : server.slots == toset(["a"])])
    error_message = "A server's slots in mcp_servers must be [\"a\"]: the gateway does not choose among several yet."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : server.port >= 1024 && server.port <= 65535])
    error_message = "A server's port in mcp_servers must be from 1024 to 65535."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", server.image.repository))])
    error_message = "image.repository in mcp_servers must be a repository of the registry, such as mongodb-mcp, without host and tag."
  }

  validation {
    condition     = alltrue([for server in var.mcp_servers : can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", server.image.tag))])
    error_message = "image.tag in mcp_servers must be 1-128 letters, digits, underscores, dots and hyphens, such as 0.1.0."
  }

  validation {
    condition = alltrue(flatten([
      for server in var.mcp_servers : [for name in keys(server.environment) : !can(regex("^(PORT|HOST|MCP_.*|MONGODB_URI)$", name))]
    ]))
    error_message = "environment in mcp_servers must not set PORT, HOST, MONGODB_URI or MCP_*: the platform sets them."
  }

  validation {
    condition = alltrue([
      for server in var.mcp_servers :
      server.rate_limit.calls >= 1 && server.rate_limit.period >= 1 && server.rate_limit.period <= 300
    ])
    error_message = "rate_limit in mcp_servers needs calls of 1 or more and a period from 1 to 300 seconds."
  }
}
