variable "groups" {
  description = "Security groups by tier. Members are object ids of people; groups nested in them are not counted by Entra ID for app roles."
  type = map(object({
    display_name = string
    description  = optional(string)
    owners       = optional(set(string))
    members      = optional(set(string), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for member in flatten([for group in values(var.groups) : tolist(group.members)]) : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", member))])
    error_message = "groups: members must be object ids, lower-case GUIDs (${join(", ", [for entry, group in var.groups : "groups.${entry}" if !alltrue([for member in group.members : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", member))])])})."
  }

  validation {
    condition     = alltrue([for owner in flatten([for group in values(var.groups) : tolist(coalesce(group.owners, []))]) : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", owner))])
    error_message = "groups: owners must be object ids, GUIDs (${join(", ", [for entry, group in var.groups : "groups.${entry}" if !alltrue([for owner in coalesce(group.owners, []) : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", owner))])])})."
  }

  validation {
    condition     = alltrue([for group in values(var.groups) : try(length(group.owners) > 0, true)])
    error_message = "groups: owners must not be an empty set, which Entra ID refuses; leave it out, and whoever runs Terraform owns the group (${join(", ", [for entry, group in var.groups : "groups.${entry}" if !try(length(group.owners) > 0, true)])})."
  }
}

variable "prevent_duplicate_names" {
  description = "Whether a group of the same name is refused; whoever runs Terraform must then be allowed to list groups."
  type        = bool
  default     = true
  nullable    = false
}
