variable "role_assignments" {
  description = <<-EOT
    Role assignments by a name of your own. `principal_id` is an *object* id: a client id does not fail, the provider
    retries it for minutes. `description` says why the assignment exists; access reviews show it.
  EOT
  type = map(object({
    scope          = string
    role           = string
    principal_id   = string
    principal_type = optional(string)
    description    = string
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for assignment in var.role_assignments : !contains([
        "Owner", "Contributor", "User Access Administrator", "Role Based Access Control Administrator",
      ], assignment.role)
    ])
    error_message = "Owner, Contributor, User Access Administrator and Role Based Access Control Administrator are not given by Terraform; name the narrow role."
  }

  validation {
    condition = alltrue([
      for assignment in var.role_assignments : can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+", assignment.scope))
    ])
    error_message = "A role assignment's scope must be one resource, not a subscription, a management group or a whole resource group."
  }

  validation {
    condition = alltrue([
      for assignment in var.role_assignments : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", assignment.principal_id))
    ])
    error_message = "A role assignment's principal_id must be an object id (a GUID)."
  }

  validation {
    condition = alltrue([
      for assignment in var.role_assignments :
      assignment.principal_type == null ? true : contains(["User", "Group", "ServicePrincipal"], assignment.principal_type)
    ])
    error_message = "A role assignment's principal_type must be User, Group or ServicePrincipal, or be left out."
  }
}
