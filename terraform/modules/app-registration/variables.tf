variable "display_name" {
  description = "Name of the app registration; unique in the tenant."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.display_name) >= 1 && length(var.display_name) <= 120
    error_message = "display_name must be 1-120 characters."
  }
}

variable "description" {
  description = "What the app is for, as administrators see it."
  type        = string
  default     = null
}

variable "owners" {
  description = "Object ids of who may change the registration, people or service principals. Null leaves it to administrators of the directory."
  type        = set(string)
  default     = null

  validation {
    condition     = var.owners == null ? true : alltrue([for id in var.owners : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "owners must be object ids (GUIDs), not names or e-mail addresses."
  }
}

variable "scopes" {
  description = "Delegated permissions by value."
  type = map(object({
    display_name = string
    description  = string
  }))
  default  = {}
  nullable = false
}

variable "app_roles" {
  description = "App roles by value, and who may hold them: User, Application or both."
  type = map(object({
    display_name         = string
    description          = string
    allowed_member_types = optional(set(string), ["User", "Application"])
  }))
  default  = {}
  nullable = false
}

variable "assignment_required" {
  description = "Only principals with an app role get a token. Right for services, wrong for people: Entra would refuse before our own 403 explains."
  type        = bool
  default     = false
  nullable    = false
}

variable "group_claims" {
  description = "Put the caller's security groups into tokens for this app."
  type        = bool
  default     = false
  nullable    = false
}

variable "redirect_uris" {
  description = "Redirect URIs on the mobile and desktop platform; any makes the app a public client. The port of a loopback URI is ignored."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for uri in var.redirect_uris : can(regex("^(https://|http://(localhost|127\\.0\\.0\\.1)([:/]|$)|[a-z][a-z0-9.+-]*:/)", uri)) && (!startswith(uri, "http:") || can(regex("^http://(localhost|127\\.0\\.0\\.1)([:/]|$)", uri)))])
    error_message = "redirect_uris must be https, loopback http, or a client's own scheme."
  }

  validation {
    condition     = alltrue([for uri in var.redirect_uris : !strcontains(uri, "*")])
    error_message = "redirect_uris must be exact: no wildcard."
  }
}

variable "single_page_redirect_uris" {
  description = "Redirect URIs on the single-page platform, for clients that redeem their code in a browser. The web platform is not offered: it wants a secret."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for uri in var.single_page_redirect_uris : can(regex("^(https://[^/*]+(/[^*]*)?|http://localhost([:/][^*]*)?)$", uri))])
    error_message = "single_page_redirect_uris must be https, or http on localhost, without wildcard."
  }
}

variable "required_scopes" {
  description = "Delegated permissions of other apps that this client asks for: label => client id and scope ids."
  type = map(object({
    client_id = string
    scope_ids = set(string)
  }))
  default  = {}
  nullable = false
}

variable "granted_scopes" {
  description = "Delegated permissions of other apps that an administrator consents to for everybody: label => object id of the other app's service principal and scope values."
  type = map(object({
    service_principal_object_id = string
    scopes                      = set(string)
  }))
  default  = {}
  nullable = false
}

variable "pre_authorized_client_ids" {
  description = "Clients that get this app's scopes without asking the user: label => client id."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "role_assignments" {
  description = "Who holds which app role: label => role value and object id (never a client id) of a group, user or service principal."
  type = map(object({
    role                = string
    principal_object_id = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for assignment in values(var.role_assignments) : contains(keys(var.app_roles), assignment.role)])
    error_message = "role_assignments: role must be one of app_roles."
  }
}

variable "federated_credentials" {
  description = "Whose tokens this app may show in place of a secret: name => issuer and subject, for a managed identity of this tenant its object id."
  type = map(object({
    issuer      = string
    subject     = string
    description = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.federated_credentials) <= 20 && alltrue([for name in keys(var.federated_credentials) : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$", name))])
    error_message = "federated_credentials: at most 20, each with a name of 3-120 letters, digits, hyphens and underscores."
  }
}
