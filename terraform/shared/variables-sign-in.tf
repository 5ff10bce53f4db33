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
  description = "What decides a caller's roles: the app roles in the token (`app_roles`, needs Entra ID P1) or its groups (`groups`)."
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
  description = "Entra groups that Terraform makes, by a name that `roles` refer to. Members and owners are object ids; only direct members count."
  type = map(object({
    display_name = string
    members      = optional(set(string), [])
    owners       = optional(set(string))
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.groups) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name)) && length(name) <= 30])
    error_message = "A group's name in groups must be 1-30 lower-case letters, digits and single hyphens, and start with a letter (${join(", ", [for name in keys(var.groups) : "groups.${name}" if !(can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name)) && length(name) <= 30)])})."
  }

  validation {
    # Of a role that no tier names the group may be missing: the default has both.
    condition = alltrue([
      for name, role in var.roles : length(setsubtract(role.groups, keys(var.groups))) == 0
      if contains(flatten([for server in var.mcp_servers : [for tier in server.tiers : tier.role]]), name)
    ])
    error_message = "A role that a tier in mcp_servers names must find its groups in groups: add each there, with a display_name (${join(", ", flatten([for name, role in var.roles : [for group in setsubtract(role.groups, keys(var.groups)) : "groups.${group} of roles.${name}"] if contains(flatten([for server in var.mcp_servers : [for tier in server.tiers : tier.role]]), name)]))})."
  }

  validation {
    # Else somebody is put into a group, and may do nothing.
    condition     = length(setsubtract(keys(var.groups), flatten([for role in var.roles : tolist(role.groups)]))) == 0
    error_message = "Each group in groups must be named by a role: add it to the groups of an entry in roles, or take it away (${join(", ", formatlist("groups.%s", setsubtract(keys(var.groups), flatten([for role in var.roles : tolist(role.groups)]))))})."
  }

  validation {
    condition = alltrue(flatten([
      for group in var.groups : [for id in setunion(group.members, coalesce(group.owners, [])) : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))]
    ]))
    error_message = "members and owners of groups must be object ids (GUIDs), not names or e-mail addresses (${join(", ", [for entry, group in var.groups : "groups.${entry}" if !alltrue([for id in setunion(group.members, coalesce(group.owners, [])) : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])])})."
  }
}

variable "roles" {
  description = <<-EOT
    App roles, by the value that stands in a caller's token; a tier of mcp_servers names one, and whoever holds it may call
    that tier (docs/roles.md). An entry of its own replaces the two below, which are the default: repeat those that are used.
    groups: names of `groups` whose direct members hold the role. members: object ids of people, existing groups and service
    principals that hold it directly; with authorization = "groups" there are none.
    reads: its tiers never write: their connection is read-only, and a tool that does not say that it only reads is not there
    unless tools.allow names it.
    rank: who holds several roles of one server gets the tier of the lowest rank; of equal ranks a role that may write comes
    before one that reads, and then the order is that of the names.
  EOT
  type = map(object({
    description  = string
    display_name = optional(string)
    groups       = optional(set(string), [])
    members      = optional(set(string), [])
    reads        = optional(bool, false)
    rank         = optional(number, 100)
  }))
  default = {
    "Mcp.Admin" = {
      display_name = "MCP administrator"
      description  = "May call reading and writing tools."
      groups       = ["admin"]
    }
    "Mcp.Read" = {
      display_name = "MCP reader"
      description  = "May call reading tools only."
      groups       = ["reader"]
      reads        = true
    }
  }
  nullable = false

  validation {
    # It becomes text of an expression in a policy. Entra ID takes more ("appRole resource type" of Microsoft Graph, 2025).
    condition     = alltrue([for name in keys(var.roles) : can(regex("^[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*$", name)) && length(name) <= 60])
    error_message = "A role's name in roles must be 1-60 letters and digits with single dots, hyphens and underscores between them, such as Payroll.Read, and start with a letter (${join(", ", [for name in keys(var.roles) : "roles.${name}" if !(can(regex("^[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*$", name)) && length(name) <= 60)])})."
  }

  validation {
    # The gateway compares letter by letter, and people do not.
    condition     = length(distinct([for name in keys(var.roles) : lower(name)])) == length(var.roles)
    error_message = "Two roles in roles must not differ in upper and lower case alone (${join(", ", [for name in keys(var.roles) : "roles.${name}" if length([for other in keys(var.roles) : other if lower(other) == lower(name)]) > 1])})."
  }

  validation {
    # Entra ID: within an application no role has the value of a scope. The others are whom `invoke token --as` knows.
    condition     = alltrue([for name in keys(var.roles) : !contains(["mcp.access", "admin", "reader", "outsider"], lower(name))])
    error_message = "A role in roles must not be called Mcp.Access, which is the scope, nor admin, reader or outsider, who are people of the local platform (${join(", ", [for name in keys(var.roles) : "roles.${name}" if contains(["mcp.access", "admin", "reader", "outsider"], lower(name))])})."
  }

  validation {
    condition     = alltrue([for role in var.roles : alltrue([for text in [role.description, coalesce(role.display_name, "-")] : can(regex("^[^\\p{C}\\p{Zl}\\p{Zp}]{1,200}$", text)) && trimspace(text) == text])])
    error_message = "description and display_name in roles must each be one line of 1-200 visible characters (${join(", ", [for name, role in var.roles : "roles.${name}" if !alltrue([for text in [role.description, coalesce(role.display_name, "-")] : can(regex("^[^\\p{C}\\p{Zl}\\p{Zp}]{1,200}$", text)) && trimspace(text) == text])])})."
  }

  validation {
    condition     = alltrue([for role in var.roles : role.rank >= 1 && role.rank <= 999 && floor(role.rank) == role.rank])
    error_message = "rank in roles must be a whole number from 1 to 999 (${join(", ", [for name, role in var.roles : "roles.${name}" if !(role.rank >= 1 && role.rank <= 999 && floor(role.rank) == role.rank)])})."
  }

  validation {
    condition     = alltrue(flatten([for role in var.roles : [for id in role.members : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))]]))
    error_message = "members of roles must be object ids (GUIDs), not names or e-mail addresses (${join(", ", [for name, role in var.roles : "roles.${name}" if !alltrue([for id in role.members : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])])})."
  }

  validation {
    condition     = var.authorization != "groups" || alltrue([for role in var.roles : length(role.members) == 0])
    error_message = "members in roles must be empty where authorization is \"groups\": the gateway then looks at the caller's groups, and not at app roles; give the role a group instead (${join(", ", [for name, role in var.roles : "roles.${name}" if length(role.members) > 0])})."
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

variable "client_registration" {
  description = <<-EOT
    How clients make themselves known to the façade. `dynamic`: registration (RFC 7591), which MCP 2026-07-28 deprecates and
    older clients need. `metadata_documents`: a `client_id` that is the address of a client ID metadata document.
  EOT
  type = object({
    dynamic            = optional(bool, true)
    metadata_documents = optional(bool, true)
  })
  default  = {}
  nullable = false
}

variable "grant_sign_in_consent" {
  description = <<-EOT
    Whether Terraform consents for everybody to openid, profile and offline_access, which are Microsoft Graph's: for tenants
    where users may not consent. It takes Application Administrator, which `invoke bootstrap` gives the pipeline without
    `--minimal`, or the Graph permission DelegatedPermissionGrant.ReadWrite.All.
  EOT
  type        = bool
  default     = false
  nullable    = false
}

locals {
  # Entra ID: no ! $ ' ( ) , ; ("Redirect URI (reply URL) best practices and limitations"). By name, since Checkov's parser
  # reads no such pattern inside of a message.
  redirect_uri_pattern = "^[a-z][a-z0-9+.-]*:/[^\\s\"'<>\\\\{}|*#!$(),;]*$"
}

variable "mcp_clients" {
  description = <<-EOT
    Public clients that people sign in with, by name, each with its redirect URIs: exact, but that a loopback URI counts for
    `localhost` and `127.0.0.1` and for any port. `{endpoint-id}` in one stands for what Codex computes of a server's address.
    `metadata_documents` are the addresses of client ID metadata documents that mean this entry, `metadata_hosts` hosts all
    of whose documents do. A registration may spread over entries of one `kind` (an entry's name, if left out). `platform` is
    Entra ID's word for what redeems the code: `public-client` (mobile and desktop; whatever comes through the façade) or
    `single-page` (a browser, without the façade). Its third one, web, wants a secret that a public client cannot keep.
  EOT
  type = map(object({
    display_name       = optional(string)
    redirect_uris      = set(string)
    platform           = optional(string, "public-client")
    kind               = optional(string)
    metadata_documents = optional(set(string), [])
    metadata_hosts     = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for client in var.mcp_clients : contains(["public-client", "single-page"], client.platform)])
    error_message = "A client's platform in mcp_clients must be public-client or single-page; web would need a secret (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !contains(["public-client", "single-page"], client.platform)])})."
  }

  validation {
    # The façade redeems the code without an Origin, which Entra ID refuses for this platform (AADSTS9002327).
    condition     = !var.oauth_facade_enabled || alltrue([for client in var.mcp_clients : client.platform != "single-page"])
    error_message = "A client's platform in mcp_clients can be single-page only with oauth_facade_enabled = false: Entra ID lets only a browser redeem its code (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !(client.platform != "single-page")])})."
  }

  validation {
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for uri in client.redirect_uris : client.platform != "single-page" || can(regex("^(https://|http://localhost[:/])", uri))
      ]
    ]))
    error_message = "A redirect URI of a single-page client in mcp_clients must be https, or http on localhost (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !alltrue([for uri in client.redirect_uris : client.platform != "single-page" || can(regex("^(https://|http://localhost[:/])", uri))])])})."
  }

  validation {
    condition     = alltrue([for name, client in var.mcp_clients : can(regex("^[a-z][a-z0-9-]{0,40}$", name)) && can(regex("^[a-z][a-z0-9-]{0,40}$", coalesce(client.kind, name)))])
    error_message = "A client's name or kind in mcp_clients must be 1-41 lower-case letters, digits and hyphens, and start with a letter (${join(", ", [for name, client in var.mcp_clients : "mcp_clients.${name}" if !(can(regex("^[a-z][a-z0-9-]{0,40}$", name)) && can(regex("^[a-z][a-z0-9-]{0,40}$", coalesce(client.kind, name))))])})."
  }

  validation {
    condition     = alltrue([for client in var.mcp_clients : length(client.redirect_uris) > 0])
    error_message = "Each client in mcp_clients needs at least one redirect URI (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !(length(client.redirect_uris) > 0)])})."
  }

  validation {
    # Entra ID: 256 characters at most ("Redirect URI (reply URL) best practices and limitations").
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for uri in client.redirect_uris :
        length(uri) <= 256 && can(regex(local.redirect_uri_pattern, replace(uri, "{endpoint-id}", "id"))) &&
        (!can(regex("^https?:", uri)) || can(regex("^(https://[a-z0-9.-]+(:[0-9]+)?/|http://(127\\.0\\.0\\.1|localhost)(:[0-9]{1,5})?/)", uri)))
      ]
    ]))
    error_message = "A redirect URI in mcp_clients must be https, http on 127.0.0.1 or localhost, or of a client's own scheme, with a path, without wildcard, fragment and ! $ ' ( ) , ; and of 256 characters at most (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !alltrue([for uri in client.redirect_uris : length(uri) <= 256 && can(regex(local.redirect_uri_pattern, replace(uri, "{endpoint-id}", "id"))) && (!can(regex("^https?:", uri)) || can(regex("^(https://[a-z0-9.-]+(:[0-9]+)?/|http://(127\\.0\\.0\\.1|localhost)(:[0-9]{1,5})?/)", uri)))])])})."
  }

  validation {
    # Nobody can listen there: no host, no such port, somebody's name before the host.
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for uri in client.redirect_uris :
        !can(regex("^[a-z0-9+.-]+://[^/]*@", uri)) &&
        (!startswith(uri, "https:") || can(regex("^https://[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*[:/]", uri))) &&
        try(tonumber(regex("^https?://[^/:]*:([0-9]+)/", uri)[0]) >= 1 && tonumber(regex("^https?://[^/:]*:([0-9]+)/", uri)[0]) <= 65535, !can(regex("^https?://[^/:]*:", uri)))
      ]
    ]))
    error_message = "A redirect URI in mcp_clients must be an address that a client can listen on: a host name of labels, a port from 1 to 65535 if it has one, and no user name (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !alltrue([for uri in client.redirect_uris : !can(regex("^[a-z0-9+.-]+://[^/]*@", uri)) && (!startswith(uri, "https:") || can(regex("^https://[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*[:/]", uri))) && try(tonumber(regex("^https?://[^/:]*:([0-9]+)/", uri)[0]) >= 1 && tonumber(regex("^https?://[^/:]*:([0-9]+)/", uri)[0]) <= 65535, !can(regex("^https?://[^/:]*:", uri)))])])})."
  }

  validation {
    # A private-use scheme belongs to one application (RFC 8252, section 7.1); these belong to browsers, which act on them.
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for uri in client.redirect_uris : !can(regex("^(javascript|data|file|vbscript|blob|about|filesystem|ftp|ws|wss|view-source):", uri))
      ]
    ]))
    error_message = "A redirect URI in mcp_clients must not have a scheme that browsers act on, such as javascript, data or file (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !alltrue([for uri in client.redirect_uris : !can(regex("^(javascript|data|file|vbscript|blob|about|filesystem|ftp|ws|wss|view-source):", uri))])])})."
  }

  validation {
    # Each loopback URI is registered as localhost and as 127.0.0.1, each {endpoint-id} for every server.
    condition = alltrue([
      for client in var.mcp_clients : sum(concat([0], [
        for uri in client.redirect_uris :
        (startswith(uri, "http://") ? 2 : 1) * (strcontains(uri, "{endpoint-id}") ? length(var.mcp_servers) : 1)
      ])) <= 256
    ])
    error_message = "A client in mcp_clients has too many redirect URIs: Entra ID takes 256, and a loopback URI counts twice (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !(sum(concat([0], [for uri in client.redirect_uris : (startswith(uri, "http://") ? 2 : 1) * (strcontains(uri, "{endpoint-id}") ? length(var.mcp_servers) : 1)])) <= 256)])})."
  }

  validation {
    # As the façade compares: however this machine is written. Two entries with the same URI would make its choice a guess.
    condition = length(flatten([
      for client in var.mcp_clients : distinct([for uri in client.redirect_uris : replace(uri, "/^http://127\\.0\\.0\\.1/", "http://localhost")])
      ])) == length(distinct(flatten([
        for client in var.mcp_clients : [for uri in client.redirect_uris : replace(uri, "/^http://127\\.0\\.0\\.1/", "http://localhost")]
    ])))
    error_message = "A redirect URI must belong to one client in mcp_clients only; localhost and 127.0.0.1 are the same (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if anytrue([for name, other in var.mcp_clients : name != entry && length(setintersection([for uri in client.redirect_uris : replace(uri, "/^http://127\\.0\\.0\\.1/", "http://localhost")], [for uri in other.redirect_uris : replace(uri, "/^http://127\\.0\\.0\\.1/", "http://localhost")])) > 0])])})."
  }

  validation {
    # The façade prefers the entry with the same port, then the one without: where neither is there, it would have to guess.
    condition = alltrue([
      for path in distinct(flatten([
        for client in var.mcp_clients : [
          for uri in client.redirect_uris : replace(uri, "/^http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?//", "http://localhost/") if startswith(uri, "http://")
        ]
      ])) :
      length([
        for client in var.mcp_clients : client if contains([
          for uri in client.redirect_uris : replace(uri, "/^http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?//", "http://localhost/")
        ], path)
      ]) <= 1 ||
      anytrue([for client in var.mcp_clients : length(setintersection(client.redirect_uris, [path, replace(path, "localhost", "127.0.0.1")])) > 0])
    ])
    error_message = "Where two clients in mcp_clients have the same loopback path with different ports, one of them must list it without a port: the façade falls back on that one."
  }

  validation {
    # An address that the gateway fetches: a public name, never an IP address, and nothing that a caller could choose.
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for url in client.metadata_documents : !strcontains(url, "/.") && (
          can(regex("^https://[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}/[A-Za-z0-9._~/-]+$", replace(url, "{endpoint-id}", "id"))) ||
          startswith(coalesce(var.public_base_url, "-"), "http://127.0.0.1:") && can(regex("^http://127\\.0\\.0\\.1:[0-9]+/[A-Za-z0-9._~/-]+$", url))
        )
      ]
    ]))
    error_message = "metadata_documents in mcp_clients must be https addresses of a public host with a path, without port, query and dot segments (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !alltrue([for url in client.metadata_documents : !strcontains(url, "/.") && (can(regex("^https://[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}/[A-Za-z0-9._~/-]+$", replace(url, "{endpoint-id}", "id"))) || startswith(coalesce(var.public_base_url, "-"), "http://127.0.0.1:") && can(regex("^http://127\\.0\\.0\\.1:[0-9]+/[A-Za-z0-9._~/-]+$", url)))])])})."
  }

  validation {
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for host in client.metadata_hosts : can(regex("^[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}$", host))
      ]
    ]))
    error_message = "metadata_hosts in mcp_clients must be host names such as client.example.com, without scheme, port and path (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !alltrue([for host in client.metadata_hosts : can(regex("^[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}$", host))])])})."
  }

  validation {
    condition = alltrue(flatten([
      for client in var.mcp_clients : [
        for place in setunion(client.metadata_hosts, client.metadata_documents) :
        !can(regex("^(https://)?([^/]*[.])?(localhost|local|internal|lan|home|corp|intranet|arpa|test|invalid|onion)(/|$)", place))
      ]
    ]))
    error_message = "metadata_documents and metadata_hosts in mcp_clients must be public: no name of a private network (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if !alltrue([for place in setunion(client.metadata_hosts, client.metadata_documents) : !can(regex("^(https://)?([^/]*[.])?(localhost|local|internal|lan|home|corp|intranet|arpa|test|invalid|onion)(/|$)", place))])])})."
  }

  validation {
    condition = length(flatten([for client in var.mcp_clients : concat(tolist(client.metadata_documents), tolist(client.metadata_hosts))])) == length(distinct(flatten([
      for client in var.mcp_clients : concat(tolist(client.metadata_documents), tolist(client.metadata_hosts))
    ])))
    error_message = "A metadata document or host must belong to one client in mcp_clients only (${join(", ", [for entry, client in var.mcp_clients : "mcp_clients.${entry}" if anytrue([for name, other in var.mcp_clients : name != entry && length(setintersection(setunion(client.metadata_documents, client.metadata_hosts), setunion(other.metadata_documents, other.metadata_hosts))) > 0])])})."
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
