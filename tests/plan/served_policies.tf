# A gateway with one server of two slots and lists of tools, and one that is as plain as can be.

variable "access" {
  description = "Of the MCP registry."
  type        = string
  default     = "off"
}

variable "authorization" {
  type    = string
  default = "app_roles"
}

variable "listings" {
  description = "What the registry says, by server: more servers than the two below are as plain as can be."
  type        = map(map(string))
  default     = {}
}

module "apim" {
  source = "../modules/apim"

  name                = "apim-served"
  location            = "uksouth"
  resource_group_name = "rg-gateway"
  sku_name            = "Developer_1"
  public_base_url     = "https://apim-served.azure-api.net"
  publisher           = { name = "Platform team", email = "platform@example.com" }
  network             = { subnet_id = azurerm_subnet.gateway.id }
  identity            = { id = azurerm_user_assigned_identity.gateway.id, client_id = azurerm_user_assigned_identity.gateway.client_id }

  sign_in = local.sign_in

  clients = { desktop = { client_id = "desktop-client-id", redirect_uris = ["http://localhost/callback"] } }

  registry      = { access = var.access }
  authorization = var.authorization

  roles = [
    { name = "Mcp.Admin", groups = ["admin"] },
    { name = "Payroll.Write", groups = ["clerks"] },
    { name = "Mcp.Read", groups = ["reader", "clerks"] },
    { name = "Payroll.Read", groups = ["auditors"] },
  ]

  servers = merge({ for name, listing in var.listings : name => { listing = listing, tiers = { reader = { role = "Mcp.Read", slots = { a = "http://${name}-reader-a.test" } } } } }, {
    mongodb = {
      listing = lookup(var.listings, "mongodb", {})
      timeout = 20
      tiers = {
        admin = {
          role  = "Mcp.Admin"
          slots = { a = "http://mongodb-admin-a.test", b = "http://mongodb-admin-b.test" }
          tools = { repeatable = ["find", "list-*"] }
        }
        reader = {
          role       = "Mcp.Read"
          slots      = { a = "http://mongodb-reader-a.test", b = "http://mongodb-reader-b.test" }
          tools      = { allow = ["find", "list-*", "v1.count"], deny = ["list-secrets"], repeatable = ["*"] }
          rate_limit = { calls = 40, period = 60 }
        }
      }
    }
    payroll = {
      tiers = {
        auditor = { role = "Payroll.Read", slots = { a = "http://payroll-auditor-a.test" } }
        clerk   = { role = "Payroll.Write", slots = { a = "http://payroll-clerk-a.test" } }
      }
    }
    plain = {
      tiers = {
        reader = {
          role  = "Mcp.Read"
          slots = { a = "http://plain-reader-a.test" }
        }
      }
    }
  })
}
