variable "entra_authority" {
  description = "Where Entra ID answers. National clouds have their own, and so has the local twin."
  type        = string
  default     = "https://login.microsoftonline.com"
  nullable    = false

  validation {
    condition     = can(regex("^(https://[a-z0-9.-]+(:[0-9]+)?|http://127\\.0\\.0\\.1:[0-9]+)$", var.entra_authority))
    error_message = "entra_authority must be https://host[:port] in lower case without a path (or http://127.0.0.1:port locally)."
  }
}

variable "authorization" {
  description = "What decides a caller's tier: the app roles in the token (`app_roles`, needs Entra ID P1) or its groups (`groups`)."
  type        = string
  default     = "app_roles"
  nullable    = false

  validation {
    condition     = contains(["app_roles", "groups"], var.authorization)
    error_message = "authorization must be app_roles or groups."
  }
}

variable "directory_rights" {
  description = "What whoever runs Terraform may do in Entra ID: `full`, or `owned`, after `invoke bootstrap.entra --minimal`. Then an administrator assigns app roles (docs/bootstrap.md)."
  type        = string
  default     = "full"
  nullable    = false

  validation {
    condition     = contains(["full", "owned"], var.directory_rights)
    error_message = "directory_rights must be full or owned."
  }
}

variable "oauth_facade_enabled" {
  description = "Whether API Management serves what MCP clients miss in Entra ID: metadata, registration, `resource`."
  type        = bool
  default     = true
  nullable    = false
}

variable "groups" {
  description = "The Entra groups of each kind of caller, `admin` and `reader`. Members and owners are object ids; only direct members count."
  type = map(object({
    display_name = string
    members      = optional(set(string), [])
    owners       = optional(set(string))
  }))
  nullable = false

  validation {
    condition     = length(setsubtract(keys(var.groups), ["admin", "reader"])) == 0
    error_message = "groups takes the keys admin and reader."
  }

  validation {
    condition = length(setsubtract(
      toset(flatten([for server in var.mcp_servers : [for tier in server.tiers : tier.role]])),
      toset([for group in keys(var.groups) : { admin = "Mcp.Admin", reader = "Mcp.Read" }[group] if contains(["admin", "reader"], group)]),
    )) == 0
    error_message = "groups must hold a group for every role that a tier in mcp_servers has: admin for Mcp.Admin, reader for Mcp.Read."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [for id in setunion(group.members, coalesce(group.owners, [])) : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))]
    ]))
    error_message = "members and owners of groups must be object ids (GUIDs), not names or e-mail addresses."
  }
}

variable "owners" {
  description = <<-EOT
    Object ids of the people and service principals that own app registrations and groups. Empty: whoever runs Terraform.
    Where more than one principal deploys, name all of them, or each apply takes ownership from the one before.
  EOT
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.owners : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "owners must be object ids (GUIDs), not names or e-mail addresses."
  }
}

variable "mcp_clients" {
  description = <<-EOT
    Public clients that people sign in with, by name, each with its exact redirect URIs. `platform` is Entra ID's word for
    what redeems the code: `public-client` (mobile and desktop; whatever comes through the façade) or `single-page` (a
    browser, without the façade). Its third one, web, wants a secret that a public client cannot keep.
  EOT
  type = map(object({
    display_name  = optional(string)
    redirect_uris = set(string)
    platform      = optional(string, "public-client")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for client in var.mcp_clients : contains(["public-client", "single-page"], client.platform)])
    error_message = "A client's platform in mcp_clients must be public-client or single-page; web would need a secret."
  }

  validation {
    # The façade redeems the code without an Origin, which Entra ID refuses for this platform (AADSTS9002327).
    condition     = !var.oauth_facade_enabled || alltrue([for client in var.mcp_clients : client.platform != "single-page"])
    error_message = "A client's platform in mcp_clients can be single-page only with oauth_facade_enabled = false: Entra ID lets only a browser redeem its code."
  }

  validation {
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for uri in client.redirect_uris : client.platform != "single-page" || can(regex("^(https://|http://localhost[:/])", uri))
      ]
    ]))
    error_message = "A redirect URI of a single-page client in mcp_clients must be https, or http on localhost."
  }

  validation {
    condition     = alltrue([for name in keys(var.mcp_clients) : can(regex("^[a-z][a-z0-9-]{0,40}$", name))])
    error_message = "A client's name in mcp_clients must be 1-41 lower-case letters, digits and hyphens, and start with a letter."
  }

  validation {
    condition     = alltrue([for client in var.mcp_clients : length(client.redirect_uris) > 0])
    error_message = "Each client in mcp_clients needs at least one redirect URI."
  }

  validation {
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for uri in client.redirect_uris :
        can(regex("^(https://[a-z0-9.-]+(:[0-9]+)?/[^\\s\"'<>\\\\{}|*#]*|http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?/[^\\s\"'<>\\\\{}|*#]*|cursor://[^\\s\"'<>\\\\{}|*#]+)$", uri))
      ]
    ]))
    error_message = "A redirect URI in mcp_clients must be https, http on 127.0.0.1 or localhost, or cursor://, with a path and without wildcard or fragment."
  }

  validation {
    # The façade answers a registration with the one entry that holds the URI; two entries would make it a guess.
    condition = length(flatten([for client in var.mcp_clients : tolist(client.redirect_uris)])) == length(distinct(flatten([
      for client in var.mcp_clients : tolist(client.redirect_uris)
    ])))
    error_message = "A redirect URI must belong to one client in mcp_clients only."
  }
}

variable "pre_authorized_client_ids" {
  description = "Applications of others that may ask for the scope without consent, by name: for example VS Code and the Azure CLI."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for id in values(var.pre_authorized_client_ids) : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "pre_authorized_client_ids must be client ids (GUIDs)."
  }
}
