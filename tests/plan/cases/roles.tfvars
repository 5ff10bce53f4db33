# On dev: a role for one server alone, and one that two groups hold; no database.

name           = "mcp-roles"
acr_name       = "acrmcproles"
key_vault_name = "keyvault-mcp-roles"
mcp_registry   = { access = "signed-in" }

roles = {
  "Mcp.Read" = {
    description = "May call reading tools only."
    groups      = ["reader", "payroll"]
    reads       = true
  }
  "Payroll.Read" = {
    description = "May read the payroll."
    groups      = ["payroll"]
    reads       = true
  }
}

groups = {
  reader  = { display_name = "MCP readers" }
  payroll = { display_name = "MCP payroll" }
}

mcp_servers = {
  time = {
    image = { repository = "time-mcp", tag = "1.0.0" }
    tiers = { reader = { role = "Mcp.Read" } }
  }
  payroll = {
    image = { repository = "payroll-mcp", tag = "1.0.0" }
    tiers = { reader = { role = "Payroll.Read" } }
  }
}
