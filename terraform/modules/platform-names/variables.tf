variable "name" {
  description = "Name of the deployment, from which the others derive."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Name of the environment, for the tag `environment`."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource, besides `environment` and `deployment`."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "servers" {
  description = "The MCP servers by name, each with its tiers and the slots of each tier. A `remote` one runs elsewhere: it has neither identity nor slot here."
  type = map(object({
    remote  = optional(object({ url = string }))
    compute = optional(string, "container-instances")
    port    = optional(number, 8000)
    slots   = optional(set(string), ["a"])
    tiers = map(object({
      role       = string
      connection = optional(string)
    }))
  }))
  default  = {}
  nullable = false
}

variable "gateway" {
  description = "Who reaches the gateway (`public` or `internal`), and its address: `public_base_url`, else its custom host, else Azure's."
  type = object({
    exposure         = optional(string, "public")
    public_base_url  = optional(string)
    custom_host_name = optional(string)
  })
  default  = {}
  nullable = false
}

variable "private_dns" {
  description = "Zones that a hub keeps, by key, and whether registry and state account have private endpoints, which need one."
  type = object({
    existing_zone_ids = optional(map(string), {})
    registry          = optional(bool, false)
    state             = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "databases" {
  description = "Which databases there are: each has a private endpoint, which needs a zone."
  type = object({
    cosmos     = optional(bool, true)
    documentdb = optional(bool, false)
  })
  default  = {}
  nullable = false
}
