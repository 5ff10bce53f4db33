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
    error_message = "groups: members must be object ids (lower-case GUIDs)."
  }
}
