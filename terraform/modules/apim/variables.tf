variable "name" {
  description = "Name of the API Management service: 1-50 letters, digits and hyphens; globally unique."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9-]{0,48}[a-zA-Z0-9]$", var.name))
    error_message = "name must be 2-50 letters, digits and hyphens, start with a letter and end with a letter or digit."
  }
}

variable "location" {
  description = "Azure region."
  type        = string
  nullable    = false
}

variable "resource_group_name" {
  description = "Resource group of the service."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "publisher" {
  description = "Who publishes the APIs, as shown by API Management."
  type = object({
    name  = string
    email = string
  })
  nullable = false
}

variable "sku_name" {
  description = "Tier and units, for example Developer_1, Premium_2, StandardV2_1 or PremiumV2_2. A change between classic and v2 replaces the service."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(Developer_1|Premium_[1-9][0-9]?|StandardV2_([1-9]|10)|PremiumV2_([1-9]|[12][0-9]|30))$", var.sku_name))
    error_message = "sku_name must be Developer_1, Premium_<1-99>, StandardV2_<1-10> or PremiumV2_<1-30>: the other tiers reach no server in a virtual network."
  }
}

variable "zones" {
  description = "Availability zones; classic Premium only."
  type        = set(string)
  default     = null

  validation {
    condition     = var.zones == null || startswith(var.sku_name, "Premium_")
    error_message = "zones need the classic Premium tier: azurerm 5.2 refuses them elsewhere."
  }
}

variable "network" {
  description = <<-EOT
    Subnet of the gateway, and who reaches it: the internet (public) or the network only (internal). A classic tier wants the
    subnet delegated to nobody, a public v2 gateway to Microsoft.Web/serverFarms, an internal PremiumV2 one to
    Microsoft.Web/hostingEnvironments.
  EOT
  type = object({
    subnet_id = string
    exposure  = optional(string, "public")
  })
  nullable = false

  validation {
    condition     = contains(["public", "internal"], var.network.exposure)
    error_message = "network.exposure must be public or internal."
  }

  validation {
    condition     = !(var.network.exposure == "internal" && startswith(var.sku_name, "StandardV2_"))
    error_message = "network.exposure must be public with StandardV2: Azure knows no internal mode of that tier."
  }
}

variable "identity" {
  description = "The gateway's user-assigned identity: it signs in to the servers."
  type = object({
    id        = string
    client_id = string
  })
  nullable = false
}

variable "public_base_url" {
  description = "Where callers reach the gateway: the source of every URL it prints. Lower case, no trailing slash."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$|^http://127\\.0\\.0\\.1:[0-9]+$", var.public_base_url))
    error_message = "public_base_url must be https://host[:port] in lower case without a path (or http://127.0.0.1:port locally)."
  }
}

variable "sign_in" {
  description = "What the policies need to know of Entra ID: issuer, apps, scope and the ids of groups by name."
  type = object({
    tenant_id         = string
    authority         = string
    issuer            = string
    api_client_id     = string
    api_identifier    = string
    scope             = string
    scope_name        = string
    backend_client_id = string
    group_ids         = optional(map(string), {})
  })
  nullable = false
}

variable "authorization" {
  description = "What decides a caller's tier: app_roles or groups."
  type        = string
  default     = "app_roles"
  nullable    = false

  validation {
    condition     = contains(["app_roles", "groups"], var.authorization)
    error_message = "authorization must be app_roles or groups."
  }
}

variable "roles" {
  description = <<-EOT
    The app roles that tiers may ask for, in the order in which a caller's tier is looked for: who holds several gets the
    tier of the first. `groups`, names in sign_in.group_ids, stand for the role where `authorization` is groups.
  EOT
  type = list(object({
    name   = string
    groups = optional(set(string), [])
  }))
  default = [
    { name = "Mcp.Admin", groups = ["admin"] },
    { name = "Mcp.Read", groups = ["reader"] },
  ]
  nullable = false

  validation {
    # They become text of an expression in a policy.
    condition     = alltrue([for role in var.roles : can(regex("^[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*$", role.name)) && length(role.name) <= 60])
    error_message = "roles: a name is 1-60 letters and digits with single dots, hyphens and underscores between them, starting with a letter."
  }

  validation {
    condition     = length(distinct([for role in var.roles : role.name])) == length(var.roles)
    error_message = "roles: each stands once in the order."
  }
}

variable "oauth_facade_enabled" {
  description = "Serve authorization-server metadata, authorize, token and register, so that MCP clients can sign in."
  type        = bool
  default     = true
  nullable    = false
}

variable "registration" {
  description = "How clients make themselves known: dynamic registration (older clients), client ID metadata documents, or both."
  type = object({
    dynamic            = optional(bool, true)
    metadata_documents = optional(bool, true)
  })
  default  = {}
  nullable = false
}

variable "clients" {
  description = <<-EOT
    Public clients that the façade knows, by name: client id, redirect URIs, trusted client ID metadata documents (exact
    addresses, or all of a host), and kind (its name, if left out). A registration whose URIs are spread over clients of
    one kind is answered with the one that holds the most.
  EOT
  type = map(object({
    client_id          = string
    redirect_uris      = set(string)
    kind               = optional(string)
    metadata_documents = optional(set(string), [])
    metadata_hosts     = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, client in var.clients : can(regex("^[a-z][a-z0-9-]{0,40}$", name)) && can(regex("^[a-z][a-z0-9-]{0,40}$", coalesce(client.kind, name)))])
    error_message = "clients: a name or kind is 1-41 lower-case letters, digits and hyphens, starting with a letter."
  }

  validation {
    condition     = alltrue([for uri in flatten([for client in values(var.clients) : tolist(client.redirect_uris)]) : can(regex("^[a-z][a-z0-9.+-]*:/[^\"'<>\\\\\\s{}|]+$", uri))])
    error_message = "clients: a redirect URI must be absolute and free of quotes, spaces and < > { } | \\."
  }

  validation {
    # They become text of an expression, and addresses that the gateway calls.
    condition = alltrue(flatten([for client in values(var.clients) : concat(
      [for url in client.metadata_documents : can(regex("^(https://[a-z0-9.-]+|http://127\\.0\\.0\\.1:[0-9]+)/[A-Za-z0-9._~/-]+$", url))],
      [for host in client.metadata_hosts : can(regex("^[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}$", host))],
    )]))
    error_message = "clients: metadata_documents are https addresses with a path, without port and query; metadata_hosts are host names."
  }
}

variable "allowed_origins" {
  description = "Browser origins that may call the MCP endpoints; any other Origin header is refused."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.allowed_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "allowed_origins must be scheme://host[:port] in lower case, without a path and never *."
  }
}

variable "servers" {
  description = <<-EOT
    MCP servers by path. A tier is chosen by its role; `slots` are its replicas, by letter, with their URLs. `tools` limits
    what callers see and call; `repeatable` names what may be called again on another slot where it is unknown whether the
    first call arrived. Patterns are tool names with * for any part. Limits are per caller, the time-out is in seconds.
    first_byte: seconds after which a call that may be repeated goes to another slot that lives, where its answer has not
    begun: messages of the protocol, and calls of repeatable tools. `listing` is what the registry says of a server. A
    `remote` server is called at its URL and has no slots; its credential is one of `secrets`. `downstream` makes a server act as
    its caller: their token is exchanged for one of that scope.
  EOT
  type = map(object({
    listing = optional(object({
      title       = optional(string)
      description = optional(string)
      version     = optional(string, "0.0.0")
    }), {})
    remote = optional(object({
      url = string
      credential = optional(object({
        header = optional(string, "Authorization")
        scheme = optional(string)
        secret = string
      }))
    }))
    downstream = optional(object({
      scope = string
    }))
    tiers = map(object({
      role  = string
      slots = optional(map(string), {})
      tools = optional(object({
        allow      = optional(list(string))
        deny       = optional(list(string), [])
        repeatable = optional(list(string), [])
        resources  = optional(bool, false)
        prompts    = optional(bool, false)
      }), {})
      rate_limit = optional(object({
        calls  = number
        period = number
      }))
    }))
    rate_limit = optional(object({
      calls  = number
      period = number
    }), { calls = 300, period = 60 })
    timeout = optional(number, 120)
    first_byte = optional(object({
      protocol   = optional(number, 5)
      repeatable = optional(number, 10)
    }), {})
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.servers) : can(regex("^[a-z][a-z0-9-]{0,30}$", name)) && name != "oauth"])
    error_message = "servers: a name is a path: 1-31 lower-case letters, digits and hyphens, starting with a letter, and not oauth."
  }

  validation {
    # With such a token whoever gets it could call this gateway as that person: token passthrough by another name.
    condition     = alltrue([for server in values(var.servers) : server.downstream == null ? true : can(regex("^[a-z]+://[A-Za-z0-9.-]+/[A-Za-z][A-Za-z0-9._-]*$", server.downstream.scope)) && !startswith(server.downstream.scope, "${var.sign_in.api_identifier}/")])
    error_message = "servers: downstream.scope is one delegated permission of another API, such as api://<application id>/Files.Read, and not of this gateway's own."
  }

  validation {
    condition     = alltrue(flatten([for server in values(var.servers) : [for tier in values(server.tiers) : contains([for role in var.roles : role.name], tier.role)]]))
    error_message = "servers: a tier's role must be one of roles."
  }

  validation {
    condition = var.authorization != "groups" || alltrue([
      for role in var.roles : length(role.groups) > 0 && length(setsubtract(role.groups, keys(var.sign_in.group_ids))) == 0
      if contains(flatten([for server in values(var.servers) : [for tier in values(server.tiers) : tier.role]]), role.name)
    ])
    error_message = "servers: where authorization is groups, the role of a tier has groups, and they stand in sign_in.group_ids."
  }

  validation {
    condition     = alltrue(flatten([for server in values(var.servers) : [for tier in values(server.tiers) : [for slot in keys(tier.slots) : can(regex("^[a-z]$", slot))]]]))
    error_message = "servers: a slot is a single lower-case letter."
  }

  validation {
    # The policy picks a slot before it looks at the tier.
    condition = alltrue([
      for server in values(var.servers) : length(distinct([for tier in values(server.tiers) : join("", keys(tier.slots))])) == 1 &&
      alltrue([for tier in values(server.tiers) : (length(tier.slots) > 0) == (server.remote == null)])
    ])
    error_message = "servers: the tiers of a server must have the same slots, and at least one; those of a remote server have none."
  }

  validation {
    # They become part of a regular expression in a policy.
    condition = alltrue(flatten([
      for server in values(var.servers) : [
        for tier in values(server.tiers) : [
          for pattern in concat(coalesce(tier.tools.allow, []), tier.tools.deny, tier.tools.repeatable) : can(regex("^[A-Za-z0-9_./*-]{1,128}$", pattern))
        ]
      ]
    ]))
    error_message = "servers: a pattern in tools is letters, digits, underscores, dots, hyphens and slashes, with * for any part of a name."
  }

  validation {
    condition     = alltrue(flatten([for server in values(var.servers) : [for tier in values(server.tiers) : tier.tools.allow == null ? true : length(tier.tools.allow) > 0]]))
    error_message = "servers: tools.allow holds a pattern, or is left out to allow every tool that is not denied."
  }

  validation {
    condition     = alltrue([for server in values(var.servers) : server.timeout >= 1 && server.timeout <= 240])
    error_message = "servers: timeout must be from 1 to 240 seconds."
  }

  validation {
    condition = alltrue(flatten([
      for server in values(var.servers) : [for limit in values(server.first_byte) : limit >= 1 && limit <= 25 && floor(limit) == limit]
    ]))
    error_message = "servers: first_byte must be from 1 to 25 whole seconds: nothing is repeated after 30."
  }

  validation {
    # server.schema.json of the MCP registry: 1 to 100 characters. Of these, none that a reader cannot see: C0, C1, line
    # breaks, zero-width and bidirectional controls (Unicode TR36; CVE-2021-42574), byte order marks, tags, private use.
    condition = alltrue(flatten([
      for server in values(var.servers) : [
        for text in [for text in [server.listing.title, server.listing.description] : text if text != null] :
        can(regex("^[^\\p{C}\\p{Zl}\\p{Zp}]{1,100}$", text)) && trimspace(text) == text
      ]
    ]))
    error_message = "servers: a title or description in listing is one line of 1-100 visible characters."
  }

  validation {
    condition = alltrue([
      for server in values(var.servers) : can(regex("^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$", server.listing.version)) &&
      server.listing.version != "latest" && !can(regex("(^|[.])[xX]([.]|$)", server.listing.version))
    ])
    error_message = "servers: a version in listing is exact: 1-128 letters, digits, underscores, dots, plus signs and hyphens, not latest and not a range such as 1.x."
  }
}

variable "registry" {
  description = <<-EOT
    The MCP registry at /v0.1/servers: `off`, `public` (anybody who reaches the gateway reads names and descriptions) or
    `signed-in` (callers see the servers that they have a role on). `namespace` is what names in it begin with; null: the
    gateway's host, reversed.
  EOT
  type = object({
    access    = optional(string, "off")
    namespace = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["off", "public", "signed-in"], var.registry.access)
    error_message = "registry.access must be off, public or signed-in."
  }

  validation {
    condition     = var.registry.namespace == null ? true : can(regex("^[a-z0-9-]+([.][a-z0-9-]+)*$", var.registry.namespace)) && length(var.registry.namespace) <= 100
    error_message = "registry.namespace must be a reversed host name such as com.example.mcp, of 100 characters at most."
  }
}

variable "secrets" {
  description = "Key Vault secrets that credentials of remote servers name, by their names: their ids, without a version. The service's own identity must be able to read them, once `secrets_ready` is known."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secrets_ready" {
  description = "Anything that is known once the service may read `secrets`."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "slots_ready" {
  description = "Anything that is known once every slot can be called: policies wait for it before they name a slot. The URLs in `servers` must not depend on it."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "application_insights" {
  description = "Where the gateway logs requests; null logs nowhere."
  type = object({
    id                = string
    connection_string = string
  })
  default = null
}
